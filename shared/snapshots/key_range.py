"""Hold what is known of one range of the key space."""

from dataclasses import dataclass

from shared.snapshots.key_space import KeySpace


@dataclass(eq=False)
class KeyRange:
    """Walk the groups from ``first`` on, up to the next range's ``first``.

    ``cursor`` is the last ID taken. Until its first page is there, a range is a mere ``probe``: ``cursor`` is then
    ``start``, a key that may be no group's, and ``first`` is not known. A ``guess`` is a probe that may well find
    nothing. Nothing is expected between ``ceiling`` and the next range. ``space`` is fitted to the last IDs taken.
    """

    cursor: str
    start: str | None = None
    first: str = ""
    probe: bool = False
    guess: bool = False
    in_flight: bool = False
    done: bool = False
    ceiling: str | None = None
    space: KeySpace | None = None
