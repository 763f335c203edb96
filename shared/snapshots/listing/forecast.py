"""What the previous snapshot tells of the list: the keys at which its pages can all be asked for at once."""

import math
from collections.abc import Iterable

from shared.snapshots.stored.manifest import Manifest

MAX_READ_BYTES = 64 * 1024 * 1024
"""The largest previous snapshot that is read through for its IDs before the listing begins."""
_MIN_SLACK, _MAX_SLACK = 5, 30
"""Groups of a page that are kept free for what has been added since."""
_TEXT_PER_BYTE = 8
"""How many bytes of text one byte of a stored part is taken for."""


def groups_per_call(previous: Manifest, top: int) -> int:
    """Return how many groups of the previous snapshot are asked for by one call.

    As much of a page is kept free as the list's own changes, between the two snapshots before, give reason to.
    """
    changes = previous.changes
    if changes is None or not previous.groups.count:
        return top - _MAX_SLACK
    a_page = top / previous.groups.count
    growth = (changes.added - changes.removed) * a_page
    spread = math.sqrt((changes.added + changes.removed) * a_page)
    return top - min(_MAX_SLACK, max(_MIN_SLACK, math.ceil(growth + 4 * spread)))


def starts(ids: Iterable[str], count: int, per_call: int) -> list[str]:
    """Return keys between which there are as many groups each, ``per_call`` at most; the last one is the last ID."""
    calls = max(1, math.ceil(count / per_call))
    keys: list[str] = []
    last = ""
    for number, group_id in enumerate(ids, start=1):
        last = group_id
        # After each of the equal shares of the list.
        if number * calls // count > len(keys) and len(keys) < calls - 1:
            keys.append(group_id)
    return [*keys, last] if last else []


def page_bytes(previous: Manifest | None) -> int | None:
    """Return about how many bytes of lines a page has, ``None`` where nothing is known."""
    if previous is None or not previous.groups.parts:
        return None
    return _TEXT_PER_BYTE * max(part.length for part in previous.groups.parts)
