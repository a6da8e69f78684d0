"""What programs print and answer, asked by kubectl and by the Python client; programs are declared for the cluster."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as typed
from kubernetes import config
from kubernetes.stream import stream

from projects.sim_cluster.behaviours.programs import Answer, Line, PodFault, Program
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.running import running_cluster
from tests.sim_cluster.conftest import BOTH_APIS, available, make_namespace
from tests.sim_cluster.talk import Client, Kubectl

TRAINER = Program(
    image="*/trainer:*",
    prints=(Line("loading"), Line("epoch 1", 10), Line("epoch 2", 20), Line("too late", 90)),
    runs=30,
    answers=(
        Answer("nvidia-smi -L", stdout="GPU 0: NVIDIA A10G\n"),
        Answer("sh -c *", stdout="out\n", stderr="err\n", exit_code=3),
    ),
)
SERVER = Program(image="*/server:*", prints=(Line("listening"),), answers=TRAINER.answers)
CRASHES = Program(image="*/crashes:*", prints=(Line("no config"),), faults=(PodFault("crash"),))
MISSING = Program(image="*/missing:*", faults=(PodFault("image-pull"),))
ENDLESS = Program(image="*/slow:*", prints=tuple(Line(f"line {n}", n) for n in range(1000)))


@pytest.fixture(scope="module", params=BOTH_APIS)
def kubeconfig(request: pytest.FixtureRequest) -> Iterator[Path]:
    settings = Settings(programs=(TRAINER, SERVER, CRASHES, MISSING, ENDLESS))
    options = ClusterOptions(api=available(request.param), platform="kubernetes", nodes=1, settings=settings)
    with running_cluster(options) as cluster:
        yield cluster.kubeconfig


@pytest.fixture(scope="module")
def clients(kubeconfig: Path) -> Iterator[Client]:
    with closing(Client(kubeconfig)) as made:
        yield made


@pytest.fixture
def here(clients: Client, new_name: Callable[[str], str]) -> str:
    return make_namespace(clients, new_name("ns"))


@pytest.fixture
def talk(kubectl: Kubectl, kubeconfig: Path) -> Kubectl:
    return Kubectl(kubeconfig, kubectl.binary, kubectl.home)


_STARTED = {"Running", "Succeeded"}


def start(clients: Client, here: str, image: str, *images: str, until: Callable[[Any], Any] | None = None) -> str:
    containers = [{"name": f"c{n}", "image": f"r.example.com/{each}"} for n, each in enumerate((image, *images))]
    name = image.partition(":")[0]
    spec = {"containers": containers, "restartPolicy": "Never" if name == "trainer" else "Always"}
    clients.post(f"/api/v1/namespaces/{here}/pods", {"metadata": {"name": name}, "spec": spec})
    # A program of half a second may be over before anybody looks.
    clients.until(f"/api/v1/namespaces/{here}/pods/{name}", until or (lambda pod: pod["status"]["phase"] in _STARTED))
    return name


def test_a_log_is_followed_until_the_program_ends(clients: Client, talk: Kubectl, here: str) -> None:
    start(clients, here, "trainer:1")
    assert talk("logs", "-n", here, "-f", "trainer").splitlines() == ["loading", "epoch 1", "epoch 2"]
    assert talk("logs", "-n", here, "trainer", "--tail=1") == "epoch 2\n"
    assert talk("logs", "-n", here, "trainer", "--limit-bytes=4") == "load"
    stamped = talk("logs", "-n", here, "trainer", "--timestamps").split(" ", 1)[0]
    assert talk("logs", "-n", here, "trainer", f"--since-time={stamped}").splitlines()[0] == "loading"
    assert talk("logs", "-n", here, "trainer", "--since=1s") == ""


def test_the_log_before_the_restart(clients: Client, talk: Kubectl, here: str) -> None:
    start(
        clients,
        here,
        "crashes:1",
        until=lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount"),
    )
    assert talk("logs", "-n", here, "crashes", "--previous") == "no config\n"


def test_logs_that_are_not_there(clients: Client, talk: Kubectl, here: str) -> None:
    start(clients, here, "missing:1", until=lambda pod: "ErrImagePull" in str(pod["status"]))
    start(clients, here, "server:1", "slow:1")
    for arguments, message in (
        (("missing",), 'container "c0" in pod "missing" is waiting to start: '),
        (("server", "-c", "x"), "container x is not valid for pod server"),
        (("server", "-c", "c0", "--previous"), 'previous terminated container "c0" in pod "server" not found'),
        (("none",), 'pods "none" not found'),
    ):
        said = talk.run("logs", "-n", here, *arguments, check=False)
        assert (said.returncode, message in said.stderr) == (1, True), said.stderr
    path = f"/api/v1/namespaces/{here}/pods/server/log"
    assert (
        clients.ask("GET", path).body["message"]
        == "a container name must be specified for pod server, choose one of: [c0 c1]"
    )
    wrong = clients.ask("GET", f"{path}?container=c0&sinceSeconds=0&tailLines=-1")
    assert (wrong.status, wrong.body["details"]["kind"]) == (422, "PodLogOptions")


def test_kubectl_exec(clients: Client, talk: Kubectl, here: str) -> None:
    start(clients, here, "server:1")
    assert talk("exec", "-n", here, "server", "--", "nvidia-smi", "-L") == "GPU 0: NVIDIA A10G\n"
    told = talk.run("exec", "-n", here, "server", "--", "sh", "-c", "exit 3", check=False)
    assert (told.returncode, told.stdout) == (3, "out\n")
    assert told.stderr == "err\ncommand terminated with exit code 3\n"
    missing = talk.run("exec", "-n", here, "server", "--", "ls", "/", check=False)
    assert missing.returncode == 127
    assert 'exec: "ls": executable file not found in $PATH' in missing.stderr
    nowhere = talk.run("exec", "-n", here, "none", "--", "true", check=False)
    assert nowhere.stderr == 'Error from server (NotFound): pods "none" not found\n'


def test_the_python_client_execs_and_reads_logs(clients: Client, kubeconfig: Path, here: str) -> None:
    start(clients, here, "server:1")
    connection = config.new_client_from_config(str(kubeconfig))
    core = typed.CoreV1Api(connection)
    options = {"stdout": True, "stderr": True, "stdin": False, "tty": False}
    said = stream(
        core.connect_get_namespaced_pod_exec,
        "server",
        here,
        command=["sh", "-c", "x"],
        _preload_content=False,
        **options,
    )
    said.run_forever(timeout=60)
    assert (said.read_stdout(), said.read_stderr(), said.returncode) == ("out\n", "err\n", 3)
    said.sock.shutdown()
    assert core.read_namespaced_pod_log("server", here) == "listening\n"
    connection.close()


def test_attach_shows_what_comes(clients: Client, kubeconfig: Path, here: str) -> None:
    start(clients, here, "slow:1")
    connection = config.new_client_from_config(str(kubeconfig))
    core = typed.CoreV1Api(connection)
    said = stream(
        core.connect_get_namespaced_pod_attach,
        "slow",
        here,
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        _preload_content=False,
    )
    said.update(timeout=60)
    assert said.read_stdout().startswith("line ")
    said.sock.shutdown()
    connection.close()


def test_a_stream_needs_an_upgrade(clients: Client, here: str) -> None:
    start(clients, here, "server:1")
    refused = clients.ask("POST", f"/api/v1/namespaces/{here}/pods/server/exec?command=ls&stdout=true")
    assert (refused.status, refused.body["message"]) == (400, "Upgrade request required")
    forward = clients.ask("POST", f"/api/v1/namespaces/{here}/pods/server/portforward")
    assert forward.status in {400, 501}  # the real API knows it, and looks for the upgrade first
