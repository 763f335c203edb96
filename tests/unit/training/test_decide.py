"""The table "what a response means", row by row; then deadlines, trainings of the app's own, and delays."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.errors import (
    BadRequest,
    FaceError,
    GroupNotFound,
    NoConnection,
    NotTrained,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
    Unreachable,
)
from shared.face.responses import error_from_response
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training import decide, delays, schedule
from shared.training.decide import CLAIM_SECONDS, Accepted, End, LaterSlot, NotMade, PollResult
from shared.training.record import Claim, Last, Outcome, RequestRecord, Watch
from tests.support.builders import START, request, response, watch
from tests.support.watching import POLICY

CREATED = "2026-11-20T10:00:00.0000000Z"
LATER = "2026-11-20T10:00:00.0000001Z"
OLD_FORM = "1/3/2017 4:11:35 AM"  # of an old reference of Azure China
MISSING = error_from_response(404, {}, b'{"error": {"code": "LargePersonGroupNotFound", "message": "No such group."}}')
NEVER_TRAINED = error_from_response(
    404, {}, b'{"error": {"code": "LargePersonGroupNotTrained", "message": "Never trained."}}'
)
GATEWAY_404 = error_from_response(404, {}, b'{"statusCode": 404, "message": "Resource not found"}')
RETIRED_404 = error_from_response(404, {}, b'{"error": {"code": "404", "message": "Resource not found"}}')
TROUBLES = [
    GATEWAY_404,
    RETIRED_404,
    Throttled("slow down", status=429),
    *(error_from_response(status, {}, b"") for status in (301, 302, 308, 408, 409, 423, 425, 500, 502, 503, 504, 599)),
    error_from_response(503, {}, b"<html>"),
    Unreachable("no whole response"),
    NoConnection("no connection"),
]
NOTED = request(train=True, noted=True, noted_created=CREATED)
NOTED_NONE = request(train=True, noted=True)


def label(value: object) -> str:
    return f"{type(value).__name__} {getattr(value, 'status', '')}".strip()


def end_of(
    result: PollResult,
    *,
    seconds: float = 5,
    of: RequestRecord | None = None,
    before: Watch | None = None,
    of_train: bool = False,
) -> End | None:
    """Return how a poll, so many seconds after its enqueuing, ends a request."""
    now = START + timedelta(seconds=seconds)
    return decide.end_of(of or request(), before or watch(), result, now, POLICY, of_train=of_train)


def outcome_of(result: PollResult, **how: Any) -> Outcome | None:
    end = end_of(result, **how)
    return None if end is None else end.outcome


def delay_after(
    result: PollResult,
    *,
    seconds: float = 5,
    of: Sequence[RequestRecord] = (),
    before: Watch | None = None,
    price: float = 1.0,
    jitter: float = 0.0,
) -> int:
    """Return the delay after a poll so many seconds after the requests' enqueuing."""
    now = START + timedelta(seconds=seconds)
    after = decide.watch_after(before or watch(), result, now)
    return delays.delay_after(of or [request()], after, result, now, POLICY, price=price, jitter=jitter)


def watch_after(result: PollResult, *, seconds: float = 5, before: Watch | None = None) -> Watch:
    return decide.watch_after(before or watch(), result, START + timedelta(seconds=seconds))


# succeeded, failed


@pytest.mark.parametrize("status", ["succeeded", "Succeeded", "SUCCEEDED"])
def test_a_training_that_succeeded_ends_a_request(status: str) -> None:
    assert end_of(response(status)) == End(Outcome.SUCCEEDED, by_training=True)
    assert watch_after(response(status)).last is Last.ENDED


def test_a_training_that_failed_ends_a_request_with_the_services_message() -> None:
    end = end_of(response("Failed", message="There is no person with faces in the group."))
    expected = End(Outcome.FAILED, "trainingFailed", "There is no person with faces in the group.", by_training=True)
    assert end == expected
    silent = end_of(response("failed"))
    assert silent is not None
    assert silent.message == "the service gave no reason"


@pytest.mark.parametrize("status", ["succeeded", "failed"])
@pytest.mark.parametrize(
    ("trained_after", "stale"),
    [
        ("2026-11-20T10:00:00Z", False),
        ("2026-11-20T12:00:00.000+02:00", False),
        ("2026-11-20T09:59:59.9999999Z", False),
        ("2026-11-20T09:59:59.99999999999999999999999999999Z", False),
        (LATER, True),
        ("2026-11-20T10:00:00.00000000000000000000001Z", True),
        ("2026-11-20T10:00:00.000000000000000000000000000000000000Z", False),
    ],
)
def test_an_end_older_than_trained_after_does_not_answer_whatever_the_number_of_fraction_digits(
    status: str, trained_after: str, stale: bool
) -> None:
    end = end_of(response(status), of=request(trained_after=trained_after))
    assert (end is None) is stale


def test_requests_with_different_demands_are_decided_on_each_by_its_own() -> None:
    result = response("succeeded")
    requests = [request(1), request(2, trained_after=LATER), request(3, trained_after=CREATED), NOTED]
    outcomes = [outcome_of(result, of=each) for each in requests]
    assert outcomes == [Outcome.SUCCEEDED, None, Outcome.SUCCEEDED, None]


# notStarted, running, an unknown status


@pytest.mark.parametrize("status", ["notStarted", "notstarted", "nonstarted", "running", "Running", "paused", ""])
def test_any_other_status_is_polled_again_after_the_schedules_delay(status: str) -> None:
    result = response(status, seconds=25)
    before = watch(troubles=3, past_durations=(40.0, 50.0))
    assert end_of(result, seconds=20, before=before) is None
    after = watch_after(result, seconds=20, before=before)
    assert (after.last, after.troubles, after.polls, after.training) == (Last.RUNNING, 0, 1, result.training)
    expected = schedule.next_delay((40.0, 50.0), 25.0, price=1.0, bounds=POLICY.bounds)
    assert delay_after(result, seconds=20, before=before) == delays.whole(expected)


# 404 with a documented code


@pytest.mark.parametrize(
    ("error", "outcome", "code", "message"),
    [
        (MISSING, Outcome.NOT_FOUND, "LargePersonGroupNotFound", "No such group."),
        (NEVER_TRAINED, Outcome.NOT_TRAINED, "LargePersonGroupNotTrained", "Never trained."),
    ],
    ids=label,
)
def test_a_group_has_the_grace_time_to_appear(error: FaceError, outcome: Outcome, code: str, message: str) -> None:
    for seconds in (-30, 0, 20, 59.99):
        assert end_of(error, seconds=seconds) is None
    # Never beyond the end of the grace time, so that the end is not told late.
    assert 1 <= delay_after(error, seconds=20) <= 40
    assert delay_after(error, seconds=55) <= 5
    assert delay_after(error, seconds=59.99) == 1
    for seconds in (60, 61, 10_000):
        assert end_of(error, seconds=seconds) == End(outcome, code, message)
    assert watch_after(error).last is Last.NONE


@pytest.mark.parametrize("error", [MISSING, NEVER_TRAINED], ids=label)
@pytest.mark.parametrize("sign", ["called_at", "seen_at"])
def test_the_grace_time_begins_anew_with_the_apps_train_call_and_when_the_group_was_seen(
    error: FaceError, sign: str
) -> None:
    before = msgspec.structs.replace(watch(), **{sign: START + timedelta(seconds=100)})
    assert end_of(error, seconds=159, before=before) is None
    assert end_of(error, seconds=160, before=before) is not None
    late = request(inserted_at=START + timedelta(seconds=120))
    assert end_of(error, seconds=179, before=before, of=late) is None


def test_a_group_that_is_there_but_was_never_trained_is_a_sign_of_it_for_a_later_not_found() -> None:
    before = watch_after(NEVER_TRAINED, seconds=50)
    assert end_of(MISSING, seconds=109, before=before) is None
    assert outcome_of(MISSING, seconds=110, before=before) is Outcome.NOT_FOUND
    # It does not put off the end of a group that stays untrained.
    assert outcome_of(NEVER_TRAINED, seconds=60, before=before) is Outcome.NOT_TRAINED


def test_a_group_that_is_not_found_names_the_other_reading_of_the_body() -> None:
    end = end_of(MISSING, seconds=60, of=request(other_reading=True))
    assert end is not None
    assert end.message is not None
    assert end.message.startswith("No such group. (")
    assert "WATCH_MESSAGE_ENCODING" in end.message


# any other 404, 429, 3xx, 408, 409, 423, 425, 5xx, no connection


@pytest.mark.parametrize("trouble", TROUBLES, ids=label)
def test_a_trouble_of_the_service_is_polled_again_with_backoff_and_is_never_an_end(trouble: FaceError) -> None:
    after, delays = watch(), []
    for _ in range(9):
        assert end_of(trouble, seconds=10_000, before=after) is None
        delays.append(delay_after(trouble, before=after))
        after = watch_after(trouble, before=after)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (after.polls, after.troubles, after.last) == (9, 9, Last.NO_ANSWER)
    assert watch_after(response(), before=after).troubles == 0


@pytest.mark.parametrize("trouble", [GATEWAY_404, RETIRED_404])
def test_only_a_documented_code_makes_a_404_a_fact_about_the_group(trouble: FaceError) -> None:
    assert isinstance(trouble, UndocumentedNotFound)
    assert end_of(trouble, seconds=21_599) is None


def test_a_backoff_is_random_so_that_watches_part() -> None:
    delays = {
        delay_after(TROUBLES[-1], before=watch(troubles=5, first_poll_at=START), jitter=jitter / 10)
        for jitter in range(10)
    }
    assert len(delays) > 5
    assert min(delays) >= 32


@pytest.mark.parametrize("wait", [1.0, 26.0, 90.0, 500.0])
@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_a_throttled_poll_waits_as_long_as_asked_also_beyond_the_longest_delay(wait: float, jitter: float) -> None:
    delay = delay_after(Throttled("slow down", status=429, wait=wait), jitter=jitter)
    assert wait <= delay <= 1.5 * wait + 2


def test_a_throttled_poll_that_is_asked_for_no_time_waits_the_least_delay() -> None:
    assert delay_after(Throttled("slow down", status=429, wait=0.0)) == 1


def test_a_server_that_names_a_wait_gets_it_up_to_the_longest_delay() -> None:
    away = error_from_response(503, {"Retry-After": "30"}, b"")
    assert delay_after(away) == 30
    assert delay_after(error_from_response(503, {"Retry-After": "3000"}, b"")) == 60


# 401, 403


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_app_polls_every_five_minutes_until_the_requests_time_out(status: int) -> None:
    refusal = error_from_response(status, {}, b'{"error": {"code": "PermissionDenied", "message": "No role."}}')
    assert isinstance(refusal, Unauthorized)
    assert delay_after(refusal) == delays.REFUSED_DELAY_SECONDS == 300
    assert delay_after(refusal, seconds=21_500) == 100
    assert end_of(refusal, seconds=21_599) is None
    end = end_of(refusal, seconds=21_600)
    assert end is not None
    assert end.outcome is Outcome.TIMED_OUT
    expected = f"no end within 21600 seconds; the last poll brought: the Face service responded {status}"
    assert end.message == f"{expected} (PermissionDenied)"


# any other 4xx


@pytest.mark.parametrize("status", [400, 402, 405, 406, 410, 413, 415, 422, 451])
def test_any_other_client_error_ends_a_request_with_the_services_code_and_message(status: int) -> None:
    error = error_from_response(status, {}, b'{"error": {"code": "BadArgument", "message": "Not so."}}')
    assert end_of(error, seconds=0) == End(Outcome.REJECTED, "BadArgument", "Not so.")


# createdDateTime missing or unreadable


@pytest.mark.parametrize("status", ["succeeded", "failed"])
@pytest.mark.parametrize("created", [None, OLD_FORM, "", "yesterday"])
def test_a_training_that_does_not_say_when_it_was_created_answers_only_who_does_not_ask(
    status: str, created: str | None
) -> None:
    unknown = response(status, created_date_time=created)
    assert end_of(unknown) is not None
    assert end_of(unknown, of=request(trained_after=CREATED)) is None
    assert end_of(unknown, of=NOTED) is None
    assert end_of(unknown, of=NOTED_NONE) is None


# deadlines


@pytest.mark.parametrize(
    ("result", "last_word"),
    [
        (response("running"), "the last poll saw a training that does not answer the request"),
        (Unreachable("no whole response"), "the last poll brought: no whole response"),
        (
            Throttled("the Face service responded 429", status=429, wait=5.0, message="outside text"),
            "the last poll brought: the Face service responded 429",
        ),
        (Accepted(), "a training has just been started"),
    ],
    ids=label,
)
def test_a_request_is_given_up_at_its_deadline_and_says_what_was_seen_last(result: PollResult, last_word: str) -> None:
    assert end_of(result, seconds=21_599.9) is None
    expected = End(Outcome.TIMED_OUT, "timedOut", f"no end within 21600 seconds; {last_word}")
    assert end_of(result, seconds=21_600) == expected


def test_an_end_that_is_seen_after_the_deadline_is_told_as_it_is() -> None:
    assert outcome_of(response("succeeded"), seconds=50_000) is Outcome.SUCCEEDED


@pytest.mark.parametrize("result", [LaterSlot(START, 90.0), NotMade(600.0)])
def test_an_overdue_request_is_polled_once_before_it_is_given_up(result: PollResult) -> None:
    assert end_of(result, seconds=100_000) is None
    assert delay_after(NotMade(600.0), seconds=100_000) == 1


@pytest.mark.parametrize("result", [response("running"), Throttled("slow down", status=429, wait=900_000.0), MISSING])
def test_no_delay_goes_beyond_the_earliest_deadline(result: PollResult) -> None:
    younger = request(1, inserted_at=START + timedelta(seconds=10_000))
    assert delay_after(result, seconds=21_570, of=[younger, request(2)]) <= 30
    assert delay_after(result, seconds=21_599.5, of=[younger, request(2)]) == 1


def test_a_clock_that_is_behind_the_enqueuing_counts_as_its_moment() -> None:
    assert 1 <= delay_after(response("running"), seconds=-30) <= 60
    assert end_of(response("running"), seconds=-30) is None


# polls that were not made


@pytest.mark.parametrize("result", [LaterSlot(START, 90.0), NotMade(600.0)])
def test_a_poll_that_was_not_made_counts_for_nothing(result: PollResult) -> None:
    before = watch(polls=3, troubles=2, last=Last.ENDED, training=response().training)
    assert watch_after(result, before=before) == msgspec.structs.replace(before, last=Last.NO_ANSWER)


def test_a_request_whose_record_cannot_be_read_is_abandoned_whatever_comes() -> None:
    unreadable = request(unreadable=True)
    for result in (response("succeeded"), response(), MISSING, LaterSlot(START, 90.0), NotMade(600.0), TROUBLES[0]):
        assert outcome_of(result, of=unreadable) is Outcome.ABANDONED


# trainings of the app's own


@pytest.mark.parametrize(
    ("result", "noted_created"),
    [(response(), CREATED), (response("succeeded"), CREATED), (NEVER_TRAINED, None)],
    ids=label,
)
def test_the_first_poll_that_decides_on_a_request_with_train_notes_what_stands(
    result: PollResult, noted_created: str | None
) -> None:
    fresh = request(train=True)
    assert end_of(result, of=fresh) is None
    assert decide.must_note(fresh, result)
    noted = decide.noted(fresh, result)
    assert (noted.noted, noted.noted_created) == (True, noted_created)
    assert not decide.must_note(noted, response(created_date_time=LATER))
    assert not decide.must_note(request(), result)


@pytest.mark.parametrize("result", [MISSING, *TROUBLES[:4], LaterSlot(START, 90.0), NotMade(1.0)], ids=label)
def test_a_poll_that_does_not_tell_what_stands_notes_nothing(result: PollResult) -> None:
    assert not decide.must_note(request(train=True), result)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
@pytest.mark.parametrize("created", [CREATED, "2026-11-20T10:00:00Z", "2026-11-20T12:00:00.000+02:00"])
def test_the_training_that_stood_there_before_does_not_answer_however_it_is_written(status: str, created: str) -> None:
    assert end_of(response(status, created_date_time=created), of=NOTED) is None


@pytest.mark.parametrize("before", [NOTED, NOTED_NONE])
def test_another_training_than_the_noted_one_answers(before: RequestRecord) -> None:
    other = response("succeeded", created_date_time=LATER)
    assert outcome_of(other, of=before) is Outcome.SUCCEEDED
    demanding = msgspec.structs.replace(before, trained_after="2026-11-20T10:00:01Z")
    assert end_of(other, of=demanding) is None


@pytest.mark.parametrize(
    ("of", "result", "wanted"),
    [
        (NOTED_NONE, NEVER_TRAINED, True),
        (NOTED, NEVER_TRAINED, True),
        (NOTED, response("succeeded"), True),
        (NOTED, response("failed"), True),
        (NOTED, response("running"), False),
        (NOTED, response("notStarted"), False),
        (NOTED, response("succeeded", created_date_time=LATER), False),
        (NOTED_NONE, response("succeeded"), False),
        (NOTED_NONE, response("running"), False),
        (NOTED_NONE, MISSING, False),
        (NOTED_NONE, TROUBLES[0], False),
        (NOTED_NONE, TROUBLES[-1], False),
        (request(), NEVER_TRAINED, False),
        (request(train=True), NEVER_TRAINED, False),
    ],
)
def test_a_training_is_started_once_the_noted_one_has_ended(
    of: RequestRecord, result: PollResult, wanted: bool
) -> None:
    assert decide.wants_training(of, watch(), result) is wanted


def test_a_group_that_was_never_trained_is_trained_however_late_the_first_poll_is() -> None:
    for waiting in (request(train=True), NOTED_NONE):
        assert end_of(NEVER_TRAINED, seconds=10_000, of=waiting) is None
    called = watch(called_at=START + timedelta(seconds=10_000))
    assert end_of(NEVER_TRAINED, seconds=10_059, of=NOTED_NONE, before=called) is None
    assert outcome_of(NEVER_TRAINED, seconds=10_060, of=NOTED_NONE, before=called) is Outcome.NOT_TRAINED
    assert outcome_of(MISSING, seconds=10_000, of=NOTED_NONE) is Outcome.NOT_FOUND


def test_trainings_without_a_date_are_told_apart_by_the_apps_own_call() -> None:
    undated = response("succeeded", created_date_time=None)
    assert decide.wants_training(NOTED_NONE, watch(), undated)
    assert decide.wants_training(NOTED_NONE, watch(called_at=START - timedelta(seconds=1)), undated)
    assert not decide.wants_training(NOTED_NONE, watch(called_at=START + timedelta(seconds=1)), undated)


@pytest.mark.parametrize(
    ("claim", "claimed"),
    [
        (None, False),
        (Claim(CREATED, START), True),
        (Claim("2026-11-20T10:00:00Z", START), True),
        (Claim(LATER, START), False),
        (Claim(None, START), False),
    ],
)
def test_a_claim_holds_off_others_for_the_same_standing_training(claim: Claim | None, claimed: bool) -> None:
    before, result = watch(claim=claim), response("succeeded")
    assert decide.is_claimed(before, result, START + timedelta(seconds=CLAIM_SECONDS - 0.001)) is claimed
    assert not decide.is_claimed(before, result, START + timedelta(seconds=CLAIM_SECONDS))


def test_a_claim_on_no_training_holds_off_others_while_there_is_none() -> None:
    before = watch(claim=Claim(None, START))
    assert decide.is_claimed(before, NEVER_TRAINED, START)
    assert not decide.is_claimed(before, response("succeeded"), START)


def test_an_accepted_train_call_counts_as_a_training_under_way() -> None:
    after = watch_after(Accepted(), before=watch(polls=3, troubles=2))
    assert (after.last, after.polls, after.troubles) == (Last.RUNNING, 3, 0)
    assert after.called_at == START + timedelta(seconds=5)
    assert delays.age(after, Accepted(), START) == 0


def test_a_refused_train_call_ends_only_the_requests_that_asked_for_it() -> None:
    error = BadRequest("the Face service responded 400", status=400, code="BadArgument", message="Not so.")
    assert end_of(error, of=NOTED, of_train=True) == End(Outcome.REJECTED, "BadArgument", "Not so.")
    assert end_of(error, of=request(), of_train=True) is None


@pytest.mark.parametrize("error", [TROUBLES[-1], MISSING, Throttled("slow down", status=429)], ids=label)
def test_a_train_call_that_failed_is_not_a_poll(error: FaceError) -> None:
    before = watch(polls=3, first_poll_at=START)
    assert decide.watch_after(before, error, START, of_train=True).polls == 3
    assert decide.watch_after(before, error, START).polls == 4


# what is learned


def test_the_duration_of_a_training_is_learned_once_by_the_services_clock() -> None:
    ended = response("succeeded", last_successful_training_date_time="2026-11-20T10:00:37.2500000Z")
    once = watch_after(ended)
    assert once.past_durations == (37.25,)
    assert watch_after(ended, before=once).past_durations == (37.25,)
    again = response("succeeded", created_date_time=LATER, last_successful_training_date_time="2026-11-20T10:00:09Z")
    assert watch_after(again, before=once).past_durations == (37.25, 9.0)


def test_the_newest_durations_are_kept() -> None:
    ended = response("succeeded", last_successful_training_date_time="2026-11-20T10:00:37Z")
    full = watch(past_durations=tuple(float(number) for number in range(1, schedule.MAX_PAST + 1)))
    durations = watch_after(ended, before=full).past_durations
    assert durations == (*full.past_durations[1:], 37.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"created_date_time": None, "last_successful_training_date_time": "2026-11-20T10:00:37Z"},
        {"created_date_time": OLD_FORM, "last_successful_training_date_time": "2026-11-20T10:00:37Z"},
        {"last_successful_training_date_time": None},
        {"last_successful_training_date_time": OLD_FORM},
        {"last_successful_training_date_time": "2026-11-20T09:00:00Z"},
        {"status": "failed", "last_action_date_time": "2026-11-20T10:00:37Z"},
    ],
    ids=str,
)
def test_nothing_is_learned_of_a_training_whose_duration_is_not_known(changes: dict[str, Any]) -> None:
    status = changes.pop("status", "succeeded")
    assert watch_after(response(status, **changes)).past_durations == ()


def test_a_new_chain_knows_nothing_of_the_last_ones_training() -> None:
    before = watch(
        training=response("succeeded").training,
        seen_at=START,
        known_at=START,
        troubles=7,
        polls=9,
        past_durations=(5.0,),
    )
    after = watch_after(MISSING, before=before)
    assert (after.training, after.seen_at, after.known_at, after.troubles) == (None, None, None, 0)
    assert (after.first_poll_at, after.polls, after.past_durations) == (START + timedelta(seconds=5), 10, (5.0,))


# delays


def test_the_age_of_a_training_is_told_by_the_services_clock() -> None:
    now = START + timedelta(seconds=1_000)
    begun = watch(first_poll_at=START + timedelta(seconds=900))
    assert delays.age(begun, response(seconds=42.5), now) == 42.5
    assert delays.age(begun, response(seconds=-3), now) == 0
    for unknown in (response(), response(seconds=42, created_date_time=None), MISSING, response("succeeded")):
        assert delays.age(begun, unknown, now) == 100


def test_past_durations_speak_of_a_training_under_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pasts: list[Sequence[float]] = []

    def next_delay(past: Sequence[float], *_: object, **__: object) -> float:
        pasts.append(past)
        return 5.0

    monkeypatch.setattr(schedule, "next_delay", next_delay)
    before = watch(past_durations=(40.0,))
    for result in (response(), Accepted(), response("failed"), NEVER_TRAINED):
        delay_after(result, before=before)
    assert pasts == [(40.0,), (40.0,), (), ()]


@pytest.mark.parametrize(("price", "most"), [(0.25, 60), (1.0, 60), (4.0, 120), (100.0, 600)])
def test_the_longest_delay_stretches_with_the_price_of_a_poll(
    monkeypatch: pytest.MonkeyPatch, price: float, most: int
) -> None:
    monkeypatch.setattr(schedule, "next_delay", lambda _past, _age, *, price, bounds: bounds.most)  # noqa: ARG005
    assert delay_after(response(), price=price) == most


def test_delays_are_spread_so_that_groups_enqueued_together_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "next_delay", lambda _past, _age, *, price, bounds: 50.0)  # noqa: ARG005
    delays = {delay_after(response(), jitter=jitter / 10) for jitter in range(10)}
    assert (min(delays), max(delays)) == (50, 54)
    assert len(delays) > 3


RESULTS = st.one_of(
    st.builds(
        response,
        st.sampled_from(["succeeded", "failed", "running", "notStarted", "odd"]),
        seconds=st.none() | st.floats(min_value=-1e5, max_value=1e5),
    ),
    st.builds(
        error_from_response,
        st.integers(min_value=100, max_value=999),
        st.dictionaries(st.just("Retry-After"), st.integers(min_value=0, max_value=10**9).map(str)),
        st.sampled_from([b"", b'{"error": {"code": "LargePersonGroupNotFound"}}']),
    ),
    st.just(NoConnection("no connection")),
    st.just(Accepted()),
    st.builds(NotMade, st.floats(min_value=0, max_value=1e6)),
)


@given(
    RESULTS,
    st.floats(min_value=-1e6, max_value=1e6),
    st.floats(min_value=0, max_value=1, exclude_max=True),
    st.floats(min_value=0.01, max_value=1e6),
)
def test_every_poll_is_an_end_or_a_delay_up_to_the_deadline(
    result: PollResult, seconds: float, jitter: float, price: float
) -> None:
    end = end_of(result, seconds=seconds)
    if end is None:
        delay = delay_after(result, seconds=seconds, jitter=jitter, price=price)
        assert 1 <= delay <= min(max(21_600 - seconds, 1) + 1, MAX_VISIBILITY_SECONDS)
    elif isinstance(result, BadRequest):
        assert end.outcome is Outcome.REJECTED
    elif isinstance(result, (GroupNotFound, NotTrained)):
        assert seconds >= POLICY.grace
    weight = delays.weight_after(watch(), result, START + timedelta(seconds=seconds), POLICY, price=price)
    assert weight >= 0
