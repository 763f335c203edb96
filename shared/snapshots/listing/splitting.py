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
from shared.snapshots.listing.outlook import WORTH_SPLITTING, Outlook, outlook, space_of, upper_bound

_WASTE_SHARE, _MAX_WASTE_SHARE = 0.01, 0.04
"""The share of calls that may bring nothing new, for the sake of listing side by side: more where calls take long."""
_USUAL_SECONDS = 0.2
"""How long a call takes where the smaller share is enough."""
_WASTE_A_SECOND, _MAX_WASTE = 12.0, 24.0
"""Calls that may bring nothing new where that is more: some for each second that a call takes, up to a limit."""
_GUESSES, _GUESSES_A_SECOND = 2, 2.0
"""Guesses under way at once, and how many more for each second that a call takes."""
_FIRST_GUESS_SECONDS, _SECONDS_A_GUESS, _MAX_BLIND_GUESSES = 0.2, 0.1, 19
"""While nothing at all is known, one guess for each time that passes without a page, so many at most."""
_MARGIN, _WHOLE = 1.04, 0.1
"""Groups are not spread evenly: a page is planned to begin before the one before it is expected to end."""
_LAST_PAGE = 0.85
"""How much of a page is left for the list's end, so that one call reaches it."""
_ALPHABET = "-0123456789_abcdefghijklmnopqrstuvwxyz"


class Split(NamedTuple):
    """A new range that begins behind ``key``, within the ``place``-th range."""

    place: int
    key: str
    guess: bool
    blind: bool = False


class Standing(NamedTuple):
    """How a listing stands."""

    pages: int  # that have been listed
    waste: float  # pages that brought nothing new, in whole or in part
    missed: int  # guesses among them that found nothing
    latency: float  # seconds that a call takes, or has taken so far while none has ended


class Splitter:
    """A chooser of splits for a listing of pages of ``top`` groups.

    ``starts`` are keys, ascending, between which there is a page or less each; the last one is the last ID known.
    """

    def __init__(self, top: int, starts: Sequence[str]) -> None:
        self._top = top
        self._starts = starts
        self._end_asked = False
        self._blind = _blind_guesses()

    def pages_left(self, ranges: Sequence[KeyRange], index: int) -> float:
        """Estimate how many pages of a range have not been asked for."""
        return outlook(ranges, index, self._top).pages

    def choose(self, ranges: Sequence[KeyRange], standing: Standing) -> Split | None:
        """Return where to split; ``None`` where it is not worth a call."""
        if self._starts and standing.waste <= _MAX_WASTE / 2 + 3 * _WASTE_SHARE * standing.pages:
            return self._planned(ranges)
        if not standing.pages and all(each.space is None for each in ranges):
            return self._blind_guess(ranges, standing.latency)
        return self._estimated(ranges, standing)

    def _planned(self, ranges: Sequence[KeyRange]) -> Split | None:
        # The end first: whatever has been added behind it takes one more call.
        if not self._end_asked and len(ranges) == 1 and ranges[0].cursor < self._starts[-1]:
            self._end_asked = True
            return Split(0, self._starts[-1], guess=False)
        for place, each in enumerate(ranges):
            if not each.done:
                begin, end = self._starts_within(ranges, place)
                # The page before the end next: where the last ID is gone, one more call has to follow it.
                before_end = end == len(self._starts) - 1
                if begin < end:
                    return Split(place, self._starts[end - 1 if before_end else begin], guess=False)
        return None

    def _blind_guess(self, ranges: Sequence[KeyRange], latency: float) -> Split | None:
        # Where pages come quickly, the first one tells more than a guess.
        if (len(ranges) - 1) * _SECONDS_A_GUESS > latency - _FIRST_GUESS_SECONDS:
            return None
        key = next(self._blind, None)
        if key is None:
            return None
        place = max(place for place, each in enumerate(ranges) if each.cursor < key)
        return Split(place, key, guess=True, blind=True)

    def _estimated(self, ranges: Sequence[KeyRange], standing: Standing) -> Split | None:
        outlooks = [outlook(ranges, index, self._top) for index in range(len(ranges))]
        total = standing.pages + sum(each.pages for each in outlooks)
        # Where two ranges meet, part of a page is listed twice.
        meetings = sum(not each.done for each in ranges) / 4
        if standing.waste + meetings > _waste_allowed(total, standing.latency):
            return None
        split = self._end(ranges, outlooks[-1]) or self._within_the_widest(ranges, outlooks, standing)
        if split is None:
            return None
        upper = upper_bound(ranges, split.place)
        if split.key <= ranges[split.place].cursor or (upper is not None and split.key >= upper):
            return None
        return split

    def _end(self, ranges: Sequence[KeyRange], left: Outlook) -> Split | None:
        """Return the list's last page, early, for the end takes one more call after it."""
        last = len(ranges) - 1
        space = space_of(ranges, last)
        if space is None or not left.sure or left.pages < 1 or ranges[last].ceiling is not None:
            return None
        position = space.position(None) - int(_LAST_PAGE * self._top) * space.spacing
        return Split(last, space.key_at(position), guess=False)

    def _within_the_widest(
        self, ranges: Sequence[KeyRange], outlooks: Sequence[Outlook], standing: Standing
    ) -> Split | None:
        guesses = sum(each.guess and not each.blind for each in ranges)
        most = _GUESSES + _GUESSES_A_SECOND * standing.latency
        may_guess = guesses < most and standing.missed + guesses <= most + _WASTE_SHARE * standing.pages
        index = max(
            (index for index, each in enumerate(outlooks) if each.sure or may_guess),
            key=lambda index: outlooks[index].pages,
            default=-1,
        )
        if index < 0 or outlooks[index].pages < WORTH_SPLITTING:
            return None
        return Split(index, self._key_within(ranges, index, outlooks[index]), guess=not outlooks[index].sure)

    def _key_within(self, ranges: Sequence[KeyRange], index: int, left: Outlook) -> str:
        walked, space = ranges[index], space_of(ranges, index)
        assert space is not None  # noqa: S101 - a range without it has no pages left that could be split
        if left.sure:
            # As many whole calls on the left as on the right, and all share evenly what is less than their pages.
            calls = math.ceil(left.pages * _MARGIN + _WHOLE)
            share = (walked.in_flight + left.pages) / (walked.in_flight + calls)
            pages_ahead = share * (walked.in_flight + calls // 2)
        else:
            # What may end anywhere: the middle between next to nothing and all.
            pages_ahead = walked.in_flight / _MARGIN + math.sqrt(left.pages)
        groups_ahead = int(pages_ahead * self._top)
        return space.key_at(space.position(walked.cursor) + groups_ahead * space.spacing)

    def _starts_within(self, ranges: Sequence[KeyRange], place: int) -> tuple[int, int]:
        upper = upper_bound(ranges, place)
        end = len(self._starts) if upper is None else bisect_left(self._starts, upper)
        return bisect_right(self._starts, ranges[place].cursor), end


def _waste_allowed(pages: float, latency: float) -> float:
    share = min(_MAX_WASTE_SHARE, _WASTE_SHARE * max(1.0, latency / _USUAL_SECONDS))
    return max(share * pages, min(_MAX_WASTE, _WASTE_A_SECOND * latency))


def _blind_guesses() -> Iterator[str]:
    """Yield keys that halve the letters of IDs, then quarter them, and so on: nothing is known of the IDs yet."""
    for number in range(1, _MAX_BLIND_GUESSES + 1):
        digits = 1 << number.bit_length()
        share = (2 * (number - digits // 2) + 1) / digits
        yield _ALPHABET[int(share * len(_ALPHABET))]
