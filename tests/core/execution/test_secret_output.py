"""What a command's log and events keep of secrets: those that it was told of, and those of the cluster that it shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.command import run_command
from projects.core.execution.request import Request
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import CommandFailed
from projects.core.values.redaction import MASK
from tests.core.execution.requests import events_of, log_of, make_request

CLEAR = "in-the-cluster-4711"
ENCODED = base64.b64encode(CLEAR.encode()).decode()
SHOWING = f"""
- name: Show a Secret as it is
  debug:
    msg: {{apiVersion: v1, kind: Secret, metadata: {{name: s}}, data: {{token: {ENCODED}}}}}
- name: A program that prints it
  foresail.core.shell:
    script: |
      printf 'apiVersion: v1\\nkind: List\\nitems:\\n- apiVersion: v1\\n  kind: Secret\\n  data:\\n    other: %s\\n' "$(printf other-value-4711 | base64)"
    file: artifacts/secret.yaml
- name: Later, in clear
  debug:
    msg: "{CLEAR} and {{{{ '{CLEAR}' | b64encode }}}} and other-value-4711"
- name: A difference
  copy: {{content: "kind: Secret\\nstringData: {{setting: third-value-4711}}\\n", dest: "{{{{ artifact_extra_logs_dir }}}}/made.yaml", mode: "0600"}}
  diff: true
"""
HARD = "it's \"5\" \\ n'ght\nsecond/half-of it"
REFUSING = """
- name: "Refuse {{ probe_text }}"
  fail: {msg: "because of {{ probe_text | quote }}, {{ probe_text | to_json }} and {{ probe_text }}"}
"""


@pytest.fixture(scope="module")
def host() -> Iterator[WarmHost]:
    host = WarmHost()
    host.start()
    yield host
    host.stop()


def run(host: WarmHost, request: Request, way: str = "warm") -> None:
    request = replace(request, environment={**request.environment, "FORESAIL_EXECUTION": way})
    run_command(request, name="probe go", command_line="x", host=host, token=CancelToken(), on_output=None)


def test_values_of_secrets_of_the_cluster_are_in_no_log(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, SHOWING, {})
    run(host, request)
    log = log_of(request)
    assert MASK in log
    assert log.count("TASK") == 4
    kept = (request.directory / "artifacts" / "secret.yaml").read_text()
    for text in (log, kept, json.dumps(events_of(request))):
        for value in (CLEAR, ENCODED, "other-value-4711", base64.b64encode(b"other-value-4711").decode()):
            assert value not in text


@pytest.mark.parametrize("way", ["warm", "cold"])
def test_a_failure_that_quotes_a_secret_in_two_encodings(host: WarmHost, tmp_path: Path, way: str) -> None:
    request = replace(make_request(tmp_path, REFUSING, {"text": HARD}), secrets=(HARD,))
    with pytest.raises(CommandFailed) as caught:
        run(host, request, way)
    (event,) = events_of(request)
    for text in (log_of(request), json.dumps(event), caught.value.message):
        assert "ght" not in text
        assert "half-of" not in text
    assert event["msg"].startswith("because of")
    assert event["task"].endswith(MASK), "a name is redacted before it is cut at its slashes"


def test_the_events_stay_whole_when_an_escape_and_a_letter_spell_a_secret(host: WarmHost, tmp_path: Path) -> None:
    refusing = REFUSING.replace("{{ probe_text | quote }}", "x\\nabcdefgh")
    request = replace(make_request(tmp_path, refusing, {"text": "harmless"}), secrets=("nabcdefgh",))
    with pytest.raises(CommandFailed, match="abcdefgh"):
        run(host, request)
    (event,) = events_of(request)
    assert "x\nabcdefgh" in event["msg"]
