from __future__ import annotations

import base64
import json
import shlex
import time
import urllib.parse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.core.values.redaction import MASK, REDACTOR, Redactor
from projects.core.values.unknown import Unknown

HARD = 'pa\'ss: "w\\ö&rd" $x+/=?~~~ÿ'


def redactor(*values: str) -> Redactor:
    made = Redactor()
    for value in values:
        made.register(value)
    return made


def test_text_without_a_secret_is_returned_as_it_is() -> None:
    text = "nothing to hide"
    assert Redactor().redact(text) is text
    assert redactor("hunter2").redact(text) == text


def test_what_stands_for_a_secret_in_a_plan_is_none() -> None:
    planned = Unknown.of("the secret vault.token")
    assert redactor(planned).redact(f"login --token={planned}") == "login --token=<unknown: the secret vault.token>"


@pytest.mark.parametrize(
    "form",
    [
        HARD,
        base64.b64encode(HARD.encode()).decode(),
        base64.b64encode(f"{HARD}\n".encode()).decode(),
        base64.urlsafe_b64encode(HARD.encode()).decode(),
        urllib.parse.quote(HARD, safe=""),
        urllib.parse.quote_plus(HARD),
        json.dumps(HARD),
        json.dumps(HARD, ensure_ascii=False),
        shlex.quote(HARD),
        repr(HARD),
        yaml.safe_dump({"key": HARD}, width=4000, allow_unicode=True, default_style="'"),
        yaml.safe_dump({"key": HARD}, width=4000, allow_unicode=True, default_style='"'),
    ],
    ids=[
        "plain",
        "base64",
        "base64-newline",
        "base64-url",
        "url",
        "form",
        "json",
        "json-unicode",
        "shell",
        "repr",
        "yaml-single",
        "yaml-double",
    ],
)
def test_a_secret_is_masked_in_each_of_its_encodings(form: str) -> None:
    shown = redactor(HARD).redact(f"before {form} after")
    assert MASK in shown
    assert "w" not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@given(st.text(min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4), st.text(), st.text())
def test_no_registered_value_survives_in_text_around_it(secret: str, before: str, after: str) -> None:
    shown = redactor(secret).redact(before + secret + after)
    # What stands beside the mask may happen to spell the value again; the value itself has gone from its place.
    assert secret not in shown or secret in MASK or len(shown) < len(before + secret + after)
    assert MASK in shown


@given(st.text("abcdefgh'\"\\ö🐴\n:{}&<> ", min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4))
def test_no_encoding_of_a_value_survives(secret: str) -> None:
    known = redactor(secret)
    for form in (
        base64.b64encode(secret.encode()).decode().rstrip("="),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        shlex.quote(secret),
    ):
        assert form not in known.redact(f"<<{form}>>")


@given(st.lists(st.text("abc", min_size=4, max_size=8), min_size=1, max_size=5))
def test_secrets_that_overlap_are_all_masked(secrets: list[str]) -> None:
    shown = redactor(*secrets).redact(" ".join(secrets))
    assert not [secret for secret in secrets if secret in shown]


def test_the_longest_of_nested_secrets_is_masked_whole() -> None:
    assert redactor("hunter2", "hunter2-and-more").redact("hunter2-and-more hunter2") == f"{MASK} {MASK}"


def test_each_line_of_a_secret_of_many_lines_is_masked_alone() -> None:
    key = "-----BEGIN KEY-----\n  c2VjcmV0\n  bGluZQ==\n-----END KEY-----\n"
    assert redactor(key).redact("a log line: c2VjcmV0 and bGluZQ==") == f"a log line: {MASK} and {MASK}"


def test_the_newline_that_ends_a_secret_file_is_not_needed_to_find_it() -> None:
    assert redactor("hunter2\n").redact("hunter2") == MASK


@pytest.mark.parametrize("value", ["", "abc", "    ", "\n\n\n\n\n", "  a  "])
def test_a_value_too_short_to_tell_from_ordinary_text_is_left_out(value: str) -> None:
    text = "a: abc\n    indented\n\n\n\n\n\n  a  \n"
    assert redactor(value).redact(text) == text


def test_values_can_be_handed_on() -> None:
    other = redactor(*redactor("first-value", "second-value").values)
    assert other.redact("first-value second-value") == f"{MASK} {MASK}"


def test_registering_from_many_threads_loses_nothing() -> None:
    known = Redactor()
    values = [f"secret-number-{number:03d}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(known.register, values))
    assert known.redact(" ".join(values)) == " ".join([MASK] * 200)


def test_a_hundred_secrets_cost_next_to_nothing() -> None:
    # Each command registers them anew in its fork; as one regular expression they took seconds of the processor to compile.
    started = time.thread_time()
    values = [f"{number:064d}" for number in range(100)]
    known = redactor(*values, "\n".join(reversed(values)))
    shown = known.redact("an ordinary line\n" * 1000 + values[7])
    assert shown.endswith(f"line\n{MASK}")
    assert time.thread_time() - started < 2


def test_the_process_has_one_redactor() -> None:
    assert isinstance(REDACTOR, Redactor)


@pytest.mark.parametrize("before", ["", "u", "us", "usr", "user:"])
@pytest.mark.parametrize("after", ["", "\n", ":x"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_value_inside_of_a_longer_text_in_base64(before: str, after: str, encode: Callable[[bytes], bytes]) -> None:
    secret = "S3cr€t?>~pässword"
    encoded = encode(f"{before}{secret}{after}".encode()).decode()
    shown = redactor(secret).redact(f"auth: {encoded}.")
    assert MASK in shown
    assert len(shown.replace(MASK, "")) < len("auth: .") + len(before + after) * 2 + 8


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("", 0),
        ("a prompt: ", 0),
        ("it is hunt", 4),
        ("it is h", 1),
        ("hunter", 6),
        ("it is hunter2", 0),
        ("hunthun", 3),
    ],
)
def test_what_may_be_the_beginning_of_a_value(text: str, begun: int) -> None:
    assert redactor("hunter2", "hunting").begun(text) == begun
    assert Redactor().begun(text) == 0
