"""A training's status is what the clock makes of its plan."""

import pytest

from local.face_emulator.clock import NANOSECONDS, timestamp
from local.face_emulator.kinds import KINDS
from local.face_emulator.trainings import Plan, Training, observe, submit

SUBMITTED = 1_790_000_000 * NANOSECONDS + 123_456_789
LARGE = KINDS["largePersonGroup"]


def after(seconds: float) -> int:
    return SUBMITTED + int(seconds * NANOSECONDS)


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "notStarted"), (1.9, "notStarted"), (2, "running"), (4.9, "running"), (5, "succeeded")]
)
def test_a_training_waits_then_runs_then_ends(seconds: float, status: str) -> None:
    training = submit(Plan(not_started=2, duration=3), SUBMITTED, None)
    assert observe(training, LARGE, after(seconds)).status == status


def test_a_running_training_leaves_out_what_does_not_apply() -> None:
    result = observe(submit(Plan(), SUBMITTED, None), LARGE, SUBMITTED)
    assert result.last_successful_training_date_time is None
    assert result.message is None
    assert result.created_date_time == result.last_action_date_time == timestamp(SUBMITTED)


def test_a_success_says_when_it_ended() -> None:
    result = observe(submit(Plan(duration=3), SUBMITTED, None), LARGE, after(60))
    assert result.last_action_date_time == result.last_successful_training_date_time == timestamp(after(3))
    assert result.created_date_time == timestamp(SUBMITTED)


def test_only_person_groups_name_the_training_that_succeeded() -> None:
    training = submit(Plan(duration=0), SUBMITTED, None)
    named = observe(training, KINDS["personGroup"], SUBMITTED).last_successful_training_id
    assert named == training.training_id
    assert observe(training, LARGE, SUBMITTED).last_successful_training_id is None


def test_a_failure_has_a_message_and_keeps_the_success_before_it() -> None:
    first = submit(Plan(duration=1), SUBMITTED, None)
    second = submit(Plan(duration=1, outcome="failed", message="No faces."), after(10), first)
    result = observe(second, LARGE, after(20))
    assert (result.status, result.message) == ("failed", "No faces.")
    assert result.last_successful_training_date_time == timestamp(after(1))
    assert result.last_action_date_time == timestamp(after(11))


def test_a_failure_shows_its_message_only_once_it_ended() -> None:
    training = submit(Plan(duration=1, outcome="failed"), SUBMITTED, None)
    assert observe(training, LARGE, SUBMITTED).message is None


def test_a_success_outlives_the_failures_after_it() -> None:
    training: Training | None = None
    for number, outcome in enumerate(["succeeded", "failed", "failed"]):
        training = submit(Plan(duration=1, outcome=outcome), after(10 * number), training)  # type: ignore[arg-type]  # a str
    assert training is not None
    assert observe(training, LARGE, after(100)).last_successful_training_date_time == timestamp(after(1))


def test_points_in_time_are_cut_to_the_digits_of_their_kind() -> None:
    training = submit(Plan(), SUBMITTED, None)
    assert observe(training, LARGE, SUBMITTED).created_date_time == "2026-09-21T14:13:20.1234567Z"
    assert observe(training, KINDS["personGroup"], SUBMITTED).created_date_time == "2026-09-21T14:13:20.123456Z"
