"""What is shown of a long output is cut; the cut must not fall into a secret and leave a half that nobody knows."""

from __future__ import annotations

import pytest

from projects.core.ansible_collections.foresail.core.plugins.callback.log import LONGEST, _lines
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.bash import _TAIL, Finished
from projects.core.execution.command import _TAIL_CHARACTERS, _Said
from projects.core.values.redaction import MASK, Redactor

SECRET = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def known(redactor: Redactor) -> None:
    redactor.register(SECRET)


@pytest.mark.parametrize("value", ["x" * (LONGEST - 10) + SECRET, ["x" * (LONGEST - 10) + SECRET]])
def test_in_the_log_of_a_task(value: object) -> None:
    text = "\n".join(_lines({"msg": value}))
    assert "correct" not in text
    assert MASK in text


def test_in_the_message_of_a_failed_script() -> None:
    tail = Finished(1, "", SECRET + "x" * (_TAIL - 10)).tail
    assert "staple" not in tail
    assert MASK in tail


def test_in_what_stands_in_for_a_log() -> None:
    said = _Said(None)
    for text in (SECRET, "x" * (_TAIL_CHARACTERS - 10) + "\n", "the end\n"):
        said.hear(text)
    assert said.tail == "the end\n"
