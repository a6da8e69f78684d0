from pathlib import Path

import pytest

from projects.core.configuration.errors import WrongKind
from projects.core.library import config, secrets
from projects.core.record import context
from projects.core.record.steps import Record
from projects.core.values import private, redaction
from projects.core.values.errors import ConfigError, InfrastructureError, Interrupted, SecretMissing
from projects.core.values.secret import Secret


@pytest.fixture
def redactor(monkeypatch: pytest.MonkeyPatch) -> redaction.Redactor:
    fresh = redaction.Redactor()
    monkeypatch.setattr(secrets, "REDACTOR", fresh)
    return fresh


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redactor: redaction.Redactor) -> Path:
    monkeypatch.setenv("PROBE_SECRET_PATH", str(tmp_path))
    assert not redactor.values
    return tmp_path


def test_a_secret_is_known_to_the_redactor_when_it_is_returned(vault: Path, redactor: redaction.Redactor) -> None:
    (vault / "sub").mkdir()
    (vault / "sub" / "token").write_text("\n  hush-5a1f9c\n\n")
    assert secrets.read("creds.token", "sub/token", "PROBE_SECRET_PATH") == "hush-5a1f9c"
    assert redactor.redact("it is hush-5a1f9c.") == "it is ********."


def test_a_secret_is_read_anew(vault: Path) -> None:
    for value in ("first-value", "second-value"):
        (vault / "token").write_text(value)
        assert secrets.read("k", "token", "PROBE_SECRET_PATH") == value


def test_a_file_that_is_not_there_is_named(vault: Path) -> None:
    with pytest.raises(SecretMissing) as raised:
        secrets.read("creds.token", "acc.token", "PROBE_SECRET_PATH")
    assert (
        raised.value.message
        == "creds.token: the secret file 'acc.token' is not in the directory that $PROBE_SECRET_PATH names"
    )
    assert raised.value.place == str(vault / "acc.token")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NO_SUCH_PATH", None, "$NO_SUCH_PATH is not set"),
        ("NO_SUCH_PATH", "", "$NO_SUCH_PATH is not set"),
        ("NO_SUCH_PATH", "/nowhere/at/all", "$NO_SUCH_PATH names no directory"),
        (None, None, "secrets.dir.env_key does not say which environment variable"),
        ("", None, "secrets.dir.env_key does not say which environment variable"),
    ],
)
def test_a_directory_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, value: str | None, message: str
) -> None:
    monkeypatch.delenv("NO_SUCH_PATH", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_SUCH_PATH", value)
    with pytest.raises(SecretMissing) as raised:
        secrets.read("creds.token", "acc.token", variable)
    assert raised.value.message.startswith("creds.token, the secret in the file 'acc.token': ")
    assert message in raised.value.message
    with pytest.raises(SecretMissing, match="the directory of secrets"):
        secrets.directory(variable)


@pytest.mark.parametrize("file", ["/etc/passwd", "../token", "sub/../../token"])
def test_a_name_that_leads_out_of_the_directory(vault: Path, file: str) -> None:
    with pytest.raises(ConfigError, match="expected the name of a file in the directory of secrets"):
        secrets.read("creds.token", file, "PROBE_SECRET_PATH")


def test_a_file_without_text(vault: Path) -> None:
    (vault / "token").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="creds.token: expected text in the secret file 'token', found binary data"):  # noqa: RUF043
        secrets.read("creds.token", "token", "PROBE_SECRET_PATH")


def test_a_directory_in_the_place_of_the_file(vault: Path) -> None:
    (vault / "token").mkdir()
    with pytest.raises(SecretMissing, match="'token' is not in the directory"):
        secrets.read("creds.token", "token", "PROBE_SECRET_PATH")


@pytest.fixture
def key(vault: Path, run_root: Path, monkeypatch: pytest.MonkeyPatch) -> Secret:
    return Secret("first line\nhush-5a1f9c", "creds.token")


def test_a_file_of_a_secret_is_private_and_gone_after_the_block(key: Secret, run_root: Path) -> None:
    with secrets.file(key, name="id_rsa") as path:
        assert path.name == "id_rsa"
        assert path.read_text() == "first line\nhush-5a1f9c\n"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert not path.is_relative_to(run_root)
    assert not path.parent.exists()


def test_a_file_of_a_secret_is_gone_after_an_exception(key: Secret) -> None:
    for error in (RuntimeError, KeyboardInterrupt, Interrupted(15)):
        with pytest.raises((RuntimeError, KeyboardInterrupt, Interrupted)), secrets.file(key) as path:  # noqa: PT012
            kept = path
            raise error
        assert not kept.parent.exists()


def test_a_line_of_a_secret_has_no_newline(run_root: Path) -> None:
    with secrets.file(Secret("hush-5a1f9c")) as path:
        assert path.read_bytes() == b"hush-5a1f9c"


def test_a_file_of_a_secret_is_never_in_the_artifacts(
    key: Secret, run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_root / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(run_root / "tmp"))
    with secrets.file(key) as path:
        assert not path.resolve().is_relative_to(run_root.resolve())
    monkeypatch.setattr(private, "_OTHERS", ())
    with pytest.raises(InfrastructureError, match="not in the artifacts"), secrets.file(key):
        pytest.fail("it was made in the artifacts")


def test_a_plan_makes_no_file(key: Secret, run_root: Path) -> None:
    reset = context.enter(context.Place(Record(run_root, planning=True), run_root))
    with secrets.file(key) as path:
        assert str(path) == "<unknown: a private copy of creds.token>"
        assert not path.exists()
    context.leave(reset)


def test_a_secret_by_its_key(vault: Path, run_root: Path) -> None:
    (vault / "token").write_text("hush-5a1f9c\n")
    testing = run_root.parent / "testing"
    testing.mkdir()
    (testing / "config.yaml").write_text(
        "secrets: {dir: {env_key: PROBE_SECRET_PATH}, token_file: token}\ncreds: {token: '*$@secrets.token_file', size: 3}\n"
    )
    config.init(testing)
    with secrets.file("creds.token") as path:
        assert path.read_text() == "hush-5a1f9c"
    secret = config.project.get_secret("creds.token")
    assert secret == Secret("hush-5a1f9c")
    assert repr(secret) == "Secret(creds.token)"
    with pytest.raises(WrongKind, match=r"creds\.size: expected a secret, which is text, found int"):
        config.project.get_secret("creds.size")
    with pytest.raises(WrongKind, match="Secret"):
        config.project.set_config("creds.size", secret)
    assert "hush" not in (run_root / "config.yaml").read_text()
