"""KWOK's Stage documents as behaviours: read, refused, played."""

from pathlib import Path
from typing import Any

import pytest

from projects.sim_cluster.behaviours.stages.documents import load_stages, plural, read_stages
from projects.sim_cluster.behaviours.stages.functions import NAMES
from projects.sim_cluster.behaviours.stages.mistakes import ConstructError, StageError
from projects.sim_cluster.behaviours.stages.playing import fits
from projects.sim_cluster.behaviours.stages.queries import query
from projects.sim_cluster.behaviours.stages.templates import Template
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions
from tests.conftest import CONTROL_PLANE
from tests.sim_cluster.test_workloads import Stage, play_on

HEAD = """
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: %s}
spec:
"""
FAILS = (
    HEAD % "job-fails"
    + """
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchLabels: {app: broken}
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Running]}
  delay: {durationMilliseconds: 20000, jitterDurationMilliseconds: 40000}
  next:
    event: {type: Warning, reason: Exploded, message: It did}
    finalizers: {add: [{value: example.com/held}]}
    statusTemplate: |
      {{ $now := Now }}
      phase: Failed
      containerStatuses:
      {{ range $index, $item := .spec.containers }}
      {{ $origin := index $.status.containerStatuses $index }}
      - name: {{ $item.name | Quote }}
        image: {{ $origin.image }}
        ready: false
        restartCount: 0
        state:
          terminated: { exitCode: 2, reason: Exploded, finishedAt: {{ $now | Quote }} }
      {{ end }}
"""
)
LETS_GO = (
    HEAD % "lets-go"
    + """
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: '.metadata.finalizers.[]', operator: In, values: [example.com/held]}
    - {key: .metadata.deletionTimestamp, operator: Exists}
  next:
    finalizers: {empty: true}
    delete: true
"""
)
MAPS = (
    HEAD % "stamp"
    + """
  resourceRef: {apiGroup: v1, kind: ConfigMap}
  selector:
    matchExpressions:
    - {key: '.metadata.annotations["example.com/stamped"]', operator: DoesNotExist}
  weight: 1
  immediateNextStage: true
  next:
    patches:
    - type: merge
      root: metadata
      template: |
        annotations: {example.com/stamped: "true"}
    - type: json
      root: data
      template: |
        - {op: add, path: /added, value: {{ .metadata.name | Quote }}}
"""
)


def pod(name: str, app: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i:1"}], "restartPolicy": "Never"}
    return {"metadata": {"name": name, "labels": {"app": app}}, "spec": spec}


def test_stages_are_played(tmp_path: Path) -> None:
    file = tmp_path / "stages.yaml"
    file.write_text(f"{FAILS}\n---{LETS_GO}\n---{MAPS}")

    async def script(stage: Stage) -> None:
        stage.create("pods", pod("breaks", "broken"))
        stage.create("pods", pod("runs", "other"))

        def broken() -> Any:
            return stage.get("pods", "breaks")

        await stage.until("broken", lambda: broken()["status"]["phase"] == "Failed")
        found = broken()
        assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 2
        assert found["status"]["conditions"], "what the template does not name stays"
        assert stage.get("pods", "runs")["status"]["phase"] == "Running"  # type: ignore[index]
        await stage.until("told", lambda: any(event["reason"] == "Exploded" for event in stage.all("events")))
        stage.delete("pods", "breaks")
        await stage.until("gone", lambda: broken() is None)
        stage.create("configmaps", {"metadata": {"name": "m"}, "data": {"a": "1"}})
        await stage.until("stamped", lambda: (stage.get("configmaps", "m") or {})["data"] == {"a": "1", "added": "m"})

    play_on(script, ClusterOptions(platform="kubernetes", speed=MAX_SPEED, stages=(file,)))


@pytest.mark.skipif(not CONTROL_PLANE.exists(), reason="no ../shared/envtest")
def test_the_stages_of_the_real_control_plane_are_understood() -> None:
    found = load_stages([CONTROL_PLANE.with_name("pod-stages.yaml")])
    assert [stage.name for stage in found] == ["pod-ready", "pod-complete", "pod-unready", "pod-delete"]
    ready = {"type": "Ready", "status": "True"}
    leaving = {"metadata": {"deletionTimestamp": "x"}, "status": {"conditions": [ready]}}
    assert [fits(stage, leaving) for stage in found] == [False, False, True, False]
    assert [fits(stage, {"metadata": {"deletionTimestamp": "x"}}) for stage in found] == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Pod\napiVersion: v1", "f.yaml: v1 Pod is no kwok.x-k8s.io/v1alpha1 Stage"),
        (HEAD % "s" + "  resourceRef: {}", "f.yaml: stage 's': resourceRef names no kind"),
        (HEAD % "s" + "  steps: []", "f.yaml: stage 's': spec.steps is not supported"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  next: {statusTemplate: '{{ env }}'}",
         "f.yaml: stage 's': statusTemplate: the function 'env' in {{ env }} is not supported"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  next: {statusTemplate: '{{ if . }}'}",
         "f.yaml: stage 's': statusTemplate: {{ if . }} has no end"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  next: {statusTemplate: '{{ define \"x\" }}{{ end }}'}",
         "f.yaml: stage 's': statusTemplate: {{ define \"x\" }}: 'define' is not supported"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  selector: {matchExpressions: [{key: '.a | length', operator: Exists}]}",
         "f.yaml: stage 's': matchExpressions: the query 'length' is not understood from 'length' on"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  selector: {matchExpressions: [{key: .a, operator: Gt}]}",
         "f.yaml: stage 's': the operator 'Gt' of .a is not supported"),
        (HEAD % "s" + "  resourceRef: {kind: A}\n  next: {patches: [{type: magic}]}",
         "f.yaml: stage 's': patches[0].type 'magic' is not supported"),
        ("a: [", "f.yaml: no YAML: "),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(StageError) as caught:
        read_stages(text, "f.yaml")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (".a.b", [1]), (".missing", []), ('.["x/y"].z', [2]), (".list.[].n", [1, 2]), (".list[].n", [1, 2]), (".list[1].n", [2]),
        ('.list.[] | select( .k == "v" ) | .n', [2]), ('.list[] | select(.k != "v") | .n', [1]), (".", None),
    ],
)  # fmt: skip
def test_queries(text: str, found: list[Any] | None) -> None:
    value = {"a": {"b": 1}, "x/y": {"z": 2}, "list": [{"n": 1}, {"n": 2, "k": "v"}]}
    assert query(text)(value) == ([value] if found is None else found)


def test_a_query_that_is_none() -> None:
    with pytest.raises(ConstructError, match="not understood"):
        query("a.b")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ .a }}", "1"), ("{{ .none }}", "<no value>"), ("{{ .none.deeper }}", "<no value>"), ("{{ .yes }}", "true"),
        ("{{/* a comment */}}x", "x"), ("a  {{- 1 -}}  b", "a1b"), ('{{ `raw` }}{{ "q\\"" | Quote }}', 'raw"q\\""'),
        ("{{ if eq .a 1 }}one{{ else if .yes }}two{{ else }}three{{ end }}", "one"),
        ("{{ if .none }}one{{ else if .yes }}two{{ else }}three{{ end }}", "two"),
        ("{{ with .none }}one{{ else }}{{ .a }}{{ end }}", "1"), ("{{ with .list }}{{ len . }}{{ end }}", "2"),
        ("{{ range .list }}{{ .n }}{{ end }}", "12"), ("{{ range .none }}x{{ else }}none{{ end }}", "none"),
        ("{{ range $i, $e := .list }}{{ $i }}{{ $e.n }}{{ $.a }} {{ end }}", "011 121 "),
        ("{{ $x := 0 }}{{ range .list }}{{ $x = .n }}{{ end }}{{ $x }}", "2"),
        ("{{ (index .list 1).n }}", "2"), ('{{ index ( or .none dict ) "k" }}', "<no value>"), ("{{ index .list 9 }}", "<no value>"),
        ("{{ or .none 5 }}{{ and .a .none }}{{ not .none }}", "5<no value>true"), ("{{ add .a 2 }}", "3"),
        ('{{ printf "%s-%d-%q" "a" 1 "b" }}', 'a-1-"b"'), ("{{ YAML .list 1 }}", "  - n: 1\n  - n: 2"),
    ],
)  # fmt: skip
def test_templates(text: str, made: str) -> None:
    from projects.sim_cluster.behaviours.stages.functions import _PURE  # noqa: PLC0415 - those that need no cluster

    value = {"a": 1, "yes": True, "list": [{"n": 1}, {"n": 2}]}
    assert Template(text, NAMES).render(value, _PURE) == made


def test_resources_are_named_after_kinds() -> None:
    assert [plural(kind) for kind in ("Pod", "NetworkPolicy", "Ingress", "Gateway")] == [
        "pods", "networkpolicies", "ingresses", "gateways",
    ]  # fmt: skip
