"""A scenario is checked as a whole, before anything starts; what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.sim_cluster.behaviours.programs import Answer, Line, Program
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.scenarios.names import DIRECTORY, SHIPPED, ScenarioError
from projects.sim_cluster.scenarios.reading import load_scenario


def written(directory: Path, text: str) -> Path:
    path = directory / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(directory: Path, text: str) -> list[str]:
    path = written(directory, text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_can_be_read_and_says_what_it_is(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    assert scenario.expect.says


def test_what_ships_is_what_lies_there() -> None:
    assert {f"{name}.yaml" for name in SHIPPED} == {path.name for path in DIRECTORY.iterdir()}


def test_each_mistake_is_told_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    told = mistakes(tmp_path, """
nonsense_of_mine: 1
shape:
  nodes: "3"
  platfrom: kubernetes
  machines:
    - type: g5.2xlarge
      count: -1
    - {count: 2}
expect: {exit_codes: [0, a]}
speed: fast
faults:
  api:
    - do: too-many-requets
    - do: latency
      probability: 2
      requests:
        verbs: [got]
        groups: apps
    - {do: latency, seconds: 1x}
    - name: nothing
timings:
  pod_strat: 3
  operators: {nfd: {csv: 3}}
programs:
  - images: "*"
    answers: [{comand: x}]
""")  # fmt: skip
    assert [line.split(",")[0] for line in told] == [
        "2: nonsense_of_mine: expected one of the keys description",
        "4: shape.nodes: expected a valid integer",
        "5: shape.platfrom: expected one of the keys platform",
        "8: shape.machines[0].count: expected greater than or equal to 0",
        "9: shape.machines[1].type: expected this key",
        "10: expect.exit_codes[1]: expected a valid integer",
        "11: speed: expected how many times faster than real time the clock runs",
        "14: faults.api[0].do: expected one of too-many-requests",
        "15: faults.api[1].seconds: expected this key",
        "16: faults.api[1].probability: expected less than or equal to 1",
        "18: faults.api[1].requests.verbs[0]: expected one of get",
        "19: faults.api[1].requests.groups: expected a list",
        "20: faults.api[2].seconds: expected a span of time such as 90",
        "21: faults.api[3].do: expected one of too-many-requests",
        "23: timings.pod_strat: expected one of the keys pod_start",
        "24: timings.operators.nfd.csv: expected one of the keys install_plan",
        "26: programs[0].images: expected one of the keys image",
        "27: programs[0].answers[0].comand: expected one of the keys command",
        "27: programs[0].answers[0].command: expected this key",
    ]  # fmt: skip
    for nearest in ("'platform'", "'too-many-requests'", "'get'", "'pod_start'", "'image'", "'command'"):
        assert sum(line.endswith(f"; did you mean {nearest}?") for line in told) == 1, told
    assert told[1].endswith(', found "3"')


@pytest.mark.parametrize(("text", "told"), [
    ("a: [", "1: expected YAML, found"), ("shape: {}\nspeed: 1\nshape: {}\n", "3: shape: expected a key once, found it again"),
    ("\nshape: &x [*x]\n", "2: expected data, found an alias of what it is in"), ("speed: !!python/object:os.system 1", "1: expected data, found the tag"),
    ("- 1\n", "1: expected a mapping, found [1]"), ("? [a]\n: 1\n", "1: expected a name as a key"), ("speed: .nan", "1: speed: expected how many"),
])  # fmt: skip
def test_what_is_no_scenario_at_all_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert mistakes(tmp_path, text)[0].startswith(told)


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for wanted, said in (
        ("helthy", "found 'helthy'; did you mean 'healthy'?"),
        ("./none.yaml", "expected a scenario's file, found './none.yaml'"),
    ):
        with pytest.raises(ScenarioError, match=said.replace("?", r"\?")) as caught:
            load_scenario(wanted)
        assert caught.value.exit_code == 2


def test_an_empty_file_is_the_healthy_cluster(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, "# nothing yet\n"))
    assert scenario.name == "mine"
    assert ClusterOptions(scenario=scenario).settled() == ClusterOptions().settled()


def test_what_is_given_wins_over_the_scenario(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, "shape: {nodes: 5, platform: kubernetes}\nspeed: 9\n"))
    assert ClusterOptions(scenario=scenario).settled().nodes == 5
    settled = ClusterOptions(scenario=scenario, nodes=0, speed=2).settled()
    assert (settled.nodes, settled.platform, settled.speed) == (0, "kubernetes", 2)


def test_timings_and_programs_are_those_of_the_behaviours(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, """
timings: {pod_start: 1m30s, operators: {nfd: {csv_install: 5m}}}
programs:
  - image: "*/trainer:*"
    selector: {matchLabels: {app: train}}
    prints: [{text: one}, {text: two, after: 3}]
    runs: 2m
    answers: [{command: nvidia-smi*, stdout: A100}]
"""))  # fmt: skip
    settings = scenario.settings(seed=7)
    assert settings.timings.pod_start == 90
    assert (settings.timings.csv_install_of("nfd"), settings.timings.csv_install_of("other")) == (300, 6)
    assert settings.timings.install_plan_of("nfd") == 4
    assert settings.seed == 7
    assert settings.programs == (
        Program(
            image="*/trainer:*",
            selector={"matchLabels": {"app": "train"}},
            prints=(Line("one"), Line("two", 3)),
            runs=120,
            answers=(Answer("nvidia-smi*", "A100"),),
        ),
    )


def test_what_it_names_is_there(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("kind: Stage\n", encoding="utf-8")
    told = mistakes(tmp_path, """
shape:
  machines: [{type: g5.2xlarge}, {type: g5.2xlrge}]
stages: [broken.yaml, none.yaml]
""")  # fmt: skip
    known = "3: shape.machines[1].type: expected a machine type that is known, found 'g5.2xlrge'; did you mean 'g5.2xlarge'?"
    assert told[0] == known
    assert [line.split(",")[0] for line in told[1:]] == [
        "4: stages[0]: expected a file with Stage documents",
        "4: stages[1]: expected a file with Stage documents",
    ]
