"""What changed from one snapshot to the next."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import msgspec

from shared.snapshots.listing.lines import load, without_user_data

type Groups = Iterable[tuple[str, bytes]]
"""IDs, strictly ascending, each with its group's line."""


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """One change."""

    change: Literal["added", "removed", "changed"]
    group_id: str
    before: msgspec.Raw | None  # the group's line; None where there was no such group
    after: msgspec.Raw | None  # the group's line; None where there is no such group any more


def changes_between(before: Groups, after: Groups, *, with_user_data: bool) -> Iterator[Change]:
    """Yield the changes, ordered by ID, in constant memory; leave ``userData`` out of it where told to.

    A group is unchanged whose line holds the same JSON, whatever the order of its fields.
    """
    shown: Callable[[bytes], bytes] = _as_it_is if with_user_data else without_user_data
    for group_id, old, new in side_by_side(before, after):
        if old == new:
            continue
        if old is None and new is not None:
            yield Change("added", group_id, None, msgspec.Raw(shown(new)))
        elif new is None and old is not None:
            yield Change("removed", group_id, msgspec.Raw(shown(old)), None)
        elif old is not None and new is not None:
            old, new = shown(old), shown(new)
            if not is_same(old, new):
                yield Change("changed", group_id, msgspec.Raw(old), msgspec.Raw(new))


def side_by_side[B, A](
    before: Iterable[tuple[str, B]], after: Iterable[tuple[str, A]]
) -> Iterator[tuple[str, B | None, A | None]]:
    """Yield each ID of two streams, ordered by ID, with what each of them holds under it."""
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None  # noqa: S101 - one of the two is there, which mypy cannot tell
            yield old[0], old[1], None
            old = next(olds, None)
        elif old is None or new[0] < old[0]:
            yield new[0], None, new[1]
            new = next(news, None)
        else:
            yield new[0], old[1], new[1]
            old, new = next(olds, None), next(news, None)


def is_same(one: bytes, other: bytes) -> bool:
    """Tell whether two lines hold the same JSON object, whatever the order of its fields."""
    return one == other or _value(one) == _value(other)


def _value(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError):
        try:
            return load(line)
        except ValueError:
            return line


def _as_it_is(line: bytes) -> bytes:
    return line
