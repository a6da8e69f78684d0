"""Actions note which objects they act on before they do, so that it is known however the task ends."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster.involved import ACTS, MOST
from projects.core.values.redaction import REDACTOR
from tests.toolbox.actions import act

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {"k": "v"}}
WEB = {"kind": "Deployment", "api_version": "apps/v1", "name": "web", "namespace": "n"}
IN_EVENTS = {"kind": "Deployment", "apiVersion": "apps/v1", "name": "web", "namespace": "n"}


@pytest.fixture(autouse=True)
def _no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def events(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "_ansible.events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(
    ("name", "arguments", "objects"),
    [
        ("apply", {"manifest": CONFIG_MAP}, [{"act": "apply", "kind": "ConfigMap", "apiVersion": "v1", "name": "c", "namespace": "n"}]),
        ("patch", {**WEB, "patch": {}}, [{"act": "patch", **IN_EVENTS}]),
        ("delete", WEB, [{"act": "delete", **IN_EVENTS}]),
        ("get", {"kind": "Pod", "label_selector": "app=web"}, [{"act": "read", "kind": "Pod", "labels": "app=web"}]),
        ("wait", {**WEB, "until": "ready"}, [{"act": "wait", **IN_EVENTS}]),
        (
            "wait",
            {"kind": "Pod", "names": ["b", "a"], "namespace": "n"},
            [{"act": "wait", "kind": "Pod", "name": name, "namespace": "n"} for name in ("a", "b")],
        ),
        (
            "exec",
            {"name": "p", "namespace": "n", "command": ["true"]},
            [{"act": "exec", "kind": "Pod", "apiVersion": "v1", "name": "p", "namespace": "n"}],
        ),
        (
            "logs",
            {"name": "p", "namespace": "n"},
            [{"act": "logs", "kind": "Pod", "apiVersion": "v1", "name": "p", "namespace": "n"}],
        ),
    ],
)  # fmt: skip
def test_what_a_task_acts_on_is_known_though_it_fails(
    tmp_path: Path, name: str, arguments: dict[str, Any], objects: list[dict[str, str]]
) -> None:
    assert act(name, arguments, variables={"artifact_extra_logs_dir": str(tmp_path)})["failed"]
    (event,) = events(tmp_path)
    assert (event["outcome"], event["task"]) == (ACTS, f"foresail.core.{name}")
    assert event["objects"] == objects


def test_a_rendered_manifest(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "c.yaml").write_text(yaml.safe_dump(CONFIG_MAP))
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    act("render", {"template": "c.yaml", "apply": False}, variables=variables, role=tmp_path)
    assert events(tmp_path) == [], "a manifest that is only rendered involves no object"
    act("render", {"template": "c.yaml"}, variables=variables, role=tmp_path)
    assert [each["name"] for each in events(tmp_path)[0]["objects"]] == ["c"]


def test_no_more_than_is_told(tmp_path: Path) -> None:
    many = [{**CONFIG_MAP, "metadata": {"name": f"c{number}"}} for number in range(MOST + 1)]
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    act("apply", {"manifest": many}, variables=variables)
    assert len(events(tmp_path)[0]["objects"]) == MOST
    act("apply", {"manifest": CONFIG_MAP}, no_log=True, variables=variables)
    act("apply", {"manifest": CONFIG_MAP})
    assert len(events(tmp_path)) == 1, (
        "no_log is respected, and without an artifact directory there is nowhere to write"
    )


def test_no_secret_in_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REDACTOR, "redact", lambda text: text.replace("hunter2", "********"))
    wanted = {**CONFIG_MAP, "metadata": {"name": "of-hunter2"}}
    act("apply", {"manifest": wanted}, variables={"artifact_extra_logs_dir": str(tmp_path)})
    assert events(tmp_path)[0]["objects"][0]["name"] == "of-********"
