"""Several requests for one group share its watch, on real parts; each gets its own true end."""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import AzureError

from local.face_emulator import faults
from shared.training.record import Last
from tests.support.builders import message
from tests.support.waiting import wait_for
from tests.support.watch_parts import WatchParts

LONG_ENOUGH = 3.0
"""Seconds that a training takes which a test has to meet while it runs, also on a busy machine."""
THREADS = 16
"""As ``host.json`` has it for one instance (``batchSize``)."""


def created(parts: WatchParts) -> datetime:
    """Return when the training under way was created, by the service's clock."""
    training = parts.record().watch.training
    assert training is not None
    assert training.created_date_time is not None
    return datetime.fromisoformat(training.created_date_time)


def test_requests_with_different_demands_get_each_its_own_end(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.emulator.control.plan(duration=0)
    plain = parts.ask(1)
    later = (datetime.now(UTC) + timedelta(milliseconds=200)).isoformat()
    demanding = parts.ask(2, trainedAfter=later)
    assert parts.outcomes() == {plain: "succeeded"}

    def later_has_come() -> bool:
        return datetime.now(UTC) > datetime.fromisoformat(later)

    wait_for(later_has_come, what="the time that the second request asks for")
    trained = parts.ask(3, train=True)
    wait_for(parts.step_until(lambda: len(parts.outcomes()) == 3), what="all ends")
    assert parts.outcomes() == {plain: "succeeded", demanding: "succeeded", trained: "succeeded"}
    assert parts.train_calls() == 1
    events = {event["id"]: event for event in map(json.loads, parts.texts())}
    for request_id in (demanding, trained):
        assert events[request_id]["data"]["training"]["createdDateTime"] >= later[:19]
    assert events[plain]["data"]["training"]["createdDateTime"] < later


def test_a_plain_request_after_one_with_train_drops_no_demand(parts: WatchParts) -> None:
    parts.plan(duration=LONG_ENOUGH)
    parts.emulator.control.plan(duration=0)
    trained = parts.ask(1, train=True)
    plain = parts.ask(2)
    first = created(parts)
    wait_for(parts.step_until(lambda: len(parts.outcomes()) == 2), what="both ends")
    assert parts.train_calls() == 1
    ends = {event["id"]: event["data"]["training"]["createdDateTime"] for event in map(json.loads, parts.texts())}
    assert datetime.fromisoformat(ends[plain]) == first
    assert datetime.fromisoformat(ends[trained]) > first


def test_an_end_once_seen_is_told_before_a_training_of_the_apps_own_can_hide_it(parts: WatchParts) -> None:
    parts.plan(duration=LONG_ENOUGH)
    plain, trained = parts.ask(1), parts.ask(2, train=True)
    parts.emulator.control.plan(duration=3_600)
    wait_for(parts.step_until(lambda: parts.train_calls()), what="the train call")
    assert parts.outcomes() == {plain: "succeeded"}
    record = parts.record()
    assert ([each.request_id for each in record.open], record.watch.last) == ([trained], Last.RUNNING)


def test_several_requests_with_train_are_met_by_one_training(parts: WatchParts) -> None:
    parts.plan(duration=LONG_ENOUGH)
    parts.emulator.control.plan(duration=0)
    asked = {parts.ask(number, train=True) for number in range(3)}
    wait_for(parts.step_until(lambda: len(parts.outcomes()) == 3), what="all ends")
    assert set(parts.outcomes()) == asked
    assert parts.train_calls() == 1


@pytest.mark.parametrize(("fault", "last"), [(None, Last.RUNNING), (faults.ErrorResponse(status=500), Last.NO_ANSWER)])
def test_a_request_joins_without_a_poll_while_the_last_one_brought_no_end(
    parts: WatchParts, fault: faults.AnyFault | None, last: Last
) -> None:
    parts.plan(duration=60)
    if fault:
        parts.emulator.control.faults(fault)
    parts.ask(1)
    before = parts.record().watch
    assert before.last is last
    for number in (2, 3):
        parts.ask(number, train=True)
    after = parts.record()
    assert (parts.polls(), parts.messages(), after.watch.step) == (1, 1, before.step)
    assert (after.watch.step_token, after.watch.etag != before.etag) == (before.step_token, True)
    assert len(after.open) == 3


@pytest.mark.parametrize("last", [Last.ENDED, Last.NONE])
def test_a_request_polls_where_the_last_poll_saw_no_training_under_way(parts: WatchParts, last: Last) -> None:
    if last is Last.ENDED:
        parts.plan(duration=0)
    parts.ask(1, trainedAfter="2999-01-01T00:00:00Z")
    assert parts.record().watch.last is last
    parts.ask(2, trainedAfter="2999-01-01T00:00:00Z")
    record = parts.record()
    assert (parts.polls(), record.watch.step, len(record.open)) == (2, 2, 2)
    parts.follow(1)  # the chain of the first is passed
    assert parts.polls() == 2


def test_each_request_has_its_own_deadline_and_polls(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    first = parts.ask(1)
    parts.step(seconds=10_000)
    second = parts.ask(2)
    parts.step(seconds=11_600)
    assert parts.outcomes() == {first: "timedOut"}
    parts.plan(duration=0)
    parts.step(seconds=100)
    data = {event["id"]: event["data"] for event in map(json.loads, parts.texts())}
    assert (data[first]["polls"], data[first]["watchedSeconds"]) == (3, 21_600)
    assert (data[second]["outcome"], data[second]["polls"]) == ("succeeded", 2)
    assert data[second]["watchedSeconds"] == pytest.approx(11_700, abs=1)


def test_who_joins_while_the_watch_is_about_to_end_is_polled_for(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    first, other = parts.ask(1), parts.process()
    parts.plan(duration=0)
    parts.before_next_write(lambda: parts.ask(2, jobs=other))
    parts.follow(1)
    assert parts.outcomes() == {first: "succeeded"}
    record = parts.record()
    assert (record.watch.live, record.watch.step) == (True, 2)
    assert parts.delay() == pytest.approx(1, abs=0.1)
    assert parts.indexed() is not None
    parts.step(seconds=1)
    assert len(parts.outcomes()) == 2
    assert (parts.record().watch.live, parts.indexed()) == (False, None)


def test_who_loses_a_race_takes_its_follow_up_back_and_joins(parts: WatchParts) -> None:
    parts.plan(duration=60)
    other = parts.process()
    parts.before_next_write(lambda: parts.ask(2, jobs=other))
    parts.ask(1)
    record = parts.record()
    assert (record.watch.step, len(record.open), parts.messages(), parts.polls()) == (1, 2, 1, 2)


@pytest.mark.parametrize("losses", range(1, 9))
def test_responses_that_are_lost_lose_no_request_and_tell_it_the_same(parts: WatchParts, losses: int) -> None:
    def deliver(work: Callable[[], object]) -> None:
        """Deliver a message until it is handled, as the host does."""
        parts.transport.losses = losses  # after three in a row the client raises
        for _ in range(5):
            with suppress(AzureError):
                work()
                break
        parts.transport.losses = 0

    parts.plan(duration=60)
    messages = [message("my-group", message_id=f"request-{number}") for number in (1, 2)]
    for each in messages:
        deliver(lambda each=each: parts.jobs.watcher.handle(each))  # type: ignore[misc]
    assert len(parts.record().open) == 2
    assert parts.indexed() is not None
    parts.plan(duration=0)
    step = parts.record().watch.step
    deliver(lambda: parts.follow(step))
    for _ in range(2):
        parts.time.sleep(121)
        parts.jobs.caretaker.run()
    assert parts.outcomes() == {each.request_id: "succeeded" for each in messages}
    assert (parts.record().open, parts.record().owed, parts.indexed()) == ((), (), None)


def test_a_request_after_the_end_begins_a_new_chain(parts: WatchParts) -> None:
    parts.plan(duration=0)
    first = parts.ask(1)
    step = parts.record().watch.step
    second = parts.ask(2)
    assert parts.outcomes() == {first: "succeeded", second: "succeeded"}
    assert (parts.polls(), parts.record().watch.step, parts.messages()) == (2, step + 1, 0)


def test_the_durations_of_a_groups_trainings_are_learned(parts: WatchParts) -> None:
    parts.plan(duration=0.2)
    parts.ask(1)
    wait_for(parts.step_until(lambda: parts.outcomes()), what="the end")
    (seconds,) = parts.record().watch.past_durations
    assert seconds == pytest.approx(0.2, abs=0.05)
    parts.ask(2)  # sees the same training
    assert parts.record().watch.past_durations == (seconds,)


def test_an_unreadable_request_is_abandoned_and_stops_no_other(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    healthy, damaged = parts.ask(1), parts.ask(2, correlationId="private")
    (row,) = (row for row in parts.table.list_entities() if row["RowKey"] == f"open!{damaged}")
    parts.table.update_entity({**row, "trainedAfter": "yesterday"})
    parts.step()
    assert parts.outcomes() == {damaged: "abandoned"}
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes() == {damaged: "abandoned", healthy: "succeeded"}


def test_a_request_whose_owed_row_cannot_be_read_stops_no_other_when_it_is_delivered_again(
    parts: WatchParts,
) -> None:
    parts.plan(duration=0)
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        parts.ask(1)
    parts.results.create_queue()
    (row,) = (row for row in parts.table.list_entities() if str(row["RowKey"]).startswith("owed!"))
    parts.table.update_entity({**row, "event": 7})
    parts.ask(1)
    healthy = parts.ask(2)
    parts.jobs.canceller.cancel(parts.record().group, str(row["RowKey"]).removeprefix("owed!"))
    assert parts.outcomes() == {healthy: "succeeded"}
    assert parts.record().open == ()


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_a_thousand_requests_for_one_group_cost_a_few_polls_and_all_are_told(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    hosts = [parts.process(jitter=random.random, sleep=time.sleep) for _ in range(2)]
    with ThreadPoolExecutor(THREADS) as one, ThreadPoolExecutor(THREADS) as other:
        pools = (one, other)
        handled = [
            pools[number % 2].submit(
                hosts[number % 2].watcher.handle, message("my-group", message_id=f"request-{number}")
            )
            for number in range(1_000)
        ]
        for each in handled:
            each.result()
    assert len(parts.record().open) == 1_000
    assert parts.polls() <= 3
    parts.plan(duration=0)
    step = parts.record().watch.step
    calls = parts.calls_of(lambda: parts.follow(step))
    assert parts.polls() <= 4
    outcomes = parts.outcomes()
    assert (len(outcomes), set(outcomes.values())) == (1_000, {"succeeded"})
    assert len(parts.texts()) == 1_000
    assert (parts.record().open, parts.record().owed, parts.indexed()) == ((), (), None)
    # One query of two pages; 21 transactions of 49 ends; for each 40 one to move them; for each 100 one for the day.
    assert len([call for call in calls if "results" not in call.path]) <= 2 + 21 + 25 + 10 + 3
