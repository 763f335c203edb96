"""Decide which page to ask for next, so that ranges of the key space are listed side by side."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from shared.snapshots.errors import OutOfOrder
from shared.snapshots.listing.key_range import HEAD_IDS, KeyRange
from shared.snapshots.listing.key_space import KeySpace
from shared.snapshots.listing.splitting import Splitter

_NEIGHBOURS = 256
_SMALL_PAGE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Call:
    """Ask for the page behind ``after``; a call's answer belongs to its range."""

    range: KeyRange
    after: str


@dataclass(frozen=True)
class Kept:
    """Say what is new in a page: ``ids[begin:end]``, which follow the ID ``after`` without a gap."""

    begin: int
    end: int
    after: str


class Coverage:
    """Hold the ranges of one listing, in key order, and what is known of each. No I/O, no threads.

    Two ranges meet where a page of the left one reaches the ``first`` of the right one. So it does not matter which
    keys the ranges began at, and what a group's ID is compared with is always another group's ID.

    ``top`` is the page size that is asked for. ``listed`` are stretches of IDs that need not be listed again,
    ascending: each the ID that it follows, its first and its last ID.
    """

    def __init__(self, top: int, splitter: Splitter, *, listed: Sequence[tuple[str, str, str]] = ()) -> None:
        self._top = top
        self._splitter = splitter
        self._ranges = _ranges_behind(listed)
        self._pages = 0
        self._waste = 0.0

    @property
    def finished(self) -> bool:
        """Tell whether every group has been seen."""
        return all(each.done for each in self._ranges)

    def next_call(self, *, may_split: bool) -> Call | None:
        """Return the next page to ask for; ``None`` while all that is worth asking for is under way."""
        waiting = [index for index in range(len(self._ranges)) if self._may_go_on(index)]
        if waiting:
            chosen = self._ranges[max(waiting, key=partial(self._splitter.pages_left, self._ranges))]
        elif may_split and (probe := self._split()):
            chosen = probe
        else:
            return None
        chosen.in_flight = True
        return Call(chosen, chosen.cursor)

    def page_arrived(self, call: Call, ids: Sequence[str], size: int) -> Kept:
        """Take in a page of ``size`` bytes as it came, and return what of it is new.

        Raises:
            OutOfOrder: where the page is not strictly ascending, does not begin behind the call's key, or does not fit
                to later groups that have been seen.
        """
        if any(one >= other for one, other in pairwise(ids)) or (ids and ids[0] <= call.after):
            raise OutOfOrder("the service's page is not in the ordinal order of its IDs, or begins before its cursor")
        call.range.in_flight = False
        at_end = self._is_end(ids, size)
        kept = self._probed(call.range, ids, at_end) if call.range.probe else self._walked(call.range, ids, at_end)
        self._pages += kept.end > kept.begin
        self._waste += 1 - (kept.end - kept.begin) / max(1, len(ids))
        return kept

    def _walked(self, walked: KeyRange, ids: Sequence[str], at_end: bool) -> Kept:
        right = self._proven_right_of(walked)
        end = _meeting(ids, right)
        kept = Kept(0, end, walked.cursor)
        if end:
            self._advance(walked, ids[:end])
        if right is None:
            walked.done = walked.done or at_end
        elif end < len(ids) or walked.cursor == right.start:
            walked.done = True
        elif not ids:
            raise OutOfOrder("the service answered an empty page although there are later groups")
        return kept

    def _probed(self, probe: KeyRange, ids: Sequence[str], at_end: bool) -> Kept:
        left, right = self._proven_left_of(probe), self._proven_right_of(probe)
        begin = bisect_right(ids, left.cursor)
        end = _meeting(ids, right)
        if begin >= end:
            self._drop(probe, ceiling=probe.ceiling if begin else probe.cursor)
            return Kept(0, 0, "")
        meets_left = left.cursor in (ids[begin - 1] if begin else None, probe.start)
        left.done = left.done or meets_left
        kept = Kept(begin, end, left.cursor if meets_left else probe.cursor)
        probe.probe = probe.guess = False
        probe.head = tuple(ids[begin : min(end, begin + HEAD_IDS)])
        self._advance(probe, ids[begin:end])
        probe.done = end < len(ids) or (right is None and at_end)
        return kept

    def _drop(self, probe: KeyRange, ceiling: str | None) -> None:
        index = self._ranges.index(probe)
        self._ranges[index - 1].ceiling = ceiling
        del self._ranges[index]

    def _advance(self, walked: KeyRange, ids: Sequence[str]) -> None:
        walked.cursor = ids[-1]
        if len(ids) > 1:
            walked.space = KeySpace(ids[-_NEIGHBOURS:])

    def _is_end(self, ids: Sequence[str], size: int) -> bool:
        # A page may be short because its groups are large; one that is nearly empty and small is the end of the list.
        return not ids or (len(ids) < self._top // 10 and size < _SMALL_PAGE_BYTES)

    def _proven_left_of(self, probe: KeyRange) -> KeyRange:
        index = self._ranges.index(probe)
        return next(each for each in reversed(self._ranges[:index]) if not each.probe)

    def _proven_right_of(self, walked: KeyRange) -> KeyRange | None:
        index = self._ranges.index(walked)
        return next((each for each in self._ranges[index + 1 :] if not each.probe), None)

    def _may_go_on(self, index: int) -> bool:
        walked = self._ranges[index]
        following = self._ranges[index + 1] if index + 1 < len(self._ranges) else None
        # A probe that begins right behind this cursor is asking for the same page.
        overtaken = following is not None and following.probe and following.start == walked.cursor
        return not (walked.done or walked.in_flight or overtaken)

    def _split(self) -> KeyRange | None:
        split = self._splitter.choose(self._ranges, pages=self._pages, waste=self._waste)
        if split is None:
            return None
        walked = self._ranges[split.place]
        probe = KeyRange(cursor=split.key, start=split.key, probe=True, guess=split.guess, ceiling=walked.ceiling)
        # What is sure to lie as densely can be split further before its first page is there.
        probe.space = None if split.guess else walked.space
        walked.ceiling = None
        self._ranges.insert(split.place + 1, probe)
        return probe


def _meeting(ids: Sequence[str], right: KeyRange | None) -> int:
    """Return how many of the IDs lie before the range to the right."""
    end = len(ids) if right is None else bisect_left(ids, right.first)
    # Some of the head may have been deleted meanwhile; where only one ID is known, nothing can be said.
    if right is not None and end < len(ids) and len(right.head) > 1 and ids[end] not in right.head:
        raise OutOfOrder("two ranges of the service's list do not fit together")
    return end


def _ranges_behind(listed: Sequence[tuple[str, str, str]]) -> list[KeyRange]:
    ranges = [KeyRange(cursor="")]
    for after, first, last in listed:
        if after == ranges[-1].cursor:
            ranges[-1].cursor = last
        else:
            ranges.append(KeyRange(cursor=last, head=(first,)))
    return ranges
