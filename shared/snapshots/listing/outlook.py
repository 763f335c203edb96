"""What a range of the key space still holds, as far as the IDs listed last tell."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.snapshots.listing.key_range import KeyRange
from shared.snapshots.listing.key_space import KeySpace

MAX_GROUPS = 1_000_000
"""The most groups of a kind that one resource holds (the service's limits)."""
_PLAUSIBLE = 2 * MAX_GROUPS
"""An estimate of more groups than this shows that they do not lie so densely everywhere."""
_NEAR_PAGES = 4.0
"""How far the density of a range's last IDs is trusted whatever lies beyond."""
WORTH_SPLITTING = 0.06
"""The least of a page that is worth a call beside the one under way, which would need one after it."""


class Outlook(NamedTuple):
    """An estimate of what is left of a range."""

    pages: float  # that have not been asked for
    sure: bool


def outlook(ranges: Sequence[KeyRange], index: int, top: int) -> Outlook:
    """Return what is left of a range, in pages of ``top`` groups."""
    walked = ranges[index]
    if walked.done:
        return Outlook(0.0, sure=True)
    space = space_of(ranges, index)
    if space is None:
        return Outlook(0.0, sure=False)
    place = space.position(walked.cursor)
    groups = (space.position(upper_bound(ranges, index)) - place) // space.spacing
    if groups > _PLAUSIBLE:
        # So many there cannot be. But those that begin as the last IDs do may well lie as densely.
        alike = (space.prefix_end - place) // space.spacing
        pages = alike / top - walked.in_flight
        if alike <= _PLAUSIBLE and pages >= WORTH_SPLITTING:
            return Outlook(pages, sure=True)
        return Outlook(MAX_GROUPS / top - walked.in_flight, sure=False)
    near = groups <= _NEAR_PAGES * top
    bound_known = walked.ceiling is None and not (index + 1 < len(ranges) and ranges[index + 1].guess)
    pages = min(groups, MAX_GROUPS) / top - walked.in_flight
    return Outlook(max(0.0, pages), sure=near or bound_known or space.total <= _PLAUSIBLE)


def space_of(ranges: Sequence[KeyRange], index: int) -> KeySpace | None:
    """Return how the groups of a range lie: where no page of it has come, as those before it if that fits all keys."""
    if ranges[index].space is not None or not ranges[index].probe:
        return ranges[index].space
    before = next((each.space for each in reversed(ranges[:index]) if each.space), None)
    return before if before and before.total <= _PLAUSIBLE else None


def upper_bound(ranges: Sequence[KeyRange], index: int) -> str | None:
    """Return the key before which all groups of a range lie, ``None`` where that is the end of all keys."""
    ceiling = ranges[index].ceiling
    bounds = [] if ceiling is None else [ceiling]
    if index + 1 < len(ranges):
        following = ranges[index + 1]
        # Between the key at which a range began and its first ID there is nothing.
        bounds.append(following.start or following.first or following.cursor)
    return min(bounds, default=None)
