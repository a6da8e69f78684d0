"""Which failures have one cause, and which do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.cluster.api import Target
from projects.core.postmortem.fingerprint import LENGTH, fingerprint, normalised
from projects.core.record.steps import Cause

WEB = Target("Deployment", "apps/v1", "web", "ns")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def of(message: str, *targets: Target, error: str = "CommandFailed", code: int = 1) -> str:
    return fingerprint(Cause(error, message, "some-step", code), targets, root="/tmp/run_1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timed out after 15 s", "timed out after 600.5 s"),
        ("pod redis-7f9c8d6b5d-x2v4b is pending", "pod redis-7f9c8d6b5d-bq7zz is pending"),
        ("pod redis-7f9c8d6b5d-x2v4b is pending", "pod redis-nwk6kg78xv-bn66z is pending"),
        ("user-1/web is not ready", "user-23/web is not ready"),
        ("object 0b8ea1f2-5e83-42d7-a13d-ce00418475ff", "object 8154ace5-850b-4fd4-898a-0082eb0c247e"),
        ("image sha256:0123abcdef", "image sha256:99aabbccdd"),
        ("no file /tmp/run_1/000__a/x", "no file /tmp/run_1/017__a/x"),
        ("two lines:\n  b\n  a", "two lines:\n  a\n  b"),
        ("at 12:30:01 of 2026-01-01", "at 01:02:03 of 2027-11-30"),
    ],
)
def test_what_differs_each_time_does_not_count(one: str, other: str) -> None:
    assert of(one, WEB) == of(other, WEB)
    assert len(of(one, WEB)) == LENGTH


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("a", WEB), of("b", WEB)),
        (of("a", WEB), of("a", WEB, error="TimedOut")),
        (of("a", WEB), of("a", WEB, code=4)),
        (of("a", WEB), of("a")),
        (of("a", WEB), of("a", Target("StatefulSet", "apps/v1", "web", "ns"))),
        (of("a", WEB), of("a", Target("Deployment", "apps/v1", "database", "ns"))),
        (of("the deployment web-crane is gone"), of("the deployment web-plane is gone")),
    ],
)
def test_another_error_message_or_object_is_another_cause(one: str, other: str) -> None:
    assert one != other


def test_the_order_of_the_objects_does_not_count() -> None:
    other = Target("Service", "v1", "web", "ns")
    assert of("a", WEB, other) == of("a", other, WEB, WEB)


@given(st.text(LETTERS, min_size=10, max_size=10), st.text(LETTERS, min_size=5, max_size=5))
def test_names_that_a_controller_has_made_are_one(replica_set: str, pod: str) -> None:
    assert normalised(f"Pod ns/web-{replica_set}-{pod}: x") == "Pod ns/web-<generated>: x"


@given(st.uuids())
def test_uids_are_one(uid: object) -> None:
    assert normalised(f"precondition failed: UID {uid}.") == "precondition failed: UID <uid>."


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
