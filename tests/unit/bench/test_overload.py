import pytest

from bench.overload.simulation import Rule, simulate


@pytest.fixture(scope="module")
def few() -> float:
    """Return so few trainings a second that there are calls enough for all their polls."""
    return 0.1


def test_where_calls_are_enough_the_price_changes_nothing(few: float) -> None:
    priced, unpriced = simulate(Rule.PRICE, few, seed=0), simulate(Rule.FIRST_COME, few, seed=0)
    assert priced == unpriced
    assert priced.price == 1


def test_where_calls_are_enough_the_schedule_is_late_as_it_chose_to_be(few: float) -> None:
    figures = simulate(Rule.FIRST_COME, few, seed=0)
    assert 8 < figures.mean_late < 12
    assert 10 < figures.polls < 14
