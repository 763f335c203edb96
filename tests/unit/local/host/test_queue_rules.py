import pytest

from local.host import queue_rules
from local.host.host_json import default_new_batch_threshold
from local.host.queue_rules import Completion


def complete(*, succeeded: bool, dequeue_count: int = 1, has_poison_queue: bool = True) -> Completion:
    return queue_rules.complete(
        succeeded=succeeded, dequeue_count=dequeue_count, max_dequeue_count=5, has_poison_queue=has_poison_queue
    )


def test_the_lease_is_ten_minutes_and_renewed_after_five() -> None:
    assert queue_rules.LEASE_SECONDS == 600
    assert queue_rules.renewal_delay(0) == 300


def test_a_renewal_that_failed_is_tried_sooner_but_not_within_a_minute() -> None:
    assert [queue_rules.renewal_delay(failures) for failures in (1, 2, 3, 4)] == [150, 75, 60, 60]


@pytest.mark.parametrize(("batch_size", "cores", "threshold"), [(16, 1, 8), (16, 2, 16), (1, 4, 0), (5, 2, 4)])
def test_the_default_threshold_is_half_a_batch_for_each_core(batch_size: int, cores: int, threshold: int) -> None:
    assert default_new_batch_threshold(batch_size, cores) == threshold


def test_the_first_empty_poll_waits_a_tenth_of_a_second() -> None:
    assert queue_rules.polling_delay(1, maximum=60, randomness=1.2) == 0.1


@pytest.mark.parametrize("randomness", [0.8, 1.0, 1.2])
def test_each_further_empty_poll_doubles_what_is_added(randomness: float) -> None:
    delays = [queue_rules.polling_delay(polls, maximum=60, randomness=randomness) for polls in (2, 3, 4, 5)]
    assert delays == pytest.approx([0.1 + 0.1 * factor * randomness for factor in (1, 2, 4, 8)])


@pytest.mark.parametrize("polls", [12, 100, 1_000_000])
def test_no_poll_waits_longer_than_the_maximum(polls: int) -> None:
    assert queue_rules.polling_delay(polls, maximum=60, randomness=0.8) == 60


def test_a_message_of_a_function_that_succeeded_is_deleted() -> None:
    assert complete(succeeded=True, dequeue_count=5) is Completion.DELETE
    assert complete(succeeded=True, has_poison_queue=False) is Completion.DELETE


def test_a_message_of_a_function_that_failed_is_released_until_the_fifth_try() -> None:
    outcomes = [complete(succeeded=False, dequeue_count=count) for count in (1, 4, 5, 6)]
    assert outcomes == [Completion.RELEASE, Completion.RELEASE, Completion.MOVE_TO_POISON, Completion.MOVE_TO_POISON]


def test_a_message_that_fails_in_a_poison_queue_stays_hidden() -> None:
    assert complete(succeeded=False, dequeue_count=5, has_poison_queue=False) is Completion.LEAVE_HIDDEN


def test_a_message_received_more_often_than_the_maximum_is_spent() -> None:
    assert not queue_rules.is_spent(5, max_dequeue_count=5)
    assert queue_rules.is_spent(6, max_dequeue_count=5)


def test_a_poison_queue_has_none_of_its_own() -> None:
    assert queue_rules.poison_queue_of("work") == "work-poison"
    assert queue_rules.poison_queue_of("work-poison") is None
