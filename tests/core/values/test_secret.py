from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback

import pytest
import yaml

from projects.core.values.redaction import MASK, Redactor
from projects.core.values.secret import Secret

TEXT = "hush-5a1f9c-of-a-secret"


@pytest.fixture
def secret(redactor: Redactor) -> Secret:
    return Secret(TEXT, "creds.token")


def test_it_is_shown_masked_wherever_it_is_written(secret: Secret) -> None:
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>20}",
        f"{secret!r}",
        "{} {!r}".format(secret, secret),  # noqa: UP032 - as libraries do
        str([secret]),
    ]
    assert not [text for text in shown if TEXT in text]
    assert str(secret) == MASK
    assert f"{secret:>10}" == f"  {MASK}"
    assert repr(secret) == "Secret(creds.token)"
    assert secret.reveal() == TEXT


def test_what_would_write_it_in_clear_refuses(secret: Secret) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"token": secret})
    with pytest.raises(TypeError, match="cannot be pickled, since that would write it in clear"):
        pickle.dumps(secret)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_dump(secret)
    with pytest.raises(TypeError):
        "prefix " + secret  # type: ignore[operator]
    assert TEXT not in json.dumps({"token": secret}, default=str)


def test_an_error_that_quotes_it_does_not_tell_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(token: Secret) -> None:
        raise RuntimeError("no access with", token)

    with pytest.raises(RuntimeError) as caught:
        refuse(secret)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TEXT not in "".join(told.format())
    logging.getLogger("probe").warning("it is %s", secret)
    assert TEXT not in caplog.text


def test_copies_are_the_secret_itself(secret: Secret) -> None:
    @dataclasses.dataclass
    class Login:
        token: Secret

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert dataclasses.asdict(Login(secret))["token"] is secret
    assert TEXT not in repr(Login(secret))


def test_it_is_compared_with_another_one_only(secret: Secret) -> None:
    assert secret == Secret(TEXT)
    assert hash(secret) == hash(Secret(TEXT))
    assert secret != Secret("another text")
    assert secret != TEXT
    assert not Secret("")


def test_the_redactor_knows_it(redactor: Redactor) -> None:
    Secret(TEXT)
    assert redactor.redact(f"it is {TEXT}") == f"it is {MASK}"


def test_it_is_text() -> None:
    with pytest.raises(TypeError, match="expected text, found int"):
        Secret(4711)  # type: ignore[arg-type]
