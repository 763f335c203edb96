"""Cancel on real parts, in each state of a request."""

import dataclasses
import json
from typing import Any

import pytest
from azure.core.exceptions import AzureError

from shared.training.rows import OPEN, TOLD
from tests.support.builders import GROUP, REQUEST_ID
from tests.support.watch_parts import WatchParts


def cancel(parts: WatchParts, request_id: str = REQUEST_ID) -> bool:
    return parts.jobs.canceller.cancel(GROUP, request_id)


def test_an_open_request_ends_as_cancelled_and_the_others_go_on(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue('{"groupId": "my-group", "correlationId": "order 7"}')
    other = parts.ask(1)
    step = parts.record().watch.step
    parts.time.sleep(30)
    assert cancel(parts)
    event = parts.event()
    data = event["data"]
    assert (event["id"], event["type"]) == (REQUEST_ID, "face.training.cancelled")
    assert (data["correlationId"], data["error"], data["training"]["status"]) == ("order 7", None, "running")
    assert data["watchedSeconds"] == pytest.approx(30, abs=0.1)
    record = parts.record()
    assert ([each.request_id for each in record.open], record.watch.step, record.watch.live) == ([other], step, True)
    assert parts.indexed() is not None
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes() == {REQUEST_ID: "cancelled", other: "succeeded"}


def test_where_nobody_is_left_the_follow_up_ends_the_watch_without_a_poll(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    cancel(parts)
    assert parts.indexed() is not None
    parts.step(seconds=10)
    record = parts.record()
    assert (record.watch.live, record.open, parts.indexed(), parts.polls()) == (False, (), None, 1)
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}


def test_a_request_whose_message_is_still_on_its_way_ends_as_cancelled_and_is_dropped_then(parts: WatchParts) -> None:
    parts.plan(duration=0)
    assert cancel(parts)
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}
    parts.enqueue()
    assert (len(parts.texts()), parts.polls(), parts.messages()) == (1, 0, 0)
    assert not any(key.startswith(OPEN) for key in parts.row_keys())
    # The timer finds that there is nothing to do.
    parts.time.sleep(121)
    parts.jobs.caretaker.run()
    assert parts.indexed() is None


def test_a_request_on_its_way_to_a_live_watch_ends_as_cancelled_too(parts: WatchParts) -> None:
    parts.plan(duration=60)
    other = parts.ask(1)
    assert cancel(parts)
    parts.enqueue()
    parts.plan(duration=0)
    parts.step()
    assert parts.outcomes() == {REQUEST_ID: "cancelled", other: "succeeded"}


def test_a_request_that_was_told_stays_as_it_ended(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.enqueue()
    assert not cancel(parts)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}
    assert len(parts.texts()) == 1


def test_a_request_whose_event_is_owed_is_told_as_it_ended(parts: WatchParts) -> None:
    parts.plan(duration=0)
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        parts.enqueue()
    parts.results.create_queue()
    assert not cancel(parts)
    assert parts.outcomes() == {REQUEST_ID: "succeeded"}
    assert parts.record().owed == ()


def test_to_cancel_twice_is_to_cancel_once(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    assert [cancel(parts), cancel(parts)] == [True, False]
    assert len(parts.texts()) == 1


def test_a_cancel_that_died_before_its_event_was_sent_is_told_by_the_next_who_comes(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        cancel(parts)
    parts.results.create_queue()
    assert parts.texts() == []
    parts.step(seconds=5)
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}
    assert (parts.record().watch.live, parts.indexed()) == (False, None)


def test_a_cancel_of_what_is_on_its_way_that_died_is_told_by_the_timer(parts: WatchParts) -> None:
    parts.results.delete_queue()
    with pytest.raises(AzureError):
        cancel(parts)
    parts.results.create_queue()
    parts.time.sleep(121)
    for _ in range(2):
        parts.jobs.caretaker.run()
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}
    assert parts.indexed() is None


def test_a_cancel_that_died_in_the_midst_of_the_last_step_is_told_by_that_step(parts: WatchParts) -> None:
    parts.plan(duration=3_600)
    other = parts.ask(1)
    store = parts.process().store
    canceller = dataclasses.replace(parts.jobs.canceller, store=store)
    write = store.write

    def write_in_the_midst_of_a_step(*arguments: Any, **changes: Any) -> None:
        # The step has put the group into the index after the cancel has, so the step takes it out.
        parts.before_next_write(lambda: write(*arguments, **changes))
        parts.follow(1)
        raise AzureError("the process dies")

    store.write = write_in_the_midst_of_a_step  # type: ignore[method-assign,assignment]
    parts.plan(duration=0)
    with pytest.raises(AzureError, match="the process dies"):
        canceller.cancel(GROUP, REQUEST_ID)
    assert parts.outcomes() == {REQUEST_ID: "cancelled", other: "succeeded"}
    assert (parts.record().owed, parts.indexed()) == ((), None)


def test_a_cancel_whose_write_was_done_though_its_response_was_lost_is_one_cancel(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue()
    upsert_and_transaction = 2
    parts.transport.losses = upsert_and_transaction
    assert cancel(parts)
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}
    assert len({*parts.texts()}) == 1


def test_all_open_requests_of_a_group_are_cancelled_at_once(parts: WatchParts) -> None:
    parts.plan(duration=60)
    asked = [parts.ask(number) for number in range(5)]
    assert sorted(parts.jobs.canceller.cancel_all(GROUP)) == sorted(asked)
    assert parts.outcomes() == dict.fromkeys(asked, "cancelled")
    assert parts.jobs.canceller.cancel_all(GROUP) == []
    assert len([key for key in parts.row_keys() if key.startswith(TOLD)]) == 5


def test_a_request_with_train_that_is_cancelled_starts_no_training(parts: WatchParts) -> None:
    parts.plan(duration=60)
    parts.enqueue('{"groupId": "my-group", "train": true}')
    cancel(parts)
    parts.plan(duration=0)
    parts.step(seconds=10)
    assert parts.train_calls() == 0
    assert parts.outcomes() == {REQUEST_ID: "cancelled"}


def test_a_cancelled_request_says_what_was_polled_for_it(parts: WatchParts) -> None:
    parts.plan(duration=60)
    other = parts.ask(1)
    parts.step(seconds=5)
    parts.enqueue()
    parts.step(seconds=5)
    cancel(parts)
    events = {event["id"]: event["data"] for event in map(json.loads, parts.texts())}
    assert (events[REQUEST_ID]["polls"], parts.polls()) == (1, 3)
    assert other not in events
