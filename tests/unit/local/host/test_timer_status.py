"""What a timer begins with after a start of the host, and what its function is told."""

import json
from datetime import UTC, datetime, timedelta

from local.host.schedule import Schedule
from local.host.timer_status import NEVER, ScheduleStatus, status_at_start, timer_request

EVERY_FIVE_MINUTES = Schedule("0 */5 * * * *")
TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
NOW = TEN + timedelta(minutes=17)
NEXT = TEN + timedelta(minutes=20)


def test_a_first_start_waits_for_the_next_time() -> None:
    assert status_at_start(None, EVERY_FIVE_MINUTES, NOW) == ScheduleStatus(NEXT, last_updated=NOW)


def test_a_time_that_passed_since_the_last_run_is_past_due() -> None:
    stored = ScheduleStatus(TEN + timedelta(minutes=5), last=TEN, last_updated=TEN)
    assert status_at_start(stored, EVERY_FIVE_MINUTES, NOW) == stored
    assert stored.next < NOW


def test_a_time_that_passed_before_the_first_run_is_past_due() -> None:
    stored = ScheduleStatus(TEN + timedelta(minutes=5), last_updated=TEN)
    assert status_at_start(stored, EVERY_FIVE_MINUTES, NOW) == stored


def test_a_schedule_that_has_changed_is_not_past_due() -> None:
    of_an_hourly_schedule = ScheduleStatus(TEN, last=TEN - timedelta(hours=1), last_updated=TEN - timedelta(hours=1))
    assert status_at_start(of_an_hourly_schedule, EVERY_FIVE_MINUTES, NOW) == ScheduleStatus(NEXT, last_updated=NOW)


def test_a_changed_schedule_keeps_a_time_that_is_still_to_come() -> None:
    last = NOW - timedelta(minutes=1)
    of_an_hourly_schedule = ScheduleStatus(TEN + timedelta(hours=1), last=last, last_updated=last)
    assert status_at_start(of_an_hourly_schedule, EVERY_FIVE_MINUTES, NOW) == ScheduleStatus(NEXT, last_updated=last)


def test_the_request_is_what_the_worker_reads() -> None:
    status = ScheduleStatus(NEXT, last=TEN, last_updated=TEN)
    assert json.loads(timer_request(status, past_due=True)) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": "2026-11-21T10:00:00+00:00",
            "LastUpdated": "2026-11-21T10:00:00+00:00",
            "Next": "2026-11-21T10:20:00+00:00",
        },
        "IsPastDue": True,
    }


def test_a_timer_that_has_never_run_says_so() -> None:
    assert (
        json.loads(timer_request(ScheduleStatus(NEXT), past_due=False))["ScheduleStatus"]["Last"] == NEVER.isoformat()
    )


def test_a_timer_that_is_not_monitored_has_no_status() -> None:
    assert json.loads(timer_request(None, past_due=False))["ScheduleStatus"] is None
