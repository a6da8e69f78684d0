"""Orchestrations that are traced, as processes: what `--trace` and the environment do to a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from projects.core.record.steps import read_steps
from tests.core.library.test_entrypoint import Done, Orchestration
from tests.core.tracing.collectors import running_collector
from tests.core.tracing.test_tracing import OUTSIDE, PARENT, lines

BODY = """
def branch(number):
    for each in range(5):
        with env.NextArtifactDir(f"work_{number}_{each}"):
            run.run("true")

@entrypoint()
def many():
    with run.Parallel("together", dedicated_dir=False) as parallel:
        for number in range(8):
            parallel.delayed(branch, number)

@entrypoint()
def tells():
    with env.NextArtifactDir("tells"):
        put("parent", run.run("echo ${TRACEPARENT:-}", capture_stdout=True, log_command=False).stdout.strip())
    with env.NextArtifactDir("nested"):
        run.run(f"{sys.executable} {__file__} nested")

@entrypoint()
def nested():
    with env.NextArtifactDir("in_the_child"):
        pass

@entrypoint()
def fails():
    with env.NextArtifactDir("bad"):
        raise ValueError("on purpose")

if __name__ == "__main__":
    sys.exit(main(many, tells, nested, fails))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Orchestration:
    return Orchestration(tmp_path_factory.mktemp("traced"), BODY)


def spans_of(path: Path) -> dict[str, Any]:
    found = lines(path)
    assert len({span["spanId"] for span in found}) == len(found)
    return {span["spanId"]: span for span in found}


def assert_all_steps(done: Done, spans: dict[str, Any]) -> None:
    """The spans are the steps of the record: each once, at its place."""
    steps = read_steps(done.root)
    assert {step.id: step.name for step in steps} == {key: span["name"] for key, span in spans.items()}
    for step in steps:
        assert step.parent is None or spans[step.id]["parentSpanId"] == step.parent
    assert len({span["traceId"] for span in spans.values()}) == 1


def test_all_steps_of_all_threads(probe: Orchestration, tmp_path: Path) -> None:
    done = probe.run("many", "--trace", str(tmp_path / "t"))
    assert done.code == 0, done.err
    spans = spans_of(tmp_path / "t")
    assert_all_steps(done, spans)
    assert sum(span["name"].startswith("work_") for span in spans.values()) == 40


def test_in_and_out(probe: Orchestration, tmp_path: Path) -> None:
    done = probe.run("tells", "--trace", str(tmp_path / "t"), TRACEPARENT=f"00-{OUTSIDE}-{PARENT}-01")
    assert done.code == 0, done.err
    spans = spans_of(tmp_path / "t")
    assert_all_steps(done, spans)
    (tells,) = [key for key, span in spans.items() if span["name"] == "tells" and span["parentSpanId"] != PARENT]
    assert done.wrote("parent") == f"00-{OUTSIDE}-{tells}-01"
    (child,) = [span for span in spans.values() if span["name"] == "in_the_child"]
    assert spans[child["parentSpanId"]]["name"] == "nested"


def test_a_collector_from_the_environment_and_a_failure(probe: Orchestration) -> None:
    with running_collector() as collector:
        done = probe.run("fails", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert done.code == 1
        spans = {span.name: span for span in collector.spans()}
    assert spans.keys() == {"fails", "bad"}
    assert spans["bad"].status.message == "ValueError: on purpose"
    assert collector.resource()["foresail.run.directory"] == str(done.root)


def test_nobody_listens(probe: Orchestration) -> None:
    done = probe.run("fails", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.code == 1
    assert len(re.findall("the trace is not whole", done.out + done.err)) == 1
    assert "opentelemetry" not in done.out + done.err, "the SDK says nothing itself"


def test_off_is_off(probe: Orchestration) -> None:
    done = probe.run("tells")
    assert done.code == 0, done.err
    assert done.wrote("parent") == ""
