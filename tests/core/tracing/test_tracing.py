from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from projects.core import tracing
from projects.core.record.steps import Cause, Record, Step, new_id, parse_time
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import Status
from projects.core.values.redaction import Redactor
from tests.core.tracing.collectors import Collector, running_collector, values

OUTSIDE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
END = re.compile(r"OTEL_|TRACE")


@pytest.fixture(autouse=True)
def no_trace_around(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if END.match(name)]:
        monkeypatch.delenv(name)
    yield
    assert tracing.traceparent(new_id()) == {}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with running_collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        yield server


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    root = tmp_path / "run"
    root.mkdir()
    record = Record(root)
    yield record
    record.close()


def begun(record: Record, name: str, parent: Step | None = None, kind: Any = "directory", **more: Any) -> Step:
    step = Step(new_id(), parent.id if parent else None, kind, name, f"000__{name}", **more)
    record.start(step)
    return step


def passed(record: Record, name: str, parent: Step | None = None, **more: Any) -> Step:
    step = begun(record, name, parent, **more)
    record.end(step, Status.PASSED)
    return step


def a_run(record: Record) -> dict[str, Step]:
    """An entrypoint with a command that fails, one that was left open, and one that a resume did not do again."""
    main = begun(record, "test_ci", kind="entrypoint", project="skeleton", line="test.py test_ci")
    fine = passed(record, "fine", main, kind="command", arguments={"namespace": "redis", "count": 3})
    bad = begun(record, "bad", main, kind="command", attempt=2)
    cause = Cause("CommandFailed", "it did not work", bad.id, 3, "look there")
    record.end(bad, Status.FAILED, cause)
    reused = begun(record, "reused", main, reuses=fine.id)
    record.end(reused, Status.SKIPPED)
    record.end(main, Status.FAILED, cause)
    return {"main": main, "fine": fine, "bad": bad, "reused": reused}


def lines(path: Path) -> list[dict[str, Any]]:
    """The spans of a trace file, each as JSON."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        (part,) = json.loads(text)["resourceSpans"]
        (scope,) = part["scopeSpans"]
        found += [{**span, "resource": plain(part["resource"]["attributes"])} for span in scope["spans"]]
    return found


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}


def traced(record: Record, file: Path | None, work: Callable[[Record], Any]) -> Any:
    end = tracing.start(record, file=file)
    try:
        return work(record)
    finally:
        end()


def nanoseconds(moment: str) -> int:
    return round(parse_time(moment).timestamp() * 1e6) * 1000


# --- what a span says -------------------------------------------------------------------------------------------------------


def test_a_collector_gets_one_span_a_step(record: Record, collector: Collector, monkeypatch: Any) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=perf")
    monkeypatch.setenv("JOB_NAME", "periodic-perf")
    steps = traced(record, None, a_run)
    spans = {span.name: span for span in collector.spans()}
    assert len(collector.spans()) == 4
    main, fine, bad, reused = (spans[name] for name in ("test_ci", "fine", "bad", "reused"))
    assert {span.trace_id for span in spans.values()} == {main.trace_id}
    for name, step in steps.items():
        span = spans[step.name]
        assert span.span_id.hex() == step.id, name
        assert span.parent_span_id.hex() == (step.parent or "")
        assert (span.start_time_unix_nano, span.end_time_unix_nano) == (nanoseconds(step.start), nanoseconds(step.end))
    assert (fine.status.code, bad.status.code, reused.status.code) == (1, 2, 0)
    assert bad.status.message == "CommandFailed: it did not work"
    said = values(bad.attributes)
    assert said["foresail.kind"] == "command"
    assert said["foresail.directory"] == "000__bad"
    assert (said["foresail.attempt"], said["foresail.exit_code"], said["error.type"]) == (2, 3, "CommandFailed")
    (event,) = bad.events
    assert (event.name, event.time_unix_nano) == ("exception", bad.end_time_unix_nano)
    assert values(event.attributes)["exception.message"] == "it did not work"
    assert json.loads(values(fine.attributes)["foresail.arguments"]) == {"namespace": "redis", "count": 3}
    assert values(main.attributes)["foresail.project"] == "skeleton"
    assert reused.links[0].span_id.hex() == steps["fine"].id
    resource = collector.resource()
    assert resource["service.name"] == "foresail"
    assert resource["foresail.run.directory"] == str(record.root)
    assert resource["cicd.pipeline.name"] == "periodic-perf"
    assert resource["host.name"]
    assert collector.headers[0]["x-tenant"] == "perf"


def test_a_file_holds_otlp_json_lines(record: Record, tmp_path: Path) -> None:
    steps = traced(record, tmp_path / "new" / "trace.jsonl", a_run)
    spans = {span["name"]: span for span in lines(tmp_path / "new" / "trace.jsonl")}
    assert spans.keys() == {"test_ci", "fine", "bad", "reused"}
    for span in spans.values():
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert isinstance(span["kind"], int)
        assert re.fullmatch("[0-9]{19}", span["startTimeUnixNano"])
        assert re.fullmatch("[0-9]{19}", span["endTimeUnixNano"])
        assert isinstance(span["status"].get("code", 0), int)
        assert span["resource"]["service.name"] == "foresail"
    assert spans["fine"]["parentSpanId"] == steps["main"].id
    assert "parentSpanId" not in spans["test_ci"]
    assert spans["bad"]["status"] == {"message": "CommandFailed: it did not work", "code": 2}
    assert spans["bad"]["events"][0]["timeUnixNano"] == spans["bad"]["endTimeUnixNano"]
    assert spans["reused"]["links"][0]["spanId"] == steps["fine"].id
    assert plain(spans["bad"]["attributes"])["foresail.attempt"] == "2", "64-bit integers are text in OTLP's JSON"


def test_the_variables_of_the_resource_have_the_last_word(record: Record, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=elsewhere,team=perf")
    traced(record, tmp_path / "t", lambda record: passed(record, "x"))
    resource = lines(tmp_path / "t")[0]["resource"]
    assert (resource["service.name"], resource["host.name"], resource["team"]) == ("mine", "elsewhere", "perf")


def test_nothing_secret_is_in_a_trace(record: Record, tmp_path: Path, collector: Collector, redactor: Redactor) -> None:
    secret = 'tr4ce-s3cret\nof "two" lines'

    def work(record: Record) -> None:
        step = begun(record, "early", arguments={"token": secret})
        redactor.register(secret)  # too late for the record's first line, not for the trace
        record.end(step, Status.FAILED, Cause("Boom", f"with {secret} in it", step.id, 1, f"try {secret}"))

    traced(record, tmp_path / "trace", work)
    for text in ((tmp_path / "trace").read_text(), "".join(map(str, collector.requests))):
        assert "early" in text
        assert "tr4ce-s3cret" not in text
        assert 'of \\"two' not in text
        assert "********" in text


# --- which trace ------------------------------------------------------------------------------------------------------------


def test_traceparent_in_and_out(record: Record, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{OUTSIDE}-{PARENT}-01")

    def work(record: Record) -> dict[str, str]:
        step = passed(record, "x")
        assert tracing.traceparent(step.id) == {"TRACEPARENT": f"00-{OUTSIDE}-{step.id}-01"}
        return tracing.traceparent(step.id)

    assert traced(record, tmp_path / "t", work)
    (span,) = lines(tmp_path / "t")
    assert (span["traceId"], span["parentSpanId"]) == (OUTSIDE, PARENT)


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"00-{OUTSIDE}-{'0' * 16}-01"])
def test_what_is_no_traceparent_begins_a_trace_of_its_own(
    record: Record, tmp_path: Path, monkeypatch: Any, header: str
) -> None:
    monkeypatch.setenv("TRACEPARENT", header)
    traced(record, tmp_path / "t", lambda record: passed(record, "x"))
    (span,) = lines(tmp_path / "t")
    assert span["traceId"] not in (OUTSIDE, "0" * 32)
    assert "parentSpanId" not in span


def test_the_processes_of_one_record_make_one_trace(record: Record, tmp_path: Path) -> None:
    for name in ("prepare_ci", "test_ci"):
        traced(Record(record.root), tmp_path / "t", functools.partial(passed, name=name))
    first, second = lines(tmp_path / "t")
    assert (first["name"], second["name"]) == ("prepare_ci", "test_ci")
    assert first["traceId"] == second["traceId"]


def test_a_trace_that_is_not_sampled_is_not_sent_but_written_where_one_asked_for_it(
    record: Record, tmp_path: Path, collector: Collector, monkeypatch: Any
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")

    def work(record: Record) -> None:
        main = begun(record, "main")
        inner = passed(record, "inner", main)
        assert tracing.traceparent(inner.id)["TRACEPARENT"].endswith("-00")
        record.end(main, Status.PASSED)

    traced(record, tmp_path / "t", work)
    assert collector.spans() == []
    assert len(lines(tmp_path / "t")) == 2


# --- who writes it ----------------------------------------------------------------------------------------------------------


def test_no_step_of_any_thread_is_lost(record: Record, tmp_path: Path, collector: Collector, monkeypatch: Any) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")  # the SDK drops what its queue cannot hold
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32")

    def branch(parent: Step, number: int) -> None:
        for each in range(50):
            passed(record, f"{number}.{each}", parent)

    def work(record: Record) -> None:
        main = begun(record, "main")
        threads = [threading.Thread(target=branch, args=(main, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        record.end(main, Status.PASSED)

    traced(record, tmp_path / "t", work)
    expected = sorted([f"{number}.{each}" for number in range(8) for each in range(50)] + ["main"])
    assert sorted(span["name"] for span in lines(tmp_path / "t")) == expected
    assert sorted(span.name for span in collector.spans()) == expected
    assert len({span.span_id for span in collector.spans()}) == len(expected)


CHILD = """
import sys
from pathlib import Path
from projects.core import tracing
from projects.core.record.steps import Record, Step, new_id
from projects.core.values.outcomes import Status
record = Record(Path(sys.argv[1]))
end = tracing.start(record, file=Path(sys.argv[2]))
step = Step(new_id(), sys.argv[3], "directory", "in the child", "000__child")
record.start(step)
left = Step(new_id(), step.id, "directory", "left open", "000__child")
record.start(left)
print(tracing.traceparent(step.id)["TRACEPARENT"], step.id)
record.end(step, Status.PASSED)
end()
"""


def test_the_process_that_began_the_run_tells_of_its_children(record: Record, tmp_path: Path) -> None:
    def work(record: Record) -> list[str]:
        main = begun(record, "main")
        environment = {**os.environ, **tracing.traceparent(main.id), "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-c", CHILD, str(record.root), str(tmp_path / "t"), main.id]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env=environment)
        record.end(main, Status.PASSED)
        return done.stdout.split()

    header, child = traced(record, tmp_path / "t", work)
    spans = {span["name"]: span for span in lines(tmp_path / "t")}
    assert len(lines(tmp_path / "t")) == 3, "each once"
    assert spans["in the child"]["parentSpanId"] == spans["main"]["spanId"]
    assert header == f"00-{spans['main']['traceId']}-{child}-01"
    left = spans["left open"]
    assert left["status"] == {"message": "no end was recorded", "code": 2}
    assert plain(left["attributes"])["foresail.unfinished"] is True


def test_another_run_in_the_same_record_is_not_told_of(record: Record, tmp_path: Path) -> None:
    before = begun(record, "killed before")
    traced(record, tmp_path / "t", lambda record: passed(record, "mine"))
    assert [span["name"] for span in lines(tmp_path / "t")] == ["mine"]
    assert before.end is None


KILLED = """
import os, signal, sys
from pathlib import Path
from projects.core import tracing
from projects.core.record.steps import Record, Step, new_id
from projects.core.values.outcomes import Status
record = Record(Path(sys.argv[1]))
tracing.start(record, file=Path(sys.argv[2]))
main = Step(new_id(), None, "entrypoint", "main", ".")
record.start(main)
for number in range(5):
    step = Step(new_id(), main.id, "directory", f"step {number}", f"00{number}__step")
    record.start(step)
    record.end(step, Status.PASSED)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_file_of_a_killed_run_holds_what_it_did(record: Record, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", KILLED, str(record.root), str(tmp_path / "t")]
    done = subprocess.run(argv, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == -9
    assert [span["name"] for span in lines(tmp_path / "t")] == [f"step {number}" for number in range(5)]


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_next(record: Record, tmp_path: Path) -> None:
    (tmp_path / "t").write_text('{"resourceSpans":[{"reso')
    traced(record, tmp_path / "t", lambda record: passed(record, "x"))
    torn, whole, *rest = (tmp_path / "t").read_text().split("\n")
    assert torn == '{"resourceSpans":[{"reso'
    assert json.loads(whole)
    assert rest == [""]


def test_what_a_signal_cut_off_is_told_in_the_end(record: Record, tmp_path: Path, monkeypatch: Any) -> None:
    def work(record: Record) -> None:
        main = begun(record, "main")
        with monkeypatch.context() as patched:
            patched.setattr("projects.core.tracing.live.Follower.changes", interrupted)
            with pytest.raises(KeyboardInterrupt):
                passed(record, "cut off", main)
        record.end(main, Status.INTERRUPTED)

    def interrupted(_: object) -> Iterator[Step]:
        raise KeyboardInterrupt

    traced(record, tmp_path / "t", work)
    assert sorted(span["name"] for span in lines(tmp_path / "t")) == ["cut off", "main"]


# --- when something is wrong ------------------------------------------------------------------------------------------------


def test_a_collector_that_is_not_there_costs_a_warning_and_no_time(
    record: Record, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:pass@127.0.0.1:9")
    monkeypatch.setattr("projects.core.tracing.live._FLUSH_S", 600)  # were it waited for, the test would time out
    end = tracing.start(record, file=None)
    a_run(record)
    end()
    (message,) = [each.getMessage() for each in caplog.records]
    assert message.startswith("the trace is not whole: 4 spans were not delivered to the collector at 127.0.0.1:9: ")
    assert "refused" in message


def test_a_collector_that_hangs_costs_seconds(
    record: Record, collector: Collector, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("projects.core.tracing.live._FLUSH_S", 0.4)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    collector.go_on.clear()
    end = tracing.start(record, file=None)
    a_run(record)
    assert collector.asked.wait(60)
    end()
    assert not collector.requests, "it answered before it was given up"
    assert "it did not take them within 0.4 s" in caplog.text


def test_what_a_collector_missed_while_it_was_away_is_sent_in_the_end(
    record: Record, collector: Collector, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    collector.answers = [500]
    end = tracing.start(record, file=None)
    passed(record, "early")
    assert collector.asked.wait(60)
    passed(record, "late")
    end()
    assert sorted(span.name for span in collector.spans()) == ["early", "late"]
    assert caplog.text == ""


def test_a_collector_that_refuses_is_named_with_its_answer(
    record: Record, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers = [401] * 9
    traced(record, None, a_run)
    assert "HTTP 401 Unauthorized" in caplog.text


def test_a_file_that_cannot_be_written_is_said_and_the_collector_still_gets_its_spans(
    record: Record, collector: Collector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    traced(record, tmp_path / "file" / "trace", a_run)
    assert "the trace cannot be written to" in caplog.text
    assert len(collector.spans()) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    traced(record, Path("/dev/full"), a_run)
    assert "4 spans could not be written to /dev/full: [Errno 28]" in caplog.text


def test_another_protocol_is_refused_with_its_name(
    record: Record, collector: Collector, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    traced(record, None, a_run)
    assert "expected http/protobuf in $OTEL_EXPORTER_OTLP_PROTOCOL, found 'grpc'" in caplog.text
    assert collector.requests == []


def test_what_goes_wrong_does_not_touch_the_run(record: Record, tmp_path: Path, monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("projects.core.tracing.sinks.emit", broken)
    traced(record, tmp_path / "t", a_run)
    assert "the step 'fine' is not traced" in caplog.text
    monkeypatch.setattr("projects.core.tracing.live.resource", broken)
    traced(record, tmp_path / "t", a_run)
    assert "the run is not traced: broken on purpose" in caplog.text


def test_ending_twice_and_recording_after_the_end(record: Record, tmp_path: Path) -> None:
    end = tracing.start(record, file=tmp_path / "t")
    passed(record, "x")
    end()
    end()
    passed(record, "y")
    assert [span["name"] for span in lines(tmp_path / "t")] == ["x"]


# --- when it is off ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
)
def test_is_on(monkeypatch: Any, variables: dict[str, str], on: bool) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.is_on(None) is on
    assert tracing.is_on(Path("trace")) is (variables.get("OTEL_SDK_DISABLED") != "true")


def test_off_costs_nothing() -> None:
    script = "import sys, projects.core.tracing as t; t.is_on(None); t.traceparent('0' * 16); print([m for m in sys.modules if m.startswith(('opentelemetry', 'google', 'requests'))])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_a_checkout_that_is_not_installed_is_traced_too(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("projects.core.tracing.spans.metadata.version", missing)
    traced(record, tmp_path / "t", lambda record: passed(record, "x"))
    assert [span["name"] for span in lines(tmp_path / "t")] == ["x"]
