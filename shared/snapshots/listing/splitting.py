"""Where a range of the key space is split, such that hardly a call is wasted.

A bad choice costs a call, never a group. Where the previous snapshot tells how the IDs lie, each page begins at a key
that is chosen before the listing begins (``starts``). Else the last IDs of a range say how densely its groups lie,
which is trusted up to the next range that has brought a page; what lies beyond is a guess, and so is every key while no
page has come. Guesses are made sparingly.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.snapshots.listing.key_range import KeyRange

MAX_GROUPS = 1_000_000
"""The most groups of a kind that one resource holds (the service's limits)."""
_WASTE_SHARE = 0.015
"""The share of calls that may bring nothing new, for the sake of listing side by side."""
_WASTE_A_SECOND, _MAX_WASTE = 8.0, 12.0
"""Calls that may bring nothing new where that is more: some for each second that a call takes, up to a limit."""
_GUESSES = 2
_SECONDS_A_GUESS, _MAX_BLIND_GUESSES = 0.2, 10
"""While nothing at all is known, one guess for each time that passes without a page, so many at most."""
_NEAR_PAGES = 4.0
"""How far the density of a range's last IDs is trusted whatever lies beyond."""
_WORTH_SPLITTING = 0.15
"""The least of a page that is worth a call beside the one under way: it would need one after it."""
_MARGIN, _WHOLE = 1.04, 0.1
"""Groups are not spread evenly: a page is planned to begin before the one before it is expected to end."""
_ALPHABET = "-0123456789_abcdefghijklmnopqrstuvwxyz"


class Split(NamedTuple):
    """A new range that begins behind ``key``, within the ``place``-th range."""

    place: int
    key: str
    guess: bool


class _Outlook(NamedTuple):
    pages: float  # that have not been asked for
    sure: bool


class Splitter:
    """A chooser of splits for a listing of pages of ``top`` groups.

    ``starts`` are keys, ascending, between which there is a page or less each; the last one is the last ID known.
    """

    def __init__(self, top: int, starts: Sequence[str]) -> None:
        self._top = top
        self._starts = starts
        self._blind = _blind_guesses()

    def pages_left(self, ranges: Sequence[KeyRange], index: int) -> float:
        """Estimate how many pages of a range have not been asked for."""
        return self._outlook(ranges, index).pages

    def choose(self, ranges: Sequence[KeyRange], *, pages: int, waste: float, latency: float) -> Split | None:
        """Return where to split; ``None`` where it is not worth a call.

        ``pages`` have been listed, at the cost of ``waste`` pages that brought nothing new. ``latency`` is about how
        many seconds a call takes, or has taken so far while none has ended.
        """
        if self._starts and waste <= _MAX_WASTE / 2 + 3 * _WASTE_SHARE * pages:
            return self._planned(ranges)
        if not pages and all(each.space is None for each in ranges):
            return self._blind_guess(ranges, latency)
        return self._estimated(ranges, pages, waste, latency)

    def _planned(self, ranges: Sequence[KeyRange]) -> Split | None:
        # The end first: whatever has been added behind it takes one more call.
        if len(ranges) == 1 and ranges[0].cursor < self._starts[-1]:
            return Split(0, self._starts[-1], guess=False)
        for place, each in enumerate(ranges):
            if not each.done:
                begin, end = self._starts_within(ranges, place)
                if begin < end:
                    return Split(place, self._starts[begin], guess=False)
        return None

    def _blind_guess(self, ranges: Sequence[KeyRange], latency: float) -> Split | None:
        # Where pages come quickly, the first one tells more than a guess.
        if (len(ranges) - 1) * _SECONDS_A_GUESS > latency - _SECONDS_A_GUESS:
            return None
        key = next(self._blind, None)
        if key is None:
            return None
        place = max(place for place, each in enumerate(ranges) if each.cursor < key)
        return Split(place, key, guess=True)

    def _estimated(self, ranges: Sequence[KeyRange], pages: int, waste: float, latency: float) -> Split | None:
        outlooks = [self._outlook(ranges, index) for index in range(len(ranges))]
        total = pages + sum(each.pages for each in outlooks)
        # Where two ranges meet, part of a page is listed twice.
        meetings = sum(not each.done for each in ranges) / 4
        if waste + meetings > max(_WASTE_SHARE * total, min(_MAX_WASTE, _WASTE_A_SECOND * latency)):
            return None
        guesses = sum(each.guess for each in ranges)
        may_guess = guesses < _GUESSES and waste + guesses <= _GUESSES + _WASTE_SHARE * pages
        index = max(
            (index for index, each in enumerate(outlooks) if each.sure or may_guess),
            key=lambda index: outlooks[index].pages,
            default=-1,
        )
        if index < 0 or outlooks[index].pages < _WORTH_SPLITTING:
            return None
        key = self._key_within(ranges[index], outlooks[index])
        upper = _upper_bound(ranges, index)
        if key <= ranges[index].cursor or (upper is not None and key >= upper):
            return None
        return Split(index, key, guess=not outlooks[index].sure)

    def _outlook(self, ranges: Sequence[KeyRange], index: int) -> _Outlook:
        walked = ranges[index]
        if walked.done:
            return _Outlook(0.0, sure=True)
        if walked.space is None:
            return _Outlook(0.0, sure=False)
        distance = walked.space.position(_upper_bound(ranges, index)) - walked.space.position(walked.cursor)
        groups = distance // walked.space.spacing
        bound_known = walked.ceiling is None and not (index + 1 < len(ranges) and ranges[index + 1].guess)
        near = groups <= _NEAR_PAGES * self._top
        pages = min(groups, MAX_GROUPS) / self._top - walked.in_flight
        return _Outlook(max(0.0, pages), sure=near or (bound_known and groups <= 2 * MAX_GROUPS))

    def _key_within(self, walked: KeyRange, outlook: _Outlook) -> str:
        assert walked.space is not None  # noqa: S101 - a range without it has no pages left that could be split
        if outlook.sure:
            # As many whole calls on the left as on the right, each a little less than a page.
            calls = math.ceil(outlook.pages * _MARGIN + _WHOLE)
            pages_ahead = outlook.pages * (calls // 2) / calls
        else:
            # What may end anywhere: the middle between next to nothing and all.
            pages_ahead = math.sqrt(outlook.pages)
        groups_ahead = int((walked.in_flight / _MARGIN + pages_ahead) * self._top)
        return walked.space.key_at(walked.space.position(walked.cursor) + groups_ahead * walked.space.spacing)

    def _starts_within(self, ranges: Sequence[KeyRange], place: int) -> tuple[int, int]:
        upper = _upper_bound(ranges, place)
        end = len(self._starts) if upper is None else bisect_left(self._starts, upper)
        return bisect_right(self._starts, ranges[place].cursor), end


def _upper_bound(ranges: Sequence[KeyRange], index: int) -> str | None:
    ceiling = ranges[index].ceiling
    bounds = [] if ceiling is None else [ceiling]
    if index + 1 < len(ranges):
        following = ranges[index + 1]
        # Between the key at which a range began and its first ID there is nothing.
        bounds.append(following.start or following.first or following.cursor)
    return min(bounds, default=None)


def _blind_guesses() -> Iterator[str]:
    """Yield keys that halve the letters of IDs, then quarter them, and so on: nothing is known of the IDs yet."""
    for number in range(1, _MAX_BLIND_GUESSES + 1):
        digits = 1 << number.bit_length()
        share = (2 * (number - digits // 2) + 1) / digits
        yield _ALPHABET[int(share * len(_ALPHABET))]
