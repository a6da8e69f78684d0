"""``load`` and ``save``: a captured cluster comes to life as it was, and a living one is written as others write theirs."""

import contextlib
import difflib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.sim_cluster.captures.preparing import prepare
from projects.sim_cluster.captures.reading import read
from projects.sim_cluster.captures.saving import Saved
from projects.sim_cluster.captures.writing import write
from projects.sim_cluster.options import ClusterOptions
from tests.sim_cluster.conftest import talking_to
from tests.sim_cluster.talk import Client, config_map, deployment
from tests.simulated import sim

ROOT = Path(__file__).parents[2]
MUST_GATHER = Path(__file__).parent / "captures" / "must-gather"
TREE = next(MUST_GATHER.glob("quay-io-*"))
TEAM = "/api/v1/namespaces/team-a"


def files(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


@contextlib.contextmanager
def loaded(capture: Path) -> Iterator[Client]:
    with talking_to(ClusterOptions(state=prepare(read(capture)))) as client:
        yield client


def settled(client: Client) -> None:
    """Wait until the behaviours have looked at everything: what they make is made in the order of what they see."""
    client.post("/api/v1/namespaces", {"metadata": {"name": "later"}})
    client.post("/apis/apps/v1/namespaces/later/deployments", deployment("last", "later", 1))
    client.until(
        "/apis/apps/v1/namespaces/later/deployments/last", lambda seen: seen["status"].get("readyReplicas") == 1
    )


def ready_ends(endpoint_slice: Any) -> list[Any]:
    return [each for each in endpoint_slice["endpoints"] or () if each["conditions"]["ready"]]


def captured(*parts: str) -> Any:
    return yaml.safe_load(TREE.joinpath(*parts).read_text())


def plain(obj: Any) -> Any:
    """Return an object without what its kind fills in with nothing."""
    if isinstance(obj, dict):
        return {key: plain(value) for key, value in obj.items() if value not in ({}, [], "", None)}
    return [plain(each) for each in obj] if isinstance(obj, list) else obj


def test_save_load_save_gives_the_same_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert sim("up", first, "--nodes", "2").returncode == 0
    try:
        client = Client(first / "kubeconfig")
        client.post("/api/v1/namespaces", {"metadata": {"name": "work"}})
        client.until("/api/v1/namespaces/work/serviceaccounts/default", lambda _: True)
        client.post("/apis/apps/v1/namespaces/work/deployments", deployment("web", "work", 3))
        client.post("/api/v1/namespaces/work/services",
                    {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})  # fmt: skip
        client.post(
            "/api/v1/namespaces/work/configmaps", config_map("kept", {"text": 'ünï "q" 4.10\nline', "no": "yes"})
        )
        client.post(
            "/api/v1/namespaces/work/secrets", {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
        )
        slices = client.watch("/apis/discovery.k8s.io/v1/namespaces/work/endpointslices?watch=1&timeoutSeconds=60")
        next(None for event in slices if len(ready_ends(event["object"])) == 3)
        client.until(
            "/api/v1/namespaces/work/endpoints/web",
            lambda seen: sum(len(each.get("addresses") or ()) for each in seen.get("subsets") or ()) == 3,
        )
        client.until(
            "/apis/apps/v1/namespaces/work/deployments/web", lambda seen: seen["status"].get("readyReplicas") == 3
        )
        client.close()
        done = sim("save", first, tmp_path / "saved")
        assert (done.returncode, done.stderr) == (
            0,
            "sim_cluster: the values of 1 Secrets were not written, only their lengths; --with-secrets writes them\n",
        )
        assert sim("save", first, tmp_path / "whole", "--with-secrets").stderr == ""
    finally:
        sim("down", first)
    saved = files(tmp_path / "saved")
    assert not any("hunter2" in text or "aHVudGVyMg" in text for text in saved.values())
    assert "aHVudGVyMg==" in files(tmp_path / "whole")["namespaces/work/core/secrets.yaml"]
    done = sim("load", tmp_path / "saved", second)
    assert (done.returncode, done.stdout) == (0, f"{second}/kubeconfig\n")
    assert "values the capture does not have; placeholders stand for them: work/s" in done.stderr
    try:
        assert sim("save", second, tmp_path / "again").returncode == 0
    finally:
        sim("down", second)
    again = files(tmp_path / "again")
    assert again.keys() == saved.keys()
    assert not [
        line
        for name in saved
        for line in difflib.unified_diff(saved[name].split("\n"), again[name].split("\n"), name, n=1)
    ]


def test_a_must_gather_comes_to_life(tmp_path: Path) -> None:
    with loaded(MUST_GATHER) as client:
        settled(client)
        pod = client.get(f"{TEAM}/pods/web-7c9d8b6f5-x2v4b")
        assert plain(pod) == plain(
            captured("namespaces", "team-a", "pods", pod["metadata"]["name"], f"{pod['metadata']['name']}.yaml")
        )
        for kind in ("deployments", "replicasets"):
            [wanted] = captured("namespaces", "team-a", "apps", f"{kind}.yaml")["items"]
            found = client.get(f"/apis/apps/v1/namespaces/team-a/{kind}")["items"]
            assert [each["metadata"]["uid"] for each in found] == [wanted["metadata"]["uid"]]
            assert found[0]["spec"]["replicas"] == found[0]["status"]["readyReplicas"] == 1
        nodes = client.get("/api/v1/nodes")["items"]
        assert [plain(each) for each in nodes] == [
            plain(captured("cluster-scoped-resources", "core", "nodes", f"{each['metadata']['name']}.yaml"))
            for each in nodes
        ]
        assert len(nodes) == 3
        [machine] = client.get("/apis/machine.openshift.io/v1beta1/machines")["items"]
        assert machine["metadata"]["name"] == "mg-5k2lx-worker-us-east-1a-7xw2p"
        assert (
            client.get(f"{TEAM}/configmaps/settings")["data"]["settings"] == 'a: 1\n  indented: "ünï"\n\nlast: 4.10\n'
        )


def test_operators_and_settings_are_those_of_the_capture() -> None:
    with loaded(MUST_GATHER) as client:
        version = client.get("/apis/config.openshift.io/v1/clusterversions/version")
        assert version["status"]["desired"]["version"] == "4.16.20"
        assert [
            each["metadata"]["name"] for each in client.get("/apis/config.openshift.io/v1/clusteroperators")["items"]
        ] == ["etcd"]
        # what was not captured is there as on any simulated OpenShift
        assert client.get("/apis/operators.coreos.com/v1alpha1/catalogsources")["items"]


def test_kinds_without_a_definition_accept_any_field() -> None:
    state = prepare(read(MUST_GATHER))
    assert "kinds whose definition was not captured, which now accept any field: notebooks.example.dev" in state.notes
    with loaded(MUST_GATHER) as client:
        path = "/apis/example.dev/v1beta1/namespaces/team-a/notebooks"
        assert client.get(f"{path}/analysis")["spec"] == {"template": {"image": "jupyter:1"}}
        assert client.merge(f"{path}/analysis", {"spec": {"any": [1]}})["spec"]["any"] == [1]
        ray = client.get("/apis/ray.io/v1/namespaces/team-a/rayclusters/train")  # its owner was not captured
        assert (ray["spec"]["workers"], ray["metadata"]["finalizers"]) == (4, ["ray.io/cleanup"])
        refused = client.ask("PATCH", "/apis/ray.io/v1/namespaces/team-a/rayclusters/train", {"spec": {"workers": "x"}},
                             "application/merge-patch+json")  # fmt: skip
        assert refused.status == 422


def test_life_goes_on_in_a_loaded_cluster() -> None:
    with loaded(MUST_GATHER) as client:
        made = client.post(f"{TEAM}/services", {"metadata": {"name": "other"}, "spec": {"ports": [{"port": 1}]}})
        assert made["spec"]["clusterIP"] != "10.96.0.2"  # that one belongs to a captured Service
        assert int(made["metadata"]["resourceVersion"]) > 81234567
        [gone] = client.watch(f"{TEAM}/pods?watch=1&resourceVersion=80100001&timeoutSeconds=60")
        assert (gone["type"], gone["object"]["code"]) == ("ERROR", 410)
        client.merge("/apis/apps/v1/namespaces/team-a/deployments/web", {"spec": {"replicas": 2}})
        client.until(
            "/apis/apps/v1/namespaces/team-a/deployments/web", lambda seen: seen["status"].get("readyReplicas") == 2
        )
        pods = client.get(f"{TEAM}/pods")
        left = {each["metadata"]["name"] for each in pods["items"]}
        client.ask("DELETE", "/apis/apps/v1/namespaces/team-a/deployments/web?propagationPolicy=Foreground")
        since = pods["metadata"]["resourceVersion"]
        for event in client.watch(f"{TEAM}/pods?watch=1&resourceVersion={since}&timeoutSeconds=60"):
            if event["type"] == "DELETED":
                left.discard(event["object"]["metadata"]["name"])
            if not left:
                break
        assert not left


def test_the_capture_of_our_own_toolbox(tmp_path: Path, openshift_kubeconfig: Path, openshift: Client,
                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("KUBECONFIG", str(openshift_kubeconfig))
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "artifacts"))
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "artifacts").mkdir()
    command = [sys.executable, "run_toolbox.py", "cluster", "capture_environment"]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=240)
    with loaded(tmp_path / "artifacts") as client:
        settled(client)
        for path in (
            "/api/v1/nodes",
            "/apis/machine.openshift.io/v1beta1/machines",
            "/apis/config.openshift.io/v1/clusterversions",
        ):
            before, after = (
                [{**each, "metadata": {**each["metadata"], "managedFields": None}} for each in api.get(path)["items"]]
                for api in (openshift, client)
            )
            assert before == after, path


def test_nodes_that_only_pods_know(tmp_path: Path) -> None:
    shutil.copytree(TREE / "namespaces" / "team-a", tmp_path / "inspect.local" / "namespaces" / "team-a")
    state = prepare(read(tmp_path))
    assert state.platform == "kubernetes"
    assert "nodes that were not captured, made since pods are on them: ip-10-0-2-9.ec2.internal" in state.notes
    with loaded(tmp_path) as client:
        settled(client)
        assert client.get(f"{TEAM}/pods/web-7c9d8b6f5-x2v4b")["status"]["phase"] == "Running"
        [node] = client.get("/api/v1/nodes")["items"]
        assert node["metadata"]["name"] == "ip-10-0-2-9.ec2.internal"


def test_owners_are_found_again_when_uids_were_left_out(tmp_path: Path) -> None:
    shutil.copytree(TREE / "namespaces" / "team-a", tmp_path / "namespaces" / "team-a")
    sets = tmp_path / "namespaces" / "team-a" / "apps" / "replicasets.yaml"
    uid = captured("namespaces", "team-a", "apps", "replicasets.yaml")["items"][0]["metadata"]["uid"]
    sets.write_text(sets.read_text().replace(f"    uid: {uid}\n", ""))
    with loaded(tmp_path) as client:
        settled(client)
        assert client.get("/apis/apps/v1/namespaces/team-a/replicasets/web-7c9d8b6f5")["metadata"]["uid"] == uid
        assert len(client.get(f"{TEAM}/pods")["items"]) == 1


@pytest.mark.parametrize(
    ("made", "content", "said"),
    [
        ("notes.txt", "nothing", "expected a capture, found neither cluster-scoped-resources/ nor namespaces/"),
        ("namespaces/a/core/pods.yaml", "items:\n- a: [1\n  b: 2\n", "namespaces/a/core/pods.yaml:3: expected YAML, found"),
        ("nodes.json", '{"kind":\n "NodeList",\n', "nodes.json:3: expected JSON, found"),
        ("namespaces/a/a.yaml", "apiVersion: v1\nkind: Namespace\n", "expected apiVersion, kind and metadata.name, found Namespace"),
        ("namespaces/a/core/configmaps/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: a}\ndata: {n: 4}\n",
         "b.yaml: expected a ConfigMap, found in a/b: json: cannot unmarshal number into Go struct field"),
        ("namespaces/a/core/configmaps/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n", "expected metadata.namespace"),
        ("namespaces/a/core/pods.yaml", "kind: PodList\napiVersion: v1\nitems: []\n", "expected objects, found none"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded(tmp_path: Path, made: str, content: str, said: str) -> None:
    path = tmp_path / "capture" / made
    path.parent.mkdir(parents=True)
    path.write_text(content)
    done = sim("load", tmp_path / "capture", tmp_path / "cluster")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "cluster").exists()


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    done = sim("save", tmp_path, tmp_path / "out")
    assert (done.returncode, "found no kubeconfig" in done.stderr) == (2, True)
    (tmp_path / "kubeconfig").write_text(
        yaml.safe_dump({"clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}], "users": [{"name": "x", "user": {}}],
                        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "current-context": "x"})
    )  # fmt: skip
    done = sim("save", tmp_path, tmp_path / "out")
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    done = sim("save", tmp_path, tmp_path / "out")
    assert (done.returncode, "expected a new or empty directory" in done.stderr) == (2, True)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "1e3",
        "yes",
        "y",
        "~",
        "0o17",
        "0x1f",
        "010",
        "1_000",
        "2026-01-01",
        ".5",
        "=",
        "<<",
        "- a",
        "a: b",
        " lead\nand\n",
        "\n",
        "a\n\n b\n",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(contents=st.lists(VALUES, min_size=1, max_size=4), namespaced=st.booleans())
def test_what_is_written_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, contents: list[Any], *, namespaced: bool
) -> None:
    out = tmp_path_factory.mktemp("capture")
    space = {"namespace": "space"} if namespaced else {}
    objects = [
        {
            "apiVersion": "example.dev/v1",
            "kind": "Thing",
            "metadata": {"name": f"n{i}" * (120 if i else 1), **space},
            "spec": content,
        }
        for i, content in enumerate(contents)
    ]
    write([Saved("example.dev", "things", each) for each in objects], out, with_secrets=True)
    capture = read(out)
    assert capture.complete
    assert sorted((each.object for each in capture.objects), key=lambda each: len(each["metadata"]["name"])) == objects
    assert {each.resource for each in capture.objects} == {"things"}
