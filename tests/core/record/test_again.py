from pathlib import Path

import pytest

from projects.core.record.again import resume_line
from projects.core.record.steps import Step
from projects.core.values.outcomes import Status

ROOT = Path("/artifacts/a run")


def called(line: str, status: Status) -> Step:
    return Step("s", None, "entrypoint", "test_ci", ".", status=status, line=line)


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED, Status.TIMED_OUT, Status.RUNNING])
def test_the_line_of_what_did_not_pass(status: Status) -> None:
    steps = [called("./test.py prepare_ci", Status.PASSED), called("./test.py test_ci 'a b'", status)]
    assert resume_line(ROOT, steps) == "./test.py test_ci 'a b' --resume '/artifacts/a run'"


@pytest.mark.parametrize("line", ["./test.py test_ci --resume /there", "./test.py test_ci --resume=/there --from x"])
def test_a_line_that_resumes_is_enough(line: str) -> None:
    assert resume_line(ROOT, [called(line, Status.FAILED)]) == line


def test_nothing_to_go_on_with() -> None:
    assert resume_line(ROOT, []) is None
    assert resume_line(ROOT, [called("", Status.FAILED)]) is None
    mended = [called("./test.py test_ci", Status.FAILED), called("./test.py test_ci --resume /x", Status.PASSED)]
    assert resume_line(ROOT, mended) is None
