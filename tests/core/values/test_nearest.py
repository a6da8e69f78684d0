from __future__ import annotations

from projects.core.values.nearest import did_you_mean, nearest


def test_a_typing_error_is_matched() -> None:
    assert nearest("capture_enviroment", ["set_scale", "capture_environment"]) == "capture_environment"


def test_what_is_far_from_everything_is_not_matched() -> None:
    assert nearest("xyz", ["set_scale", "capture_environment"]) is None
    assert nearest("xyz", []) is None


def test_the_hint_names_the_match() -> None:
    assert did_you_mean("clustr", {"cluster": 1, "server": 2}) == "did you mean 'cluster'?"


def test_without_a_match_the_hint_lists_all_there_are_in_order() -> None:
    assert did_you_mean("xyz", ["server", "cluster"]) == "there are: cluster, server"


def test_a_list_that_fills_the_screen_is_left_out() -> None:
    assert did_you_mean("xyz", [f"name_{number}" for number in range(100)]) is None
    assert did_you_mean("xyz", []) is None
