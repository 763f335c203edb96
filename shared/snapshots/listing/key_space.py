"""Guess where IDs lie between two known ones, from the IDs that have been listed last.

The guess only has to be good, never right: whatever key is chosen, the listing finds every group.
"""

from bisect import bisect_left
from collections.abc import Sequence

MAX_KEY = 64
"""Longest ``start`` that the service takes ("'start' is too long.")."""


class KeySpace:
    """Measure distances between keys as numbers, fitted to neighbouring IDs.

    IDs mostly are a common prefix and a varying rest, so the rest is read as a number whose digits are the characters
    seen in it. The digits that stand still at the moment, as in ``group-000123``, look like the prefix's end and are
    taken for the rest.
    """

    def __init__(self, neighbours: Sequence[str]) -> None:
        """Fit to at least two IDs in ascending order."""
        prefix = common = _common_prefix(neighbours[0], neighbours[-1])
        alphabet = set("".join(group_id[len(prefix) :] for group_id in neighbours))
        while prefix and prefix[-1] in alphabet:
            prefix = prefix[:-1]
        self._prefix = prefix
        self._digits = sorted(alphabet)
        self._length = max(map(len, neighbours)) - len(prefix)
        self._size = len(self._digits) ** self._length
        span = self.position(neighbours[-1]) - self.position(neighbours[0])
        self.spacing = max(1, span // (len(neighbours) - 1))
        """Mean distance of neighbouring IDs."""
        self.prefix_end = self.position(common + MAX_KEY * self._digits[-1])
        """Where the keys end that begin as all the neighbours do."""
        self.total = self._size // self.spacing
        """How many groups there are if they lie as densely everywhere."""

    def position(self, key: str | None) -> int:
        """Return where a key lies, ``None`` being behind all keys; the order is kept, some keys fall together."""
        if key is None or not key.startswith(self._prefix):
            return 0 if key is not None and key < self._prefix else self._size
        number = 0
        for place in range(len(self._prefix), len(self._prefix) + self._length):
            digit = bisect_left(self._digits, key[place]) if place < len(key) else 0
            number = number * len(self._digits) + min(digit, len(self._digits) - 1)
        return number

    def key_at(self, position: int) -> str:
        """Return a key at a position."""
        characters = []
        for _ in range(self._length):
            position, digit = divmod(position, len(self._digits))
            characters.append(self._digits[digit])
        return (self._prefix + "".join(reversed(characters)))[:MAX_KEY]


def _common_prefix(one: str, other: str) -> str:
    length = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return one[:length] if length is not None else min(one, other, key=len)
