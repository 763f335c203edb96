"""The price of a poll."""

import pytest

from shared.budget.price import current_price, publish_price
from shared.budget.row import Slot, reserve, reserve_chunk, throttle
from tests.unit.budget.test_row import NEW, NOW, PACE, after


def test_the_price_is_the_one_at_which_all_schedules_fit_the_pace() -> None:
    weight, watches = 0.03, 10_000
    row = publish_price(NEW, NOW, PACE, weight * watches)
    polls_a_second = watches * weight / current_price(row, NOW, 1) ** 0.5
    assert polls_a_second == pytest.approx(PACE)


def test_a_price_is_never_below_what_a_poll_is_worth_and_ends_when_the_timer_stops() -> None:
    assert current_price(NEW, NOW, 1.5) == 1.5
    assert current_price(publish_price(NEW, NOW, PACE, 0.1), NOW, 1.5) == 1.5
    dear = publish_price(NEW, NOW, PACE, 100)
    assert current_price(dear, after(299), 1.5) > 400
    assert current_price(dear, after(300), 1.5) == 1.5


def test_polls_leave_a_tenth_of_the_pace_to_a_snapshot_that_waits() -> None:
    row, _ = reserve(NEW, NOW, PACE, 1_000)
    row, _ = reserve_chunk(row, NOW, PACE)
    priced = publish_price(row, NOW, PACE, 100)
    assert 100 / priced.price**0.5 == pytest.approx(0.9 * PACE)


def test_a_halved_pace_makes_polls_dearer() -> None:
    throttled = throttle(NEW, Slot(NOW), NOW, None)
    assert publish_price(throttled, NOW, PACE, 100).price == pytest.approx((100 / (PACE / 2)) ** 2)
