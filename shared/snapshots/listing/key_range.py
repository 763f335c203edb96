"""What is known of one range of the key space."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.snapshots.listing.key_space import KeySpace

HEAD_IDS = 16

type Listed = tuple[str, Sequence[str], str]
"""A stretch of IDs that need not be listed again: the ID that it follows, its first IDs, and its last one."""


@dataclass(eq=False)
class KeyRange:
    """The groups from ``first`` on, up to the next range's ``first``.

    Until its first page is there, a range is a mere probe: its cursor is then ``start``, a key that may not be a
    group's, and ``head`` is empty.
    """

    cursor: str  # the last ID taken
    start: str | None = None  # the key at which a probe began
    head: tuple[str, ...] = ()  # the first IDs taken
    probe: bool = False
    guess: bool = False  # a probe that may well find nothing
    blind: bool = False  # a guess made before any page had come
    in_flight: bool = False  # a call is under way
    done: bool = False
    ceiling: str | None = None  # nothing is expected between this key and the next range
    space: KeySpace | None = None  # fitted to the last IDs taken

    @property
    def first(self) -> str:
        """Return the first ID taken, an empty one where there is none yet."""
        return self.head[0] if self.head else ""


def ranges_behind(listed: Sequence[Listed]) -> list[KeyRange]:
    """Return the ranges that begin behind the stretches that are listed already, in key order."""
    ranges = [KeyRange(cursor="")]
    for after, head, last in listed:
        if after == ranges[-1].cursor:
            ranges[-1].cursor = last
            ranges[-1].head = ranges[-1].head or tuple(head)
        else:
            ranges.append(KeyRange(cursor=last, start=after, head=tuple(head)))
    return ranges
