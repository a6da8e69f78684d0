from __future__ import annotations

import pytest

from projects.core.cli import toolbox
from projects.core.record.verdict import MEANINGS
from projects.core.values.outcomes import ADVICE, ExitCode


@pytest.mark.parametrize("code", list(ExitCode))
def test_each_exit_code_is_explained(code: ExitCode, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolbox.main(["run_toolbox.py", "explain-exit", str(int(code))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    advice = ADVICE[code]
    for text in (MEANINGS[code], advice.who, advice.look, advice.go_on):
        assert " ".join(text.split()) in said


def test_a_number_that_is_none_is_told_with_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert toolbox.main(["run_toolbox.py", "explain_exit", "42"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(meaning in said.err for meaning in MEANINGS.values())


@pytest.mark.parametrize(("code", "said"), [("137", "SIGKILL"), ("127", "no such program")])
def test_what_shells_say_is_known_too(code: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolbox.main(["run_toolbox.py", "explain-exit", code]) == 2
    assert said in capsys.readouterr().err
