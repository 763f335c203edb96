"""What is known of one range of the key space."""

from dataclasses import dataclass

from shared.snapshots.listing.key_space import KeySpace

HEAD_IDS = 16


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
    in_flight: bool = False  # a call is under way
    done: bool = False
    ceiling: str | None = None  # nothing is expected between this key and the next range
    space: KeySpace | None = None  # fitted to the last IDs taken

    @property
    def first(self) -> str:
        """Return the first ID taken, an empty one where there is none yet."""
        return self.head[0] if self.head else ""
