"""Hold what is known of one range of the key space."""

from dataclasses import dataclass

from shared.snapshots.listing.key_space import KeySpace

HEAD_IDS = 16


@dataclass(eq=False)
class KeyRange:
    """Walk the groups from ``first`` on, up to the next range's ``first``.

    ``cursor`` is the last ID taken, ``head`` are the first ones. Until its first page is there, a range is a mere
    ``probe``: ``cursor`` is then ``start``, a key that may be no group's, and ``head`` is empty. A ``guess`` is a probe
    that may well find nothing. Nothing is expected between ``ceiling`` and the next range. ``space`` is fitted to the
    last IDs taken.
    """

    cursor: str
    start: str | None = None
    head: tuple[str, ...] = ()
    probe: bool = False
    guess: bool = False
    in_flight: bool = False
    done: bool = False
    ceiling: str | None = None
    space: KeySpace | None = None

    @property
    def first(self) -> str:
        """Return the first ID taken, an empty one where there is none yet."""
        return self.head[0] if self.head else ""
