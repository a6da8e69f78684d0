import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import (
    native,
    prewarm,
    specification,
)
from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.waiting import wait_for
from projects.core.values.redaction import MASK
from tests.conftest import ROOT, RealCluster
from tests.core.cluster.test_documents import AWKWARD
from tests.toolbox.actions import act

PLUGINS = ROOT / "projects/core/ansible_collections/foresail/core/plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "action").glob("*.py"))


@pytest.fixture
def namespace(kubernetes: Cluster, real_cluster: RealCluster) -> str:
    name = real_cluster.namespace("act")
    kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def config_map(namespace: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}, "data": data}


# --- arguments


def test_every_action_is_documented_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in (PLUGINS / "modules").glob("*.py")) == NAMES
    prewarm()
    for name in NAMES:
        assert (
            name
            == importlib.import_module(
                f"projects.core.ansible_collections.foresail.core.plugins.action.{name}"
            ).ActionModule.NAME
        )
        module = importlib.import_module(f"projects.core.ansible_collections.foresail.core.plugins.modules.{name}")
        assert yaml.safe_load(module.EXAMPLES)
        assert yaml.safe_load(module.RETURN)
        assert specification(name)


def test_ansible_doc_shows_them() -> None:
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", "foresail.core.wait", "foresail.core.apply"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "projects/core")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    shown = json.loads(done.stdout)
    assert {"kind", "until", "where", "timeout"} <= set(shown["foresail.core.wait"]["doc"]["options"])


@pytest.mark.parametrize(
    ("name", "arguments", "said", "hint"),
    [
        ("get", {"kin": "Pod"}, "foresail.core.get has no argument kin", "'kind'"),
        ("get", {}, "missing required arguments: kind", None),
        (
            "wait",
            {"kind": "Pod", "until": "redy"},
            "value of until must be one of: present, absent, ready, got: redy",
            None,
        ),
        ("wait", {"kind": "Pod", "timeout": "soon"}, "unable to convert to float", None),
        ("wait", {"kind": "Pod", "where": [{"equals": 1}]}, "missing required arguments: path found in where", None),
        ("wait", {"kind": "Pod", "where": [{"path": "a"}]}, "needs one of equals", None),
        ("apply", {"manifest": "text"}, "expected a manifest, found the str 'text'", None),
        ("apply", {"manifest": []}, "expected a manifest, found none", None),
        ("apply", {"manifest": {"kind": "Pod"}}, "a manifest lacks apiVersion, metadata.name", None),
        ("patch", {"kind": "Pod", "patch": {}}, "give its name", None),
        ("patch", {"kind": "Pod", "name": "p", "patch": [1]}, "a merge patch is a dict, found a list", None),
        ("delete", {"kind": "Pod"}, "needs a name or a selector", None),
        ("capture", {"reads": [{"kind": "Pod"}]}, "writes no file", None),
        ("capture", {"reads": [{"kind": "Pod", "files": ["a.txt"]}]}, "does not say its format", None),
        ("logs", {"name": "p", "fil": "x"}, "has no argument fil", "'file'"),
    ],
)
def test_wrong_arguments(name: str, arguments: dict[str, Any], said: str, hint: str | None) -> None:
    result = act(name, arguments, variables={"artifact_extra_logs_dir": "/nowhere"})
    assert result["failed"]
    assert said in result["msg"]
    assert result["foresail"]["error"] == "UsageError"
    assert result["foresail"]["exit_code"] == 2
    assert hint is None or hint in result["foresail"]["hint"]


def test_native_values_are_plain() -> None:
    class Text(str):
        __slots__ = ()

    plain = native({Text("a"): [Text("b"), 1, True, None, (1.5,)]})
    assert plain == {"a": ["b", 1, True, None, [1.5]]}
    assert type(next(iter(plain))) is str
    assert type(plain["a"][0]) is str
    assert plain["a"][2] is True


# --- on the cluster


@pytest.mark.envtest
def test_apply_and_check_mode(kubernetes: Cluster, namespace: str) -> None:
    target = Target("ConfigMap", "v1", "c", namespace)
    would = act("apply", {"manifest": config_map(namespace, a="1")}, check=True)
    assert would["changed"]
    assert "a: '1'" in would["diff"][0]["after"]
    assert kubernetes.get(target) is None
    assert act("apply", {"manifest": config_map(namespace, a="1")})["changed"]
    for check in (True, False):
        again = act("apply", {"manifest": [config_map(namespace, a="1")]}, check=check)
        assert not again["changed"]
        assert again["diff"] == []
    assert act("apply", {"manifest": config_map("not-made-yet", a="1")}, check=True)["changed"]


@pytest.mark.envtest
def test_awkward_strings_through_apply_and_get(namespace: str, kubernetes: Cluster) -> None:
    data = {f"k{number}": text for number, text in enumerate(AWKWARD)}
    act("apply", {"manifest": config_map(namespace, **data)})
    found = act("get", {"kind": "ConfigMap", "name": "c", "namespace": namespace})
    assert found["object"]["data"] == data
    assert "managedFields" not in found["object"]["metadata"]
    assert kubernetes


@pytest.mark.envtest
def test_get(kubernetes: Cluster, namespace: str) -> None:
    assert kubernetes
    none = act("get", {"kind": "ConfigMap", "name": "none", "namespace": namespace})
    assert (none["object"], none["objects"]) == (None, [])
    required = act("get", {"kind": "ConfigMap", "name": "none", "namespace": namespace, "required": True})
    assert required["foresail"]["error"] == "NotFound"
    assert required["msg"] == 'configmaps "none" not found'
    assert act("get", {"kind": "Machine"})["objects"] == []
    assert "does not serve the kind Machine" in act("get", {"kind": "Machine", "required": True})["msg"]
    empty = act("get", {"kind": "Pod", "namespace": namespace, "label_selector": "a=b", "required": True})
    assert empty["msg"] == f"there are no Pod objects of a=b in {namespace}"


@pytest.mark.envtest
def test_patch_delete_and_check_mode(kubernetes: Cluster, namespace: str) -> None:
    act("apply", {"manifest": config_map(namespace, a="1")})
    one = {"kind": "ConfigMap", "name": "c", "namespace": namespace}
    would = act("patch", {**one, "patch": {"data": {"a": "2"}}}, check=True)
    assert would["changed"]
    assert not act("patch", {**one, "patch": {"data": {"a": "1"}}}, check=True)["changed"]
    assert act("patch", {**one, "patch": {"data": {"a": None}}})["object"].get("data") is None
    assert act("delete", one, check=True)["deleted"] == ["c"]
    assert kubernetes.get(Target("ConfigMap", "v1", "c", namespace))
    assert act("delete", one)["changed"]
    assert not act("delete", one)["changed"]
    assert act("delete", {"kind": "Machine", "name": "m"})["deleted"] == []


@pytest.mark.envtest
def test_delete_waits_until_they_are_gone(kubernetes: Cluster, namespace: str) -> None:
    for number in range(3):
        manifest = config_map(namespace)
        manifest["metadata"] |= {"name": f"d{number}", "labels": {"x": "y"}}
        kubernetes.apply(manifest)
    kubernetes.patch(Target("ConfigMap", "v1", "d1", namespace), {"metadata": {"finalizers": ["example.com/held"]}})
    result = act("delete", {"kind": "ConfigMap", "namespace": namespace, "label_selector": "x=y", "timeout": 0.5})
    assert result["foresail"] == {"error": "TimedOut", "exit_code": 4, "hint": None, "in_vain": True}
    assert f"still there: {namespace}/d1 (being deleted, held by example.com/held)" in result["msg"]
    kubernetes.patch(Target("ConfigMap", "v1", "d1", namespace), {"metadata": {"finalizers": None}})


@pytest.mark.envtest
def test_render(kubernetes: Cluster, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\ndata:\n  a: '{{ value }}'\n  b: 'x {{ value }} y'\n  c: '{{ omit }}'\n"
    (tmp_path / "templates" / "c.yaml").write_text(text)
    value = "a: b\n'\"{{ no }} $x"
    variables = {"value": value, "artifact_extra_logs_dir": str(tmp_path), "omit": "__omit"}
    result = act("render", {"template": "c.yaml", "namespace": namespace}, variables=variables, role=tmp_path)
    assert result["changed"], result
    assert kubernetes.read(Target("ConfigMap", "v1", "r", namespace))["data"]["b"] == f"x {value} y"
    kept = yaml.safe_load((tmp_path / "src" / "c.yaml").read_text())
    assert kept["data"]["a"] == value
    (tmp_path / "templates" / "bad.yaml").write_text("a: [")
    assert (
        "the template is not YAML" in act("render", {"template": "bad.yaml"}, variables=variables, role=tmp_path)["msg"]
    )


@pytest.mark.envtest
def test_secrets_are_kept_without_their_values(kubernetes: Cluster, namespace: str, tmp_path: Path) -> None:
    assert kubernetes
    metadata = {"name": "s", "namespace": namespace}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": "never-on-disk"}}
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    result = act("apply", {"manifest": manifest, "file": "src/s.yaml"}, variables=variables)
    assert MASK in (tmp_path / "src" / "s.yaml").read_text()
    assert "never-on-disk" not in str(result["diff"])
    act("apply", {"manifest": manifest, "file": "quiet.yaml"}, variables=variables, no_log=True)
    assert not (tmp_path / "quiet.yaml").exists()


@pytest.mark.envtest
def test_wait_capture_exec_logs(kubernetes: Cluster, namespace: str, tmp_path: Path) -> None:
    container = {"name": "c", "image": "registry.invalid/c:1"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {"containers": [container]},
    }
    wait_for(kubernetes, Target("ServiceAccount", "v1", "default", namespace), Condition(), 60)
    act("apply", {"manifest": pod})
    one = {"kind": "Pod", "name": "p", "namespace": namespace}
    assert act("wait", {**one, "until": "ready", "timeout": 60})["object"]["status"]["phase"] == "Running"
    late = act("wait", {**one, "where": [{"path": "status.phase", "equals": "Gone"}], "timeout": 0.2})
    assert late["foresail"]["error"] == "TimedOut"
    assert act("wait", {**one, "until": "absent"}, check=True)["skipped"]
    assert act("exec", {"name": "p", "namespace": namespace, "command": ["echo", "{{ x }}"]})["stdout"] == "{{ x }}\n"
    failed = act("exec", {"name": "p", "namespace": namespace, "command": ["bash", "-c", "echo no >&2; exit 3"]})
    assert failed["failed"]
    assert "exited with 3:\nno" in failed["msg"]
    would = act("exec", {"name": "p", "namespace": namespace, "command": ["rm", "a b"]}, check=True)
    assert would["msg"] == f"would run `rm 'a b'` in Pod {namespace}/p"
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    assert act("logs", {"name": "p", "namespace": namespace, "file": "p.log"}, variables=variables)["text"]
    assert (tmp_path / "p.log").exists()
    reads = [{"kind": "Pod", "namespace": namespace, "files": ["p.yaml"]}, {"kind": "Machine", "files": ["m.yaml"]}]
    captured = act("capture", {"reads": reads, "directory": "deep"}, variables=variables)
    assert captured["files"] == ["p.yaml"]
    assert "Machine objects" in yaml.safe_load((tmp_path / "deep" / "_capture.yaml").read_text())["skipped"]


def test_a_capture_that_is_not_strict_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    arguments = {"reads": [{"kind": "Pod", "files": ["p.yaml"]}]}
    assert act("capture", arguments, variables=variables)["foresail"]["exit_code"] == 3
    assert not act("capture", {**arguments, "strict": False}, variables=variables).get("failed")
    assert "no cluster" in (tmp_path / "_capture.yaml").read_text()


# --- the shell


def test_shell(tmp_path: Path) -> None:
    variables = {"artifact_extra_logs_dir": str(tmp_path)}
    awkward = "a 'b' \"c\" $HOME {{ d }}\ne"
    done = act(
        "shell", {"script": 'printf %s "$VALUE"', "environment": {"VALUE": awkward}, "file": "out"}, variables=variables
    )
    assert (done["rc"], done["stdout"], done["changed"]) == (0, awkward, True)
    assert (tmp_path / "out").read_text() == awkward
    assert not act("shell", {"script": "true", "reads_only": True})["changed"]
    assert act("shell", {"script": "cat", "stdin": "x" * 200_000})["stdout"] == "x" * 200_000
    assert act("shell", {"script": "pwd", "directory": str(tmp_path)})["stdout_lines"] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("echo before; false; echo after", 1, "the script exited with 1:\nbefore"),
        ("false | true", 1, "exited with 1 and wrote nothing"),
        ("echo $UNSET_VARIABLE", 1, "UNSET_VARIABLE: unbound variable"),
        ("echo wrong >&2; exit 7", 7, "exited with 7:\nwrong"),
        ("kill -KILL $$", -9, "was killed by SIGKILL"),
    ],
)
def test_shell_failures(script: str, code: int, said: str) -> None:
    result = act("shell", {"script": script})
    assert result["failed"]
    assert result["rc"] == code
    assert said in result["msg"]
    assert not act("shell", {"script": script, "check": False}).get("failed")


def test_shell_time_out_kills_all_of_it() -> None:
    mark = f"31{os.getpid()}"
    script = f"echo so far\n(trap '' TERM; sleep {mark}) & sleep {mark}"
    result = act("shell", {"script": script, "timeout": 3})  # in which a busy machine too has started a shell
    assert result["foresail"]["error"] == "TimedOut"
    assert "timed out after 3 s: `echo so far …` was killed; its last lines:\nso far" in result["msg"]
    wait_until(lambda: not running(mark))  # what was killed is gone a moment later


def test_shell_leaves_nothing_in_the_background() -> None:
    mark = f"32{os.getpid()}"
    assert (
        act("shell", {"script": f"sleep {mark} >/dev/null 2>&1 &\necho done; wait -n 2>/dev/null & exit 0"})["stdout"]
        == "done\n"
    )
    wait_until(lambda: not running(mark))


def test_shell_waits_for_its_own_children_only() -> None:
    assert act("shell", {"script": "sleep 0.1 & wait; echo waited"})["stdout"] == "waited\n"


def test_shell_in_check_mode(tmp_path: Path) -> None:
    result = act("shell", {"script": f"touch {tmp_path}/made"}, check=True)
    assert result["changed"]
    assert "would run the script" in result["msg"]
    assert not (tmp_path / "made").exists()
    assert act("shell", {"script": "echo read", "reads_only": True}, check=True)["stdout"] == "read\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_shell_ends_with_its_worker(signum: signal.Signals, tmp_path: Path) -> None:
    mark = f"33{os.getpid()}"
    program = f"""
        from tests.toolbox.actions import act
        act("shell", {{"script": "touch {tmp_path}/started; sleep {mark}"}})
        """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT)
    wait_until((tmp_path / "started").exists)
    worker.send_signal(signum)
    worker.wait(60)
    wait_until(lambda: not running(mark))


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def running(mark: str) -> bool:
    assert shutil.which("pgrep")
    return subprocess.run(["pgrep", "-f", f"sleep {mark}"], capture_output=True, check=False).returncode == 0
