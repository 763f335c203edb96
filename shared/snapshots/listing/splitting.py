"""Choose where a range of the key space is split, such that hardly a call is wasted.

A bad choice costs a call, never a group. Where an earlier listing's IDs are known, they are the map to go by. Else the
last IDs of a range say how densely its groups lie, which is trusted up to the next range that has brought a page; what
lies beyond is a guess, and guesses are made sparingly.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from shared.snapshots.listing.key_range import KeyRange

MAX_GROUPS = 1_000_000
"""The most dynamic person groups of one resource (the service's limits)."""
_MOST_WASTE = 0.03
"""The share of calls that may bring nothing new, for the sake of listing side by side."""
_GUESSES = 2
_WORTH_SPLITTING = 1.2


class Split(NamedTuple):
    """Begin a new range behind ``key``, within the ``place``-th range."""

    place: int
    key: str
    guess: bool


class _Outlook(NamedTuple):
    pages: float
    sure: bool


class Splitter:
    """Choose splits for a listing of pages of ``top`` groups.

    ``map_keys`` are IDs, ascending and about a page apart, that an earlier listing found.
    """

    def __init__(self, top: int, map_keys: Sequence[str]) -> None:
        self._top = top
        self._map = map_keys

    def pages_left(self, ranges: Sequence[KeyRange], index: int) -> float:
        """Estimate how many pages of a range have not been asked for."""
        return self._outlook(ranges, index).pages

    def choose(self, ranges: Sequence[KeyRange], *, pages: int, waste: float) -> Split | None:
        """Return where to split the range that has most pages left; ``None`` where it is not worth a call.

        ``pages`` have been listed so far, at the cost of ``waste`` pages that brought nothing new.
        """
        outlooks = [self._outlook(ranges, index) for index in range(len(ranges))]
        # Where two ranges meet, half a page is listed twice on the average.
        meetings = sum(not each.done for each in ranges) / 2
        if waste + meetings > _MOST_WASTE * (pages + sum(each.pages for each in outlooks)):
            return None
        guesses = sum(each.guess for each in ranges)
        may_guess = guesses < _GUESSES and waste + guesses <= _GUESSES + _MOST_WASTE * pages
        index = max(
            (index for index, each in enumerate(outlooks) if each.sure or may_guess),
            key=lambda index: outlooks[index].pages,
            default=-1,
        )
        if index < 0 or outlooks[index].pages < _WORTH_SPLITTING:
            return None
        key = self._key_within(ranges, index, outlooks[index])
        upper = _upper_bound(ranges, index)
        if key <= ranges[index].cursor or (upper is not None and key >= upper):
            return None
        return Split(index, key, guess=not outlooks[index].sure)

    def _outlook(self, ranges: Sequence[KeyRange], index: int) -> _Outlook:
        walked = ranges[index]
        if walked.done:
            return _Outlook(0.0, sure=True)
        if self._is_mapped(walked):
            begin, end = self._mapped(ranges, index)
            return _Outlook(max(0.0, end - begin + 1.0 - walked.in_flight), sure=True)
        if walked.space is None:
            return _Outlook(0.0, sure=False)
        distance = walked.space.position(_upper_bound(ranges, index)) - walked.space.position(walked.cursor)
        groups = distance // walked.space.spacing
        bound_known = walked.ceiling is None and not (index + 1 < len(ranges) and ranges[index + 1].guess)
        pages = min(groups, MAX_GROUPS) / self._top - walked.in_flight
        return _Outlook(max(0.0, pages), sure=bound_known and groups <= 2 * MAX_GROUPS)

    def _key_within(self, ranges: Sequence[KeyRange], index: int, outlook: _Outlook) -> str:
        walked = ranges[index]
        if walked.space is None or self._is_mapped(walked):
            begin, end = self._mapped(ranges, index)
            return self._map[min((begin + end + walked.in_flight) // 2, len(self._map) - 1)]
        # The middle of what is sure; of what may end anywhere, the middle between next to nothing and all.
        pages_ahead = outlook.pages / 2 if outlook.sure else math.sqrt(outlook.pages)
        groups_ahead = int((walked.in_flight + pages_ahead) * self._top)
        return walked.space.key_at(walked.space.position(walked.cursor) + groups_ahead * walked.space.spacing)

    def _is_mapped(self, walked: KeyRange) -> bool:
        return bool(self._map) and walked.cursor < self._map[-1]

    def _mapped(self, ranges: Sequence[KeyRange], index: int) -> tuple[int, int]:
        upper = _upper_bound(ranges, index)
        end = len(self._map) if upper is None else bisect_left(self._map, upper)
        return bisect_right(self._map, ranges[index].cursor), end


def _upper_bound(ranges: Sequence[KeyRange], index: int) -> str | None:
    ceiling = ranges[index].ceiling
    bounds = [] if ceiling is None else [ceiling]
    if index + 1 < len(ranges):
        bounds.append(ranges[index + 1].first or ranges[index + 1].cursor)
    return min(bounds, default=None)
