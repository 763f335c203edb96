"""Forty instances whose clocks are wrong by up to 0.2 s, in simulated time."""

import pytest

from bench.budget.cases import beside_a_snapshot, told_to_wait
from bench.budget.stage import Stage
from bench.budget.watches import Result, Watches


def watch(watches: int, seconds: float, *, priced: bool = True, foreign: float = 0.0) -> Result:
    stage = Stage(instances=40, max_tps=10, seed=1)
    if foreign:
        stage.foreign_client(foreign)
    return Watches(stage, watches, priced=priced).run(seconds)


@pytest.mark.parametrize(("priced", "used_share"), [(True, 0.90), (False, 0.92)])
def test_more_watches_than_the_budget_carries_are_polled_in_turn_and_handled_about_once_a_poll(
    priced: bool, used_share: float
) -> None:
    result = watch(1_000, 1_200, priced=priced)
    assert result.throttled_share == 0
    assert result.used_share >= used_share  # delays that follow the price are rounded up
    assert result.messages_a_poll <= 1.3
    assert result.longest_unpolled <= 2


def test_beside_a_client_that_takes_3_of_10_calls_few_are_throttled_and_no_watch_starves() -> None:
    result = watch(1_000, 1_200, foreign=3.0)
    assert result.throttled_share < 0.02
    assert result.foreign_throttled_share is not None
    assert result.foreign_throttled_share < 0.05
    assert result.longest_unpolled <= 2


def test_a_few_watches_wait_for_no_line() -> None:
    result = watch(100, 600)
    assert result.throttled_share == 0
    assert result.messages_a_poll < 1.1


@pytest.mark.parametrize(("max_tps", "asked"), [(5, 6), (5, 50), (10, 1), (10, 6)])
def test_seven_groups_on_four_instances_that_are_told_to_wait_are_called_again_in_time(
    max_tps: float, asked: float
) -> None:
    told = told_to_wait(asked, max_tps=max_tps, seed=2)
    assert asked <= told.earliest
    assert told.latest <= 1.5 * asked + 2


def test_no_poll_waits_a_second_for_its_slot_while_a_snapshot_uses_the_rest_of_the_budget() -> None:
    beside = beside_a_snapshot(120, seed=2)
    assert beside.longest_wait < 1
    assert beside.used_share >= 0.92
    assert beside.throttled_share == 0
