"""What OpenShift's aggregated API servers answer: users, image tags, builds. Seen through HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from projects.sim_cluster.behaviours.hooks import FAIL, HOLD
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import Client, says

IMAGES = "/apis/image.openshift.io/v1"
BUILDS = "/apis/build.openshift.io/v1"


@pytest.fixture
def space(openshift: Client, new_name: Callable[[str], str]) -> str:
    return make_namespace(openshift, new_name("images"))


def stream(client: Client, space: str, name: str, **spec: Any) -> str:
    client.post(
        f"{IMAGES}/namespaces/{space}/imagestreams",
        {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": name}, "spec": spec},
    )
    return f"{IMAGES}/namespaces/{space}/imagestreams/{name}"


def build_config(client: Client, space: str, *triggers: str, to: str = "app:latest") -> str:
    spec = {
        "source": {"type": "Git", "git": {"uri": "https://example.com/app.git"}},
        "strategy": {"type": "Docker", "dockerStrategy": {}},
        "output": {"to": {"kind": "ImageStreamTag", "name": to}},
        "triggers": [{"type": trigger} for trigger in triggers],
    }
    client.post(
        f"{BUILDS}/namespaces/{space}/buildconfigs",
        {"apiVersion": "build.openshift.io/v1", "kind": "BuildConfig", "metadata": {"name": "app"}, "spec": spec},
    )
    return f"{BUILDS}/namespaces/{space}/buildconfigs/app"


def test_who_asks_is_told_who_they_are(openshift: Client, space: str) -> None:
    user = openshift.get("/apis/user.openshift.io/v1/users/~")
    assert (user["kind"], user["metadata"]["name"]) == ("User", "kubernetes-admin")
    assert "system:authenticated" in user["groups"]
    token = openshift.post(f"/api/v1/namespaces/{space}/serviceaccounts/default/token", {"spec": {}})["status"]["token"]
    answer = openshift.ask("GET", "/apis/user.openshift.io/v1/users/~", token=token)
    assert answer.body["metadata"]["name"] == f"system:serviceaccount:{space}:default"
    assert openshift.ask("GET", "/apis/user.openshift.io/v1/users/~", token="nonsense").status == 401


def test_a_tag_is_imported_and_read_under_its_own_name(openshift: Client, space: str) -> None:
    path = stream(
        openshift,
        space,
        "ubi",
        tags=[{"name": "9", "from": {"kind": "DockerImage", "name": "registry.example.com/ubi9:9.6"}}],
    )
    found = openshift.until(path, lambda obj: obj.get("status", {}).get("tags"))
    item = found["status"]["tags"][0]["items"][0]
    assert item["dockerImageReference"] == f"registry.example.com/ubi9@{item['image']}"
    assert found["status"]["dockerImageRepository"] == f"image-registry.openshift-image-registry.svc:5000/{space}/ubi"
    tag = openshift.get(f"{IMAGES}/namespaces/{space}/imagestreamtags/ubi:9")
    assert (tag["metadata"]["name"], tag["image"]["metadata"]["name"]) == ("ubi:9", item["image"])
    assert [
        each["metadata"]["name"] for each in openshift.get(f"{IMAGES}/namespaces/{space}/imagestreamtags")["items"]
    ] == ["ubi:9"]
    missing = openshift.ask("GET", f"{IMAGES}/namespaces/{space}/imagestreamtags/ubi:8")
    assert (missing.status, missing.body["message"]) == (404, 'imagestreamtags.image.openshift.io "ubi:8" not found')


def test_a_tag_can_be_set_and_taken_away(openshift: Client, space: str) -> None:
    tags = f"{IMAGES}/namespaces/{space}/imagestreamtags"
    wanted = {"metadata": {"name": "tool:v1"}, "tag": {"from": {"kind": "DockerImage", "name": "example.com/tool:1"}}}
    assert openshift.ask("POST", tags, wanted).status == 201
    path = f"{IMAGES}/namespaces/{space}/imagestreams/tool"
    openshift.until(path, lambda obj: obj.get("status", {}).get("tags"))
    assert openshift.ask("DELETE", f"{tags}/tool:v1").status == 200
    assert openshift.ask("GET", f"{tags}/tool:v1").status == 404


def test_images_are_imported_when_asked(openshift: Client, space: str) -> None:
    imports = f"{IMAGES}/namespaces/{space}/imagestreamimports"
    spec = {
        "import": True,
        "images": [{"from": {"kind": "DockerImage", "name": "quay.io/me/app:v1"}, "to": {"name": "v1"}}],
    }
    wanted = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "app"},
        "spec": spec,
    }
    done = openshift.post(imports, wanted)
    assert done["status"]["images"][0]["status"]["status"] == "Success"
    found = openshift.until(
        f"{IMAGES}/namespaces/{space}/imagestreams/app", lambda obj: obj.get("status", {}).get("tags")
    )
    assert found["status"]["tags"][0]["items"][0]["image"] == done["status"]["images"][0]["image"]["metadata"]["name"]
    assert openshift.ask("POST", imports, wanted | {"spec": {}}).status == 422


def test_a_build_config_builds_at_once_and_when_asked(openshift: Client, space: str) -> None:
    path = stream(openshift, space, "app")
    config = build_config(openshift, space, "ConfigChange")
    first = f"{BUILDS}/namespaces/{space}/builds/app-1"
    done = openshift.until(first, says("phase", "Complete"))
    pod = openshift.get(f"/api/v1/namespaces/{space}/pods/app-1-build")
    assert pod["status"]["phase"] == "Succeeded"
    pushed = openshift.get(path)["status"]["tags"][0]["items"][0]
    assert done["status"]["output"]["to"]["imageDigest"] == pushed["image"]
    assert done["status"]["duration"] >= 90e9

    made = openshift.post(
        f"{config}/instantiate",
        {"kind": "BuildRequest", "apiVersion": "build.openshift.io/v1", "metadata": {"name": "app"}},
    )
    assert made["metadata"]["name"] == "app-2"
    log = openshift.ask("GET", f"{BUILDS}/namespaces/{space}/builds/app-2/log?follow=true")
    assert "Push successful" in log.text
    assert openshift.get(config)["status"]["lastVersion"] == 2
    assert len(openshift.get(path)["status"]["tags"][0]["items"]) == 2


def test_a_binary_build_takes_what_is_uploaded(openshift: Client, space: str) -> None:
    stream(openshift, space, "app")
    config = build_config(openshift, space)
    made = openshift.ask("POST", f"{config}/instantiatebinary?name=app", b"\x1f\x8b\x08", "application/octet-stream")
    assert (made.status, made.body["spec"]["source"]["type"]) == (201, "Binary")
    openshift.until(f"{BUILDS}/namespaces/{space}/builds/app-1", says("phase", "Complete"))


def test_a_build_without_its_stream_waits_for_it(openshift: Client, space: str) -> None:
    config = build_config(openshift, space)
    openshift.post(f"{config}/instantiate", {"metadata": {"name": "app"}})
    build = f"{BUILDS}/namespaces/{space}/builds/app-1"
    waiting = openshift.until(build, lambda obj: obj.get("status", {}).get("reason"))
    assert (waiting["status"]["phase"], waiting["status"]["reason"]) == ("New", "InvalidOutputReference")
    stream(openshift, space, "app")
    openshift.until(build, says("phase", "Complete"))


def test_builds_fail_and_are_cancelled(openshift: Client, space: str) -> None:
    config = build_config(openshift, space)
    builds = f"{BUILDS}/namespaces/{space}/builds"
    for number, (name, value) in enumerate(((FAIL, "no space left on device"), (HOLD, "for ever")), 1):
        openshift.post(f"{config}/instantiate", {"metadata": {"name": "app"}})
        openshift.merge(f"{builds}/app-{number}", {"metadata": {"annotations": {name: value}}})
    stream(openshift, space, "app")  # without it they waited: none of them can have ended meanwhile
    failed = openshift.until(f"{builds}/app-1", says("phase", "Failed"))
    assert (failed["status"]["reason"], failed["status"]["message"]) == (
        "GenericBuildFailed",
        "no space left on device",
    )
    openshift.merge(f"{builds}/app-2/status", {"status": {"cancelled": True}})
    openshift.merge(f"{builds}/app-2", {"metadata": {"annotations": {HOLD: None}}})
    openshift.until(f"{builds}/app-2", says("phase", "Cancelled"))


def test_what_is_not_there_cannot_be_built(openshift: Client, space: str) -> None:
    answer = openshift.ask(
        "POST", f"{BUILDS}/namespaces/{space}/buildconfigs/none/instantiate", {"metadata": {"name": "none"}}
    )
    assert (answer.status, answer.body["message"]) == (404, 'buildconfigs.build.openshift.io "none" not found')
    config = build_config(openshift, space)
    other = openshift.ask("POST", f"{config}/instantiate", {"metadata": {"name": "other"}})
    assert other.status == 400
