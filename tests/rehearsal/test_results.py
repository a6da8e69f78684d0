"""What a rehearsal tells: the table, what is left, what it exits with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projects.core.values.outcomes import ExitCode
from projects.rehearsal.leftovers import Leftover, _is_the_runs
from projects.rehearsal.results import Result, expected_codes, read, told, write
from projects.sim_cluster.scenarios.model import Scenario

PASSED = Result("healthy", "/runs/0", 0, (0,), "It passes.", 6.2, 252.0)
LEFT = (
    Leftover("", "Namespace", "left-space"),
    Leftover("left-space", "ConfigMap", "a"),
    Leftover("left-space", "Secret", "b", terminating=True),
)


def test_the_table() -> None:
    failed = replace(
        PASSED, scenario="expired", directory="/runs/1", exit_code=1, expected=(3, 4), states="It ends with 3.",
        struck={"expired": 12}, left=LEFT,
    )  # fmt: skip
    assert (
        told([PASSED, failed])
        == """
scenario   outcome           exit code   expected     real    simulated   faults   left on the cluster
healthy    passed            0           as stated    6.2 s   4.2 min     none     nothing
expired    the test failed   1           not 3 or 4   6.2 s   4.2 min     struck   namespace left-space, 2 objects

not as stated: expired ended with 1, not with 3 or 4: It ends with 3.
  look into /runs/1

left on the cluster by expired
  of the cluster: Namespace left-space
  in namespace left-space: ConfigMap a, Secret b (terminating)
"""
    )


@pytest.mark.parametrize(
    ("ended", "expected", "exits"),
    [(0, (0,), 0), (3, (3, 4), 0), (0, (3,), 1), (4, (0,), 4), (130, (0,), 130)],
)
def test_what_a_rehearsal_exits_with(ended: int, expected: tuple[int, ...], exits: int) -> None:
    assert replace(PASSED, exit_code=ended, expected=expected).code == ExitCode(exits)


def test_what_is_expected_depends_on_whether_a_fault_struck() -> None:
    scenario = Scenario.model_validate({
        "expect": {"exit_codes": (3,), "untouched": (0,)},
        "faults": {"api": ({"do": "unavailable"},)},
    })  # fmt: skip
    assert expected_codes(scenario, {"a": 1, "b": 0}) == (3,)
    assert expected_codes(scenario, {"a": 0}) == (0,)
    assert expected_codes(Scenario(), {}) == (0,)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    result = replace(PASSED, left=LEFT, struck={"a": 3}, expected=(3, 4))
    write([result], tmp_path / "rehearsal.json")
    assert read(tmp_path / "rehearsal.json") == result


def made(
    kind: str = "ConfigMap",
    managers: tuple[str, ...] = ("kubectl-create",),
    owners: tuple[str, ...] = (),
    name: str = "n",
) -> Any:
    metadata = {
        "name": name,
        "managedFields": [{"manager": each} for each in managers],
        "ownerReferences": [{"uid": each} for each in owners],
    }
    return {"kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("found", "is_left"),
    [
        (made(), True),
        (made(managers=()), True),
        (made("Namespace", ("kubectl-create", "kube-controller-manager")), True),
        (made(managers=("kube-controller-manager",)), False),
        (made("Event"), False),
        (made("ServiceAccount", (), name="default"), False),
        (made("ServiceAccount", (), name="mine"), True),
        (made("Node"), False),
        (made(owners=("there",)), False),
        (made(owners=("gone",)), True),
        (made("ClusterServiceVersion", ("catalog",)), True),
    ],
)
def test_what_counts_as_left(found: Any, is_left: bool) -> None:
    assert _is_the_runs(found, {"there": made()}) is is_left
