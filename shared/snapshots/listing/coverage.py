"""Which page to ask for next, so that ranges of the key space are listed side by side, and what each page proves."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from shared.snapshots.errors import OutOfOrder
from shared.snapshots.listing.key_range import HEAD_IDS, KeyRange, Listed, ranges_behind
from shared.snapshots.listing.key_space import KeySpace
from shared.snapshots.listing.splitting import Splitter, Standing

_NEIGHBOURS = 256


@dataclass(frozen=True)
class Call:
    """A page to ask for, on behalf of a range."""

    range: KeyRange
    after: str


@dataclass(frozen=True)
class Kept:
    """What is new in a page: ``ids[begin:end]``, which follow the ID ``after`` without a gap."""

    begin: int
    end: int
    after: str


NOTHING = Kept(0, 0, "")


class Coverage:
    """The ranges of one listing, in key order, and what is known of each. No I/O, no threads.

    Two ranges meet where a page of the left one reaches the first groups of the right one. So it does not matter which
    keys the ranges began at, and what a group's ID is compared with is always another group's ID. The list ends where
    a page is empty, and only there: a page may be short for any reason.
    """

    def __init__(self, splitter: Splitter, *, listed: Sequence[Listed] = ()) -> None:
        self._splitter = splitter
        self._ranges = ranges_behind(listed)
        self._pages = 0
        self._waste = 0.0
        self._missed = 0
        self._ends: set[str] = set()  # the keys that an empty page followed

    @property
    def finished(self) -> bool:
        """Tell whether every group has been seen."""
        return all(each.done for each in self._ranges)

    def next_call(self, latency: float = 0.0) -> Call | None:
        """Return the next page to ask for; ``None`` while all that is worth asking for is under way.

        ``latency`` is about how many seconds a call takes, or has taken so far while none has ended.
        """
        waiting = [index for index in range(len(self._ranges)) if self._may_go_on(index)]
        if waiting:
            chosen = self._ranges[max(waiting, key=partial(self._splitter.pages_left, self._ranges))]
        elif probe := self._split(latency):
            chosen = probe
        else:
            return None
        chosen.in_flight = True
        return Call(chosen, chosen.cursor)

    def page_arrived(self, call: Call, ids: Sequence[str]) -> Kept:
        """Take in a page, and return what of it is new.

        Raises:
            OutOfOrder: where the page is not strictly ascending, does not begin behind the call's key, or does not fit
                to other groups that have been seen.
        """
        if any(one >= other for one, other in pairwise(ids)) or (ids and ids[0] <= call.after):
            raise OutOfOrder("the service's page is not in the ordinal order of its IDs, or begins before its cursor")
        if not ids:
            self._ends.add(call.after)
        call.range.in_flight = False
        if call.range not in self._ranges:
            return NOTHING
        kept = self._probed(call.range, ids) if call.range.probe else self._walked(call.range, ids)
        self._pages += kept.end > kept.begin
        # A list ends with one empty page. And what guesses cost while nothing was known does not count later.
        needed = call.range.blind or (not ids and len(self._ends) == 1)
        self._waste += 0 if needed else 1 - (kept.end - kept.begin) / max(1, len(ids))
        call.range.blind = False
        if kept.begin < kept.end:
            self._forget_overtaken(call.range, ids[kept.begin])
        self._join()
        return kept

    def _walked(self, walked: KeyRange, ids: Sequence[str]) -> Kept:
        right = self._proven_right_of(walked)
        end = _meeting(ids, right)
        kept = Kept(0, end, walked.cursor)
        if end:
            self._advance(walked, ids[:end])
        if right is None:
            walked.done = walked.done or self._at_end(walked)
        elif end < len(ids) or walked.cursor == right.start:
            walked.done = True
        elif not ids:
            raise OutOfOrder("the service responded with an empty page although there are later groups")
        return kept

    def _probed(self, probe: KeyRange, ids: Sequence[str]) -> Kept:
        left, right = self._proven_left_of(probe), self._proven_right_of(probe)
        begin = bisect_right(ids, left.cursor)
        end = _meeting(ids, right)
        if begin >= end:
            self._missed += not probe.blind
            self._drop(probe, ceiling=probe.ceiling if begin else probe.cursor)
            return NOTHING
        meets_left = left.cursor in (ids[begin - 1] if begin else None, probe.start)
        # A left range that had found the end goes on: an empty page before later groups was not the end.
        left.done = meets_left
        kept = Kept(begin, end, left.cursor if meets_left else probe.cursor)
        probe.probe = probe.guess = False
        probe.head = tuple(ids[begin : min(end, begin + HEAD_IDS)])
        self._advance(probe, ids[begin:end])
        probe.done = end < len(ids) or (self._at_end(probe) if right is None else probe.cursor == right.start)
        return kept

    def _forget_overtaken(self, walked: KeyRange, first: str) -> None:
        """Leave out the probes behind a call's key and before the first ID it brought: they will bring the same."""
        index = self._ranges.index(walked) + 1
        while index < len(self._ranges) and self._ranges[index].probe and self._ranges[index].cursor < first:
            self._missed += not self._ranges[index].blind
            self._waste += not self._ranges[index].blind
            del self._ranges[index]

    def _drop(self, probe: KeyRange, ceiling: str | None) -> None:
        index = self._ranges.index(probe)
        left = self._ranges[index - 1]
        left.ceiling = ceiling
        del self._ranges[index]
        if index == len(self._ranges) and not left.probe:
            left.done = left.done or self._at_end(left)

    def _advance(self, walked: KeyRange, ids: Sequence[str]) -> None:
        walked.cursor = ids[-1]
        if len(ids) > 1:
            walked.space = KeySpace(ids[-_NEIGHBOURS:])

    def _at_end(self, walked: KeyRange) -> bool:
        # Nothing but the very ID: of a smaller key, only the ordinal order would tell that its empty page is the end.
        return walked.cursor in self._ends

    def _join(self) -> None:
        """Make one range of two that meet, so that there are not many to look at."""
        joined: list[KeyRange] = []
        for each in self._ranges:
            if joined and joined[-1].done and not joined[-1].in_flight and not each.probe:
                left = joined.pop()
                each.head, each.start = left.head or each.head, left.start
            joined.append(each)
        self._ranges = joined

    def _proven_left_of(self, probe: KeyRange) -> KeyRange:
        index = self._ranges.index(probe)
        return next(each for each in reversed(self._ranges[:index]) if not each.probe)

    def _proven_right_of(self, walked: KeyRange) -> KeyRange | None:
        index = self._ranges.index(walked)
        return next((each for each in self._ranges[index + 1 :] if not each.probe), None)

    def _may_go_on(self, index: int) -> bool:
        walked = self._ranges[index]
        following = self._ranges[index + 1] if index + 1 < len(self._ranges) else None
        # A probe that begins at this cursor, or before it, is asking for what follows.
        overtaken = following is not None and following.probe and (following.start or "") <= walked.cursor
        return not (walked.done or walked.in_flight or overtaken)

    def _split(self, latency: float) -> KeyRange | None:
        standing = Standing(self._pages, self._waste, self._missed, latency)
        split = self._splitter.choose(self._ranges, standing)
        if split is None:
            return None
        walked = self._ranges[split.place]
        probe = KeyRange(
            cursor=split.key, start=split.key, probe=True, guess=split.guess, ceiling=walked.ceiling, blind=split.blind
        )
        # What is sure to lie as densely can be split further before its first page is there.
        probe.space = None if split.guess else walked.space
        walked.ceiling = None
        self._ranges.insert(split.place + 1, probe)
        return probe


def _meeting(ids: Sequence[str], right: KeyRange | None) -> int:
    """Return how many of the IDs lie before the range to the right."""
    end = len(ids) if right is None else bisect_left(ids, right.first)
    # Some of the head may have been deleted meanwhile, but hardly all of it.
    if right is not None and end < len(ids) and ids[end] not in right.head:
        raise OutOfOrder("two ranges of the service's list do not fit together")
    return end
