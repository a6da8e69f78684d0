"""The last twelve lines of a run: what, where, why, how the object stood, and how to go on."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from projects.core.console.summary import LINES, summary
from projects.core.record.again import resume_line
from projects.core.record.bundles import BUNDLE, BUNDLES, LINK
from projects.core.record.failures import FAILURES
from projects.core.record.finish import finish
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.record.verdict import verdict
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run, passed_run

SAYS = "phase Pending; PodScheduled=False (Unschedulable: 0/3 nodes are available: 3 node(s) were unschedulable.)"


def failed_deployment(root: Path, message: str = "it was not ready in time", *, hint: str | None = None) -> Run:
    """A run with all that a failure can leave: a bundle, a report, a hint, several causes."""
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    main.line = "/checkout/test.py test_ci --set 'a=b c'"
    run.rewrite()
    step = run.start("command", "server deploy", "000__server__deploy", 1, main)
    directory = root / step.directory
    (directory / "_python.cmd").touch()
    (directory / "_ansible.log").write_text("the log\n")
    bundle = root / BUNDLES / "0123456789ab"
    bundle.mkdir(parents=True)
    pod = {"object": "Pod ns/web-1", "says": SAYS, "telling": True}
    (bundle / BUNDLE).write_text(json.dumps({"objects": [{"object": "Service ns/web"}, pod]}))
    (directory / LINK).write_text(f"../{BUNDLES}/0123456789ab\n")
    cause = Cause("CommandFailed", message, step.id, 4, hint)
    run.end(step, 2, Status.TIMED_OUT, cause)
    later = run.start("directory", "later", "001__later", 3, main)
    run.end(later, 4, Status.FAILED, Cause("ValueError", "something else", later.id))
    run.start("directory", "cut", "002__cut", 5, main)
    run.end(main, 6, Status.TIMED_OUT, cause)
    (root / "report.html").touch()
    return run


def test_all_that_is_needed_stands_in_twelve_lines(tmp_path: Path) -> None:
    failed_deployment(tmp_path, hint="look at the quota")
    lines = summary(tmp_path).splitlines()
    assert len(lines) == LINES
    resume = f"/checkout/test.py test_ci --set 'a=b c' --resume {tmp_path}"
    assert lines == [
        "test_ci failed with exit code 4 (something took longer than it was given) after 6.0s",
        "  steps: 1 running, 1 failed, 2 timed out; without an end: 002__cut",
        "  first cause: CommandFailed in 000__server__deploy (of 2 causes, in their order in FAILURES)",
        "    it was not ready in time",
        "    hint: look at the quota",
        f"    last condition: Pod ns/web-1: {SAYS}",
        f"    bundle: {tmp_path}/_failures/0123456789ab/INDEX",
        f"    run it again: {tmp_path}/000__server__deploy/_python.cmd",
        f"  artifacts: {tmp_path}",
        f"  report: file://{tmp_path}/report.html",
        "  to go on from here:",
        f"    {resume}",
    ]


@pytest.mark.parametrize("count", [2, 12, 59, 61, 500])
def test_a_long_cause_stands_above_them(tmp_path: Path, count: int) -> None:
    message = "\n".join(f"mistake {number}" for number in range(1, count + 1))
    failed_deployment(tmp_path, message)
    lines = summary(tmp_path).splitlines()
    assert lines[-LINES].startswith("test_ci failed with exit code 4")
    assert lines[-1].endswith(f"--resume {tmp_path}")
    assert "    mistake 1" in lines[-LINES:]
    shown = [line.strip() for line in lines if line.strip().startswith("mistake")]
    assert set(shown) == {f"mistake {number}" for number in range(1, min(count, 60) + 1)}
    assert any(FAILURES in line and "more lines" in line for line in lines) == (count > 60)


def test_failures_has_the_whole_and_the_bundle(tmp_path: Path) -> None:
    failed_deployment(tmp_path)
    finish(tmp_path, properties={})
    text = (tmp_path / FAILURES).read_text()
    assert "   bundle: _failures/0123456789ab\n" in text
    assert f"   last condition: Pod ns/web-1: {SAYS}\n" in text


def judged(root: Path) -> str:
    steps = read_steps(root)
    return resume_line(root, steps, verdict(steps))


def test_there_is_a_way_to_go_on_only_when_there_is_something_to_go_on_with(tmp_path: Path) -> None:
    roots = [tmp_path / str(number) for number in range(5)]
    for root in roots:
        root.mkdir()
    line = "/checkout/test.py test_ci"
    passed_run(roots[0]).rewrite(line=line)
    assert judged(roots[0]) == ""
    wrong = Run(roots[1])
    main = wrong.start("entrypoint", "test_ci", ".", 0)
    wrong.end(main, 1, Status.FAILED, Cause("ConfigError", "no such preset", main.id, 2))
    wrong.rewrite(line=line)
    assert judged(roots[1]) == "", "nothing ran, so there is nothing to go on with"
    alone = Run(roots[2])
    alone.end(alone.start("command", "server deploy", "000__x", 0), 1, Status.FAILED)
    alone.rewrite(line=line)
    assert judged(roots[2]) == "", "a toolbox command on its own is run again"
    killed = Run(roots[3])
    main = killed.start("entrypoint", "test_ci", ".", 0)
    killed.start("directory", "d", "000__d", 1, main)
    killed.rewrite(line=line)
    assert judged(roots[3]) == f"{line} --resume {roots[3]}"
    assert judged(roots[4]) == ""


def test_a_run_that_was_killed_has_not_passed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.start("directory", "load", "000__load", 2, main)
    assert summary(tmp_path).splitlines()[0] == "test_ci was killed after 2.0s, before anything had failed"


def test_the_directory_is_one_word_for_the_shell(tmp_path: Path) -> None:
    root = tmp_path / "it's a $HOME; directory"
    root.mkdir()
    failed_deployment(root)
    line = summary(root).splitlines()[-1]
    words = subprocess.run(["bash", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    assert words.stdout.splitlines() == ["/checkout/test.py", "test_ci", "--set", "a=b c", "--resume", str(root)]
    assert shlex.split(line) == words.stdout.splitlines()


def test_without_a_bundle_the_log_is_named_and_without_a_command_the_line(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    step = run.start("directory", "d", "000__d", 1, main)
    run.end(step, 2, Status.FAILED, Cause("ValueError", "wrong", step.id))
    run.end(main, 3, Status.FAILED, step.cause)
    run.rewrite(line="/checkout/test.py test_ci")
    text = summary(tmp_path)
    assert "    run it again: /checkout/test.py test_ci\n" in text
    assert "bundle:" not in text
    (tmp_path / "000__d" / "_ansible.log").touch()
    assert f"    log: {tmp_path}/000__d/_ansible.log\n" in summary(tmp_path)


def test_the_last_of_several_entrypoints_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for number, name in enumerate(("prepare_ci", "test_ci")):
        main = run.start("entrypoint", name, ".", number * 10)
        main.line = f"/checkout/test.py {name}"
        step: Step = run.start("directory", "d", f"00{number}__d", number * 10 + 1, main)
        run.end(step, number * 10 + 2, Status.FAILED if number else Status.PASSED)
        run.end(main, number * 10 + 3, Status.FAILED if number else Status.PASSED)
    run.rewrite()
    assert judged(tmp_path) == f"/checkout/test.py test_ci --resume {tmp_path}"
