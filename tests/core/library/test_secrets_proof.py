"""The proof of § secrets: orchestrations that send random secrets through every channel leave none of them on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.running import running_cluster
from tests.core.library.orchestrations import Orchestration
from tests.core.secrecy import Leaks, Made, forms, random_secret, seeded
from tests.soaking import say, trials

EACH, RUNS = 100, trials(1, 25)
"""Secrets in a run, and runs."""
CHANNELS = (
    "arguments, log, print, child's output, debug, module output, shell, failed task, applied, rendered, read and captured"
    " objects, exceptions, environment; JUnit and HTML"
)

BODY = '''
import base64
import json
import logging
import shlex

from projects.core.values.secret import Secret

HERE = Path(__file__).parent
log = logging.getLogger("probe")


def values():
    return [config.project.get_config(f"creds.{name}", handled_secretly=True) for name in config.project.get_config("names")]


def attempt(channel, body, *arguments, **options):
    try:
        body(*arguments, **options)
    except Exception as error:
        log.warning("%s: %s: %s", channel, type(error).__name__, error)


@entrypoint()
def channels():
    """Send each secret through each channel."""
    given = values()
    os.environ.update({f"PROBE_{number}": value for number, value in enumerate(given)})
    os.environ.update(zip(("BUILD_ID", "JOB_NAME", "JOB_TYPE", "NAMESPACE", "REPO_NAME", "REPO_OWNER", "PULL_NUMBER"), given))
    attempt("child", child)
    with env.NextArtifactDir("arguments"):
        for number, value in enumerate(given):
            log.warning("logged %s and %r and %s", value, value, base64.b64encode(value.encode()))
            print(json.dumps({"value": value, "inside": json.dumps([value])}))
            if number % 10 == 0:
                attempt("argument", run.run, "true " + shlex.quote(value))
                attempt("failing argument", run.run, "false " + shlex.quote(value))
    attempt("roles", run.run_toolbox, "probe", "say", texts=given, place=str(HERE))
    attempt("Secret", run.run_toolbox, "probe", "note", text=config.project.get_secret(f"creds.{config.project.get_config('names')[0]}"))
    attempt("failing role", run.run_toolbox, "probe", "refuse", texts=given)
    attempt("template", run.run_toolbox_from_config, "probe", "note")
    attempt("template and more", lambda: run.run_toolbox_from_config("probe", "note", extra={"text": f"prefix {given[-1]} suffix"}))
    attempt("cluster", run.run_toolbox, "probe", "objects", texts={f"key-{number}": value for number, value in enumerate(given)})
    error = None
    with env.NextArtifactDir("exceptions"):
        for number, value in enumerate(given):
            error = run.run_and_catch(error, fail, value)
    with env.NextArtifactDir("last"):
        fail("\\n".join(given) + json.dumps(given) + repr(given) + base64.b64encode(b"x" + given[0].encode()).decode())


def child():
    with env.NextArtifactDir("child"):
        run.run(f"{shlex.quote(sys.executable)} {HERE}/emit.py; exit 3")


def fail(text):
    with env.NextArtifactDir("failing"):
        raise RuntimeError(f"an error that quotes {text} in its message, and {text!r}")


if __name__ == "__main__":
    sys.exit(main(channels))
'''
EMIT = """
import json, pathlib, random, sys
dice = random.Random(1)
out = sys.stdout.buffer
for text in json.loads((pathlib.Path(__file__).parent.parent.parent.parent / "emitted.json").read_text()):
    data = f"begin {text} end\\n".encode()
    while data:
        size = dice.choice((1, 3, 7, 61, 4096))
        out.write(data[:size])
        out.flush()
        data = data[size:]
"""
METHODS = '''
@command
def say(self, texts: list[str], place: str) -> None:
    """Say texts in every way.

    Args:
      texts: The texts.
      place: Where the programs are.
    """

@command
def note(self, text: str) -> None:
    """Say a text.

    Args:
      text: The text.
    """

@command
def refuse(self, texts: list[str]) -> None:
    """Fail with texts.

    Args:
      texts: The texts.
    """

@command
def objects(self, texts: dict[str, str]) -> None:
    """Make objects of texts and capture them.

    Args:
      texts: The texts by their keys.
    """
'''
SAY = """
- name: Say {{ item }}
  ansible.builtin.debug:
    msg: "it is {{ item }}, {{ item | b64encode }}, {{ item | urlencode }}, {{ item | quote }}, {{ item | to_json }}"
  loop: "{{ probe_say_texts }}"
- name: What a module returns
  ansible.builtin.command:
    argv: ["{{ ansible_playbook_python }}", "{{ probe_say_place }}/emit.py"]
  register: said
  changed_when: false
- name: Show the result
  ansible.builtin.debug: {var: said}
- name: Show it in JSON and YAML
  ansible.builtin.debug: {msg: "{{ said | to_json }} {{ said | to_nice_yaml(width=100000) }} {{ probe_say_texts | to_nice_yaml }}"}
- name: A script of ours
  foresail.core.shell: {script: "cat; env | sort", stdin: "{{ probe_say_texts | join('\\n') }}", file: artifacts/said.txt}
- name: A script that fails
  foresail.core.shell: {script: "cat >&2; exit 3", stdin: "{{ probe_say_texts | join('\\n') }}"}
  ignore_errors: true
"""
NOTE = """
- name: Say {{ probe_note_text }}
  ansible.builtin.debug: {msg: "it is {{ probe_note_text }}"}
"""
REFUSE = """
- name: Refuse
  ansible.builtin.fail: {msg: "failed with {{ probe_refuse_texts | join(' and ') }} {{ probe_refuse_texts }} {{ probe_refuse_texts | to_json }}"}
"""
OBJECTS = """
- name: A Secret
  foresail.core.apply:
    manifest: {apiVersion: v1, kind: Secret, metadata: {name: probe, namespace: default}, stringData: "{{ probe_objects_texts }}"}
    file: src/secret.yaml
- name: A ConfigMap
  foresail.core.apply:
    manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: probe, namespace: default}, data: "{{ probe_objects_texts }}"}
    file: src/config-map.yaml
- name: From a template
  foresail.core.render: {template: objects.yaml}
- name: Read the Secret
  foresail.core.get: {kind: Secret, name: probe, namespace: default}
  register: found
- name: Show it
  ansible.builtin.debug: {msg: "{{ found.object }} and {{ found.objects | to_json }} and {{ found.object.data.values() | first | b64decode }}"}
- name: Show it as it is
  ansible.builtin.debug: {msg: "{{ found.object }}"}
- name: Capture
  foresail.core.capture:
    reads:
      - {kind: Secret, namespace: default, files: [secrets.yaml, secrets.json, secrets.desc, secrets.status]}
      - {kind: ConfigMap, namespace: default, files: [maps.yaml, maps.json, maps.desc, maps.status]}
"""
TEMPLATE = """
- apiVersion: v1
  kind: Secret
  metadata: {name: rendered, namespace: default}
  stringData: "{{ probe_objects_texts }}"
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: rendered, namespace: default, annotations: {all: "{{ probe_objects_texts | to_json }}"}}
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestration]:
    made = Orchestration.make(
        tmp_path_factory.mktemp("secrets"),
        BODY,
        methods=METHODS,
        roles={"say": SAY, "note": NOTE, "refuse": REFUSE, "objects": OBJECTS},
    )
    templates = made.directory / "projects/probe/toolbox/probe/roles/probe_objects/templates"
    templates.mkdir()
    (templates / "objects.yaml").write_text("---\n".join(f"{part[2:]}" for part in _documents()))
    (made.directory / "projects/probe/testing/emit.py").write_text(EMIT)
    with running_cluster(ClusterOptions(nodes=1)) as running:
        made.kubeconfig = running.kubeconfig
        yield made


def _documents() -> list[str]:
    return [
        yaml.safe_dump(each, sort_keys=False).replace("apiVersion", "- apiVersion", 1)
        for each in yaml.safe_load(TEMPLATE)
    ]


def declared(probe: Orchestration, secrets: dict[str, Made]) -> Path:
    """Write the secrets and the configuration that declares them; return their directory."""
    place = probe.directory / "vault"
    place.mkdir(mode=0o700, exist_ok=True)
    for name, made in secrets.items():
        (place / f"probe.{name}").write_text(made.text + "\n", encoding="utf-8")
    configuration = {
        "secrets": {
            "dir": {"name": "probe", "env_key": "PROBE_SECRET_PATH"},
            **{f"{name}_file": f"probe.{name}" for name in secrets},
        },
        "names": list(secrets),
        "creds": {name: f"*$@secrets.{name}_file" for name in secrets},
    }
    testing = probe.directory / "projects/probe/testing"
    (testing / "config.yaml").write_text(yaml.safe_dump(configuration))
    first = next(iter(secrets))
    (testing / "command_args.yaml.j2").write_text(f"probe note:\n  text: {{{{ creds.{first} }}}}\n")
    return place


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_no_channel_leaves_a_secret_on_the_disk_or_the_console(probe: Orchestration) -> None:
    searched = size = 0
    for batch in range(RUNS):
        with seeded(batch) as dice:
            secrets = {f"s{number}": random_secret(dice) for number in range(EACH)}
            place = declared(probe, secrets)
            # Those of two encodings are for the redactor's own proof: here they are put into a third.
            once = [[form for form in forms(made) if "json in json" not in form.name] for made in secrets.values()]
            emitted = [dice.choice(each).written.decode() for each in once]
            (probe.directory / "emitted.json").write_text(json.dumps(emitted))
            root = probe.fresh()
            ended = probe.run(root, "channels", PROBE_SECRET_PATH=str(place))
            said = ended.out + ended.err
            assert ended.code == 1, said[-4000:]
            assert sum(step.kind == "command" for step in ended.steps) == 6, said[-4000:]
            assert sum(step.name == "failing" for step in ended.steps) == EACH + 1, said[-4000:]
            assert (root / "junit_foresail.xml").exists(), said[-4000:]
            assert (root / "report.html").exists(), said[-4000:]
            leaks = Leaks(secrets)
            assert leaks.below(root) == []
            assert leaks.within(said.encode(), "the console") == []
            assert not root.with_name(f"{root.name}.quarantine").exists(), "the scan had to help"
            searched += len(leaks)
            size += sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    say(
        f"{RUNS * EACH} random secrets, each through {CHANNELS.count(',') + 3} channels of a run: none of {searched} forms in"
        f" {size / 1e6:.0f} MB of artifacts"
    )
