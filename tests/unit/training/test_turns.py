import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.training.turns import MAX_TOGETHER, Turns
from tests.support.waiting import wait_for

TIMEOUT_SECONDS = 30.0


class Gate:
    """Work that waits until the test lets it go on; every batch that has begun is in ``batches``."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.open = threading.Event()
        self.turns = Turns(self.work)

    def work(self, items: Sequence[object]) -> None:
        self.batches.append(list(items))
        assert self.open.wait(TIMEOUT_SECONDS)

    def waiting(self, key: Hashable, count: int) -> Callable[[], bool]:
        """Return a condition: so many items stand in the line of a key."""
        return lambda: len(self.turns._lines.get(key, [])) == count  # noqa: SLF001 - nothing else tells


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(100) as pool:
        yield pool


def take(threads: ThreadPoolExecutor, gate: Gate, key: str, item: object, together: Hashable) -> "Future[None]":
    return threads.submit(gate.turns.take, key, item, together=together)


def results(futures: Sequence["Future[None]"]) -> None:
    for each in futures:
        each.result(TIMEOUT_SECONDS)


def test_requests_that_wait_behind_one_are_handled_together(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    futures = [take(threads, gate, "group", 0, "request")]
    wait_for(lambda: gate.batches, what="the first to begin")
    futures += [take(threads, gate, "group", number, "request") for number in range(1, 31)]
    wait_for(gate.waiting("group", 30), what="the others to wait")
    gate.open.set()
    results(futures)
    first, rest = gate.batches
    assert first == [0]
    assert sorted(map(str, rest)) == sorted(map(str, range(1, 31)))


def test_no_more_are_handled_together_than_one_transaction_takes(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    futures = [take(threads, gate, "group", 0, "request")]
    wait_for(lambda: gate.batches, what="the first to begin")
    futures += [take(threads, gate, "group", number, "request") for number in range(1, 62)]
    wait_for(gate.waiting("group", 61), what="the others to wait")
    gate.open.set()
    results(futures)
    assert [len(each) for each in gate.batches] == [1, MAX_TOGETHER, 61 - MAX_TOGETHER]


def test_only_what_is_alike_is_handled_together_and_follow_ups_each_alone(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    futures = [take(threads, gate, "group", "first", None)]
    wait_for(lambda: gate.batches, what="the first to begin")
    kinds = {"request": 3, "exhausted": 2, None: 2}
    for kind, count in kinds.items():
        futures += [take(threads, gate, "group", (kind, number), kind) for number in range(count)]
    wait_for(gate.waiting("group", 7), what="the others to wait")
    gate.open.set()
    results(futures)
    rest = [{each[0] if isinstance(each, tuple) else None for each in batch} for batch in gate.batches[1:]]
    assert all(len(each) == 1 for each in rest)
    assert sorted(len(batch) for batch in gate.batches) == [1, 1, 1, 2, 3]


def test_another_group_is_served_meanwhile(threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    futures = [take(threads, gate, name, name, "request") for name in ("one", "two", "three")]
    wait_for(lambda: len(gate.batches) == 3, what="all three to be handled at once")
    gate.open.set()
    results(futures)


def test_what_the_handling_raises_everybody_gets_who_was_handled_by_it(threads: ThreadPoolExecutor) -> None:
    begun, let_fail = threading.Event(), threading.Event()

    def fail_with_all(items: Sequence[object]) -> None:
        begun.set()
        assert let_fail.wait(TIMEOUT_SECONDS)
        raise LookupError(f"{len(items)} items")

    turns = Turns(fail_with_all)
    first = threads.submit(turns.take, "group", 0, together="request")
    assert begun.wait(TIMEOUT_SECONDS)
    others = [threads.submit(turns.take, "group", number, together="request") for number in (1, 2)]
    wait_for(lambda: len(turns._lines["group"]) == 2, what="the others to wait")  # noqa: SLF001 - nothing else tells
    let_fail.set()
    assert str(first.exception(TIMEOUT_SECONDS)) == "1 items"
    assert [str(each.exception(TIMEOUT_SECONDS)) for each in others] == ["2 items", "2 items"]


def test_a_failure_frees_the_turn_and_nothing_is_left_behind(threads: ThreadPoolExecutor) -> None:
    lots = iter([LookupError("once"), None])

    def fail_once(_items: Sequence[object]) -> None:
        if error := next(lots):
            raise error

    turns = Turns(fail_once)
    with pytest.raises(LookupError):
        turns.take("group", 1, together="request")
    threads.submit(turns.take, "group", 2, together="request").result(TIMEOUT_SECONDS)
    assert (turns._busy, turns._lines) == (set(), {})  # noqa: SLF001 - a leak shows nowhere else


def test_many_threads_handle_each_item_once_and_no_two_of_one_key_at_a_time(threads: ThreadPoolExecutor) -> None:
    handled: list[object] = []
    busy: set[object] = set()

    def work(items: Sequence[tuple[str, int]]) -> None:
        (key,) = {key for key, _ in items}
        assert key not in busy
        busy.add(key)
        handled.extend(items)
        busy.discard(key)

    turns = Turns(work)
    everything = [(f"group-{number % 7}", number) for number in range(2_000)]
    results([threads.submit(turns.take, item[0], item, together="request") for item in everything])
    assert sorted(map(str, handled)) == sorted(map(str, everything))
