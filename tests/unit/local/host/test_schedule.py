from datetime import UTC, datetime

import pytest

from local.host.errors import BindingError
from local.host.schedule import Schedule

SATURDAY = datetime(2026, 11, 21, 10, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 */5 * * * *", "2026-11-21 10:05:00"),
        ("*/2 * * * * *", "2026-11-21 10:02:32"),
        ("0 * * * * *", "2026-11-21 10:03:00"),
        ("* * * * *", "2026-11-21 10:03:00"),
        ("0 0 3 * * *", "2026-11-22 03:00:00"),
        ("0 30 9-17 * * MON-FRI", "2026-11-23 09:30:00"),
        ("0 0 0 * * monday", "2026-11-23 00:00:00"),
        ("0 0 0 1 Jan *", "2027-01-01 00:00:00"),
        ("15,45 5/10 10 * * 6", "2026-11-21 10:05:15"),
        ("0 0 0 * * 0", "2026-11-22 00:00:00"),
    ],
)
def test_the_next_time_is_found(expression: str, following: str) -> None:
    assert f"{Schedule(expression).next_after(SATURDAY):%Y-%m-%d %H:%M:%S}" == following


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", True),
        ("*/5 * * * * *", True),
        ("10,20,45 * * * * *", True),
        ("0 * * * * *", False),
        ("30 * * * * *", False),
        ("* * * * *", False),
        ("* */20 * * * *", False),
        ("* * 12 * * Mon", False),
    ],
)
def test_a_schedule_under_a_minute_has_times_within_every_minute(expression: str, expected: bool) -> None:
    assert Schedule(expression).is_under_a_minute(SATURDAY) is expected


def test_a_time_is_never_its_own_next() -> None:
    schedule = Schedule("0 */5 * * * *")
    first = schedule.next_after(SATURDAY)
    assert (schedule.next_after(first) - first).total_seconds() == 300


def test_day_and_day_of_the_week_must_both_fit() -> None:
    assert Schedule("0 0 0 13 * FRI").next_after(SATURDAY).date().isoformat() == "2027-08-13"


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "daily",
        "@daily",
        "0 0 3 * *  * *",
        "0 60 * * * *",
        "0 0 0 ? * *",
        "0 0 0 L * *",
        "0 0 0 * * 7",
        "0 0 0 * * 5#2",
    ],
)
def test_what_is_no_ncrontab_is_rejected(expression: str) -> None:
    with pytest.raises(BindingError, match="schedule '"):
        Schedule(expression)


@pytest.mark.parametrize(("expression", "found"), [("0 0 0 * * MONTAG", "MONTAG"), ("0 0 0 * FOO *", "FOO")])
def test_a_name_of_no_day_and_no_month_is_rejected(expression: str, found: str) -> None:
    with pytest.raises(BindingError, match=f"'{found}' names neither"):
        Schedule(expression)


def test_a_schedule_that_never_comes_is_rejected() -> None:
    with pytest.raises(BindingError, match="schedule '0 0 0 31 2"):
        Schedule("0 0 0 31 2 *")
