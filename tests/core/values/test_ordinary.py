from __future__ import annotations

import pytest

from projects.core.values.ordinary import is_ordinary, secret_blocks, secret_words
from projects.core.values.redaction import MASK, Redactor

KUBECONFIG = """apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://api.example.com:6443
    insecure-skip-tls-verify: true
  name: main
current-context: main
users:
- name: admin
  user:
    token: sha256~Yx8-Qf2kd9Ls0aPm"""


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "},", "---", "]);", "abc", "-----BEGIN KEY-----", "-----END RSA PRIVATE KEY-----", "[default]", "[profile prod]",
        "data:", "- cluster:", '"auths": {', "key: |-", "password:", "apiVersion: v1", '  "kind": "Config",', "type: Opaque",
        "true", "- null", "insecure: true", '"insecure": false,', "version: 1", "port = 80", "namespace: default", "name: admin",
        "server: https://api.example.com:6443",
    ],
)  # fmt: skip
def test_what_such_files_have_in_common_is_ordinary(line: str) -> None:
    assert is_ordinary(line)
    assert is_ordinary(f"  {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "hunter2", "c2VjcmV0", "third&line={[41cafe]}", "password: hunter2", "password: secret", "token: abc", "s3cr3t-line", "[41cafe]",
        "AWS_KEY=AKIA", "server: https://user:pw@example.com", "-----BEGIN", "port = 80801", "name: with space", "user", "-- hunter2",
    ],
)  # fmt: skip
def test_all_else_is_secret(line: str) -> None:
    assert not is_ordinary(line)


def test_only_the_secret_lines_of_a_kubeconfig_are_masked_alone() -> None:
    known = Redactor()
    known.register(KUBECONFIG)
    shown = known.redact(f"it says:\n  {KUBECONFIG.replace(chr(10), f'{chr(10)}  ')}\nand no more").splitlines()
    assert [line.strip() for line in shown if MASK in line] == [MASK]
    assert "    server: https://api.example.com:6443" in "\n".join(shown)
    assert known.redact("apiVersion: v1\nkind: Config\n{\n[default]\n-----BEGIN KEY-----") == (
        "apiVersion: v1\nkind: Config\n{\n[default]\n-----BEGIN KEY-----"
    )
    assert known.redact("token=sha256~Yx8-Qf2kd9Ls0aPm") == f"token={MASK}"


def test_as_a_whole_it_is_masked_in_one_piece() -> None:
    known = Redactor()
    known.register(KUBECONFIG)
    assert known.redact(f"<{KUBECONFIG}>") == f"<{MASK}>"


def test_a_secret_of_ordinary_lines_alone_is_known_as_a_whole() -> None:
    known = Redactor()
    known.register("name: admin\npassword: true")
    assert known.redact("name: admin") == "name: admin"
    assert known.redact("it is name: admin\npassword: true.") == f"it is {MASK}."


def test_a_certificate_is_public() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0B\n-----END CERTIFICATE-----"
    known = Redactor()
    known.register(
        f"{certificate}\n-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50\n-----END PRIVATE KEY-----"
    )
    assert known.redact(certificate) == certificate
    assert known.redact("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50") == MASK


def test_neighbouring_secret_lines_stay_together() -> None:
    assert list(secret_blocks("{\n one-secret\ntwo-secret\n}\nthree-secret")) == [
        " one-secret\ntwo-secret\n",
        "three-secret",
    ]
    assert list(secret_blocks("a single line")) == []


def test_the_value_of_a_line_is_known_without_its_name() -> None:
    line = "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
    assert list(secret_words(line)) == ["wJalrXUtnFEMI/K7MDENG+bPxRfiCY"]
    assert list(secret_words("one-long-word-4711-4711")) == []
