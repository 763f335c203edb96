from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.errors import (
    BadRequest,
    BudgetExhausted,
    Conflict,
    FaceError,
    InvalidResponse,
    NotFound,
    ServerFault,
    Throttled,
    Unauthorized,
    Unreachable,
    error_from_response,
)
from shared.face.models import Training
from shared.training.decide import REFUSED_DELAY_SECONDS, Again, End, decide, must_start_training
from shared.training.record import Outcome, Watch
from tests.support.builders import POLICY, START, training, watch

LATER = "2026-11-20T10:00:00.0000001Z"
NEVER_TRAINED = NotFound("not trained", status=404, code="LargePersonGroupNotTrained")
MISSING = NotFound("not found", status=404, code="LargePersonGroupNotFound")
BUSY = Conflict("under training", status=409, code="LargePersonGroupTrainingNotFinished")


def after(seconds: float, look: Training | FaceError, of: Watch | None = None, *, jitter: float = 0.5) -> Again | End:
    """Decide on what a watch sees so many seconds after it began."""
    return decide(of or watch(), look, START + timedelta(seconds=seconds), POLICY, jitter)


def delay_of(decision: Again | End) -> float:
    assert isinstance(decision, Again), decision
    return decision.delay


@pytest.mark.parametrize("status", ["succeeded", "Succeeded", "SUCCEEDED"])
def test_a_training_that_succeeded_ends_its_watch(status: str) -> None:
    decision = after(5, training(status))
    assert decision == End(watch(polls=1, training=training(status)), Outcome.SUCCEEDED)


def test_a_training_that_failed_ends_its_watch_with_the_services_message() -> None:
    told = after(5, training("failed", message="There is no person with faces in the group."))
    assert isinstance(told, End)
    assert (told.outcome, told.error) == (Outcome.FAILED, "There is no person with faces in the group.")
    silent = after(5, training("failed"))
    assert isinstance(silent, End)
    assert (silent.outcome, silent.error) == (Outcome.FAILED, "the service gave no reason")


@pytest.mark.parametrize("status", ["notStarted", "notstarted", "nonstarted", "running", "Running", "paused", ""])
def test_any_other_status_is_looked_at_again_after_the_schedules_delay(status: str) -> None:
    decision = after(20, training(status), watch(troubles=3, last_trouble="no connection"))
    assert decision == Again(watch(polls=1, training=training(status)), 13)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
@pytest.mark.parametrize(
    ("trained_after", "stale"),
    [
        ("2026-11-20T10:00:00Z", False),
        ("2026-11-20T12:00:00.000+02:00", False),
        ("2026-11-20T09:59:59.9999999Z", False),
        (LATER, True),
        ("2026-11-20T10:00:00.00000000000000000000001Z", True),
    ],
)
def test_an_end_older_than_trained_after_is_stale(status: str, trained_after: str, stale: bool) -> None:
    decision = after(5, training(status), watch(trained_after=trained_after))
    assert isinstance(decision, Again if stale else End)


def test_an_end_that_does_not_say_when_it_was_created_is_not_taken_for_a_new_one() -> None:
    silent = training("succeeded", created_date_time=None)
    assert isinstance(after(5, silent, watch(trained_after=LATER)), Again)
    assert isinstance(after(5, silent), End)


@pytest.mark.parametrize(("error", "outcome"), [(MISSING, Outcome.NOT_FOUND), (NEVER_TRAINED, Outcome.NOT_TRAINED)])
def test_a_group_has_the_grace_time_to_appear(error: NotFound, outcome: Outcome) -> None:
    assert delay_of(after(0, error)) == 3
    assert delay_of(after(20, error)) == 13
    # Never beyond the end of the grace time, so that the answer is not late.
    assert delay_of(after(55, error)) == 5
    assert delay_of(after(59.99, error)) == 1
    for seconds in (60, 61, 10_000):
        decision = after(seconds, error)
        assert isinstance(decision, End)
        assert (decision.outcome, decision.error) == (outcome, str(error))


def test_a_404_of_a_gateway_is_a_missing_group() -> None:
    decision = after(60, error_from_response(404, {}, b'{"error": {"code": "404", "message": "Resource not found"}}'))
    assert isinstance(decision, End)
    assert (decision.outcome, decision.error) == (Outcome.NOT_FOUND, "404: Resource not found")


def test_the_grace_time_begins_anew_when_the_app_has_started_the_training() -> None:
    called = watch(train=True, noted=True, called_at=START + timedelta(seconds=100))
    assert isinstance(after(159, NEVER_TRAINED, called), Again)
    assert isinstance(after(160, NEVER_TRAINED, called), End)


def test_a_throttled_look_waits_as_long_as_asked_also_beyond_the_longest_delay() -> None:
    assert delay_of(after(5, Throttled("slow down", status=429, wait=500.0), jitter=0)) == 500
    assert delay_of(after(5, Throttled("slow down", status=429, wait=500.0), jitter=0.9)) == pytest.approx(545)
    assert delay_of(after(5, Throttled("slow down", status=429, wait=0.0))) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Throttled("slow down", status=429),
        InvalidResponse("redirect", status=302),
        InvalidResponse("no JSON", status=200),
        ServerFault("late", status=408),
        ServerFault("broken", status=500),
        ServerFault("away", status=503),
        Unreachable("no connection"),
    ],
    ids=lambda error: f"{type(error).__name__} {error.status}",
)
def test_a_trouble_of_the_service_is_looked_at_again_with_backoff_and_recorded(trouble: FaceError) -> None:
    seen, delays = watch(), []
    for _ in range(9):
        decision = after(5, trouble, seen, jitter=0)
        delays.append(delay_of(decision))
        seen = decision.watch
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (seen.polls, seen.troubles, seen.last_trouble) == (9, 9, str(trouble))
    assert after(5, training(), seen).watch.troubles == 0


def test_a_server_that_names_a_wait_gets_it_up_to_the_longest_delay() -> None:
    assert delay_of(after(5, ServerFault("away", status=503, wait=30.0), jitter=0)) == 30
    assert delay_of(after(5, ServerFault("away", status=503, wait=3_000.0), jitter=0)) == 60


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_app_looks_again_every_five_minutes_until_the_watch_times_out(status: int) -> None:
    refusal = error_from_response(status, {}, b'{"error": {"code": "PermissionDenied", "message": "No role."}}')
    assert isinstance(refusal, Unauthorized)
    assert delay_of(after(5, refusal)) == REFUSED_DELAY_SECONDS == 300
    assert delay_of(after(21_500, refusal)) == 100
    decision = after(21_600, refusal)
    assert isinstance(decision, End)
    assert decision.outcome is Outcome.TIMED_OUT
    assert decision.error == "no end within 21600 seconds; the last answer was: PermissionDenied: No role."


@pytest.mark.parametrize("status", [400, 402, 405, 409, 410, 413, 415, 422, 451])
def test_any_other_refusal_of_a_look_ends_the_watch_with_the_services_code_and_message(status: int) -> None:
    error = error_from_response(status, {}, b'{"error": {"code": "BadArgument", "message": "Not so."}}')
    decision = after(0, error)
    assert isinstance(decision, End)
    assert (decision.outcome, decision.error) == (Outcome.REJECTED, "BadArgument: Not so.")


def test_a_conflict_of_the_train_call_is_looked_at_again() -> None:
    assert delay_of(after(20, BUSY, watch(train=True, noted=True, noted_created=None))) == 13


def test_a_look_that_the_budget_did_not_allow_is_put_off_and_counts_for_nothing() -> None:
    for seconds in (5, 100_000):
        assert after(seconds, BudgetExhausted("used up", wait=90.0)) == Again(watch(), 90)


@pytest.mark.parametrize(
    ("look", "last_word"),
    [
        (training("running"), "the last status was 'running'"),
        (Unreachable("no connection"), "the last answer was: no connection"),
        (Throttled("slow down", status=429, wait=5.0, code="429"), "the last answer was: 429: slow down"),
    ],
)
def test_a_watch_gives_up_at_its_deadline_and_says_what_it_saw_last(look: Training | FaceError, last_word: str) -> None:
    assert delay_of(after(21_599.5, look)) == 1
    decision = after(21_600, look)
    assert isinstance(decision, End)
    assert decision.outcome is Outcome.TIMED_OUT
    assert decision.error == f"no end within 21600 seconds; {last_word}"


def test_an_end_that_is_seen_at_the_deadline_is_told_as_it_is() -> None:
    decision = after(50_000, training("succeeded"))
    assert isinstance(decision, End)
    assert decision.outcome is Outcome.SUCCEEDED


def test_no_delay_goes_beyond_the_deadline() -> None:
    assert delay_of(after(21_570, training("running"))) == 30
    assert delay_of(after(21_570, Throttled("slow down", status=429, wait=900_000.0))) == 30


def test_a_clock_that_is_behind_the_watchs_start_counts_as_its_start() -> None:
    assert delay_of(after(-30, training("running"))) == 3
    assert isinstance(after(-30, MISSING), Again)


NOTED = watch(train=True, noted=True, noted_created="2026-11-20T10:00:00.0000000Z")
NOTED_NONE = watch(train=True, noted=True)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_the_training_that_stood_there_before_is_not_reported(status: str) -> None:
    assert isinstance(after(5, training(status), NOTED), Again)
    assert isinstance(after(5, training(status, created_date_time="2026-11-20T10:00:00Z"), NOTED), Again)


@pytest.mark.parametrize("before", [NOTED, NOTED_NONE])
def test_another_training_than_the_noted_one_is_reported(before: Watch) -> None:
    assert isinstance(after(5, training("succeeded", created_date_time=LATER), before), End)


@pytest.mark.parametrize(
    ("before", "look", "call"),
    [
        (NOTED_NONE, NEVER_TRAINED, True),
        (NOTED, training("succeeded"), True),
        (NOTED, training("failed"), True),
        (NOTED, training("running"), False),
        (NOTED, training("notStarted"), False),
        (NOTED, training("succeeded", created_date_time=LATER), False),
        (NOTED_NONE, training("succeeded"), False),
        (NOTED_NONE, training("running"), False),
        (NOTED_NONE, MISSING, False),
        (NOTED_NONE, Unreachable("no connection"), False),
        (NOTED_NONE, BUSY, False),
        (watch(), NEVER_TRAINED, False),
        (watch(train=True, noted=True, called_at=START), NEVER_TRAINED, False),
        (msgspec.structs.replace(NOTED, called_at=START), training("succeeded"), False),
    ],
)
def test_the_train_call_is_made_once_and_not_while_the_noted_training_is_under_way(
    before: Watch, look: Training | FaceError, call: bool
) -> None:
    assert must_start_training(before, look) is call


LOOKS = st.one_of(
    st.builds(training, st.sampled_from(["succeeded", "failed", "running", "notStarted", "odd"])),
    st.builds(
        error_from_response,
        st.integers(min_value=100, max_value=999),
        st.dictionaries(st.just("Retry-After"), st.integers(min_value=0, max_value=10**9).map(str)),
        st.just(b""),
    ),
    st.builds(Unreachable, st.just("no connection")),
)


@given(LOOKS, st.floats(min_value=-1e6, max_value=1e6), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_every_look_is_an_end_or_a_delay_up_to_the_deadline(
    look: Training | FaceError, seconds: float, jitter: float
) -> None:
    decision = after(seconds, look, jitter=jitter)
    assert decision.watch.polls == 1
    if isinstance(decision, Again):
        assert 1 <= decision.delay <= max(21_600 - seconds, 1) + 1e-6
    elif isinstance(look, BadRequest):
        assert decision.outcome is Outcome.REJECTED
