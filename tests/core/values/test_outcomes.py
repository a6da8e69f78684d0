from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projects.core.values.outcomes import SEVERITY, ExitCode, Status, worst

codes = st.lists(st.one_of(st.sampled_from(list(ExitCode)), st.integers(-300, 300)))


def test_the_table_ranks_every_exit_code_once() -> None:
    assert sorted(SEVERITY) == sorted(ExitCode)


def test_the_numbers_are_the_documented_ones() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "PASSED": 0,
        "TEST_FAILED": 1,
        "USAGE": 2,
        "INFRASTRUCTURE": 3,
        "TIMED_OUT": 4,
        "REGRESSION": 5,
        "LEASE": 6,
        "SECRET_FOUND": 7,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_the_words_of_the_record() -> None:
    assert " ".join(Status) == "running passed failed cancelled skipped timed_out interrupted planned"


@given(codes, st.randoms())
def test_the_worst_does_not_depend_on_the_order(values: list[int], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert worst(shuffled) is worst(values)


@given(codes, codes)
def test_the_worst_of_two_groups_is_the_worst_of_all(left: list[int], right: list[int]) -> None:
    assert worst([worst(left), worst(right)]) is worst([*left, *right])


@given(st.lists(st.integers(-300, 300), min_size=1))
def test_only_zeros_pass(values: list[int]) -> None:
    assert (worst(values) is ExitCode.PASSED) == (set(values) == {0})


def test_nothing_passes() -> None:
    assert worst([]) is ExitCode.PASSED


def test_a_number_outside_the_table_is_a_failed_test() -> None:
    assert worst([42]) is ExitCode.TEST_FAILED
    assert worst([42, ExitCode.INFRASTRUCTURE]) is ExitCode.INFRASTRUCTURE
