"""What the previous snapshot tells of the list: the keys at which its pages can all be asked for at once."""

import math
from bisect import bisect_left
from collections.abc import Iterable

from shared.snapshots.stored.manifest import Manifest

MAX_READ_BYTES = 64 * 1024 * 1024
"""The largest previous snapshot that is read through for its IDs before the listing begins."""
_MIN_SLACK, _USUAL_SLACK, _MAX_SLACK = 5, 20, 30
"""Groups of a page that are kept free for what has been added since; the usual slack while nothing is known."""
_ADDED_SHARE = 0.005
"""How many groups of a list are taken to be added in a night while nothing is known."""
_ALPHABET = b"-0123456789_abcdefghijklmnopqrstuvwxyz"
_DIGITS = bytes(b"0123456789abcdefghijklmnopqrstuvwxyz"[min(35, bisect_left(_ALPHABET, byte))] for byte in range(256))
_PLACES = 12
"""How many characters of an ID tell where it lies among all keys, each read as a digit to the base 36."""
_TEXT_PER_BYTE = 8
"""How many bytes of text one byte of a stored part is taken for."""


def groups_per_call(previous: Manifest, top: int) -> int:
    """Return how many groups of the previous snapshot are asked for by one call.

    As much of a page is kept free as the list's own changes, between the two snapshots before, give reason to.
    """
    changes = previous.changes
    if changes is None or not previous.groups.count:
        return top - _USUAL_SLACK
    a_page = top / previous.groups.count
    growth = max(0, changes.added - changes.removed) * a_page  # a list that has shrunk need not go on to shrink
    spread = math.sqrt((changes.added + changes.removed) * a_page)
    return top - min(_MAX_SLACK, max(_MIN_SLACK, math.ceil(growth + 4 * spread)))


def added(previous: Manifest) -> int:
    """Return how many groups are expected to have been added since."""
    return previous.changes.added if previous.changes else int(_ADDED_SHARE * previous.groups.count)


def starts(ids: Iterable[str], per_call: int, added: int) -> list[str]:
    """Return keys between which there are ``per_call`` groups at most; the last one is the last ID.

    ``added`` is how many groups are expected to have come. Where the IDs leave a wide gap, many of them may lie there,
    so a page with such a gap has fewer of the groups that are known.
    """
    keys: list[str] = []
    last, place, room = "", 0, per_call
    for group_id in ids:
        before, place = place, _place(group_id)
        taken = 1 + min(per_call // 2, _expected(added * max(0, place - before) / 36**_PLACES))
        if taken > room:
            keys.append(last)
            room = per_call
        room -= taken
        last = group_id
    return [*keys, last] if last else []


def _place(group_id: str) -> int:
    return int(group_id[:_PLACES].encode().translate(_DIGITS)[:_PLACES].ljust(_PLACES, b"0"), 36)


def _expected(mean: float) -> int:
    """Return the most groups that a gap may well have got, where ``mean`` is what it has got on average."""
    return math.ceil(mean + 4 * math.sqrt(mean)) if mean >= 1 else 0


def page_bytes(previous: Manifest | None) -> int | None:
    """Return about how many bytes of lines a page has, ``None`` where nothing is known."""
    if previous is None or not previous.groups.parts:
        return None
    return _TEXT_PER_BYTE * max(part.length for part in previous.groups.parts)
