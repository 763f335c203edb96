"""Dynamic person groups, each kept as the service's JSON, made and changed in bulk."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Annotated, Literal

import msgspec

from local.face_emulator.collection import Collection

ALPHABET = "-0123456789_abcdefghijklmnopqrstuvwxyz"
CLUSTERS = 8
ROOM = 65_536

Shape = Literal["uniform", "counter", "clusters", "long", "one"]
Count = Annotated[int, msgspec.Meta(ge=0, le=5_000_000)]

# Each byte stands for a letter of the alphabet, so a million random IDs are one call of `randbytes`.
_LETTERS = bytes(ord(ALPHABET[number % len(ALPHABET)]) for number in range(256))


class DynamicPersonGroup(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A dynamic person group as the service returns it."""

    dynamic_person_group_id: str
    name: str
    user_data: str | None = None


class Fill(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An order to add groups."""

    count: Count
    # Uniformly random IDs, a long common prefix and a counter, a few clusters, IDs of 64 characters, or the one group.
    shape: Shape = "uniform"
    user_data: Annotated[int, msgspec.Meta(ge=0, le=16_384)] = 0  # characters in each group
    seed: int = 0


class Change(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An order to add, remove and change so many groups, which the seed chooses."""

    added: Count = 0
    removed: Count = 0
    changed: Count = 0
    seed: int = 0


class Changed(msgspec.Struct, frozen=True):
    """The IDs of the groups that were added, removed and changed."""

    added: list[str]
    removed: list[str]
    changed: list[str]


def fill(groups: Collection[bytes], order: Fill) -> None:
    """Add groups as ordered.

    Raises:
        ValueError: the shape does not have so many IDs.
    """
    random = Random(order.seed)  # noqa: S311 - it has to be repeatable, not secret
    ids = make_ids(order.shape, order.count, random)
    groups.put_all(dict(_encode_many(ids, order.user_data, random)))


def change(groups: Collection[bytes], order: Change) -> Changed:
    """Change the groups as ordered, and return which.

    Raises:
        ValueError: there are too few groups.
    """
    random = Random(order.seed)  # noqa: S311 - it has to be repeatable, not secret
    there = groups.ids()
    if order.removed + order.changed > len(there):
        raise ValueError(f"there are {len(there)} groups; cannot remove {order.removed} and change {order.changed}")
    chosen = random.sample(there, order.removed + order.changed)
    removed, changed = chosen[: order.removed], chosen[order.removed :]
    added = [new for new in make_ids("uniform", order.added, random) if new not in groups]
    groups.remove_all(removed)
    groups.put_all({group_id: _renamed(groups.get(group_id) or b"", random) for group_id in changed})
    groups.put_all(dict(_encode_many(added, 0, random)))
    return Changed(sorted(added), sorted(removed), sorted(changed))


def encode(group: DynamicPersonGroup) -> bytes:
    """Return the group as the service returns it."""
    return msgspec.json.encode(group)


def decode(encoded: bytes) -> DynamicPersonGroup:
    """Return the group that was encoded."""
    return msgspec.json.decode(encoded, type=DynamicPersonGroup)


def make_ids(shape: Shape, count: int, random: Random) -> list[str]:
    """Return so many different IDs of the shape, the same ones for the same state of ``random``.

    Raises:
        ValueError: the shape does not have so many IDs.
    """
    match shape:
        case "uniform":
            return _random_ids([""], 16, count, random)
        case "counter":
            return [f"a-long-prefix-that-all-of-the-groups-have-in-common-{number:010d}" for number in range(count)]
        case "clusters":
            return _random_ids(_random_ids([""], 12, CLUSTERS, random), 12, count, random)
        case "long":
            return _random_ids([""], 64, count, random)
        case "one":
            if count != 1:
                raise ValueError(f"the shape 'one' is of one group; found a count of {count}")
            return ["the-only-group"]


def _random_ids(prefixes: list[str], length: int, count: int, random: Random) -> list[str]:
    ids: dict[str, None] = {}
    while missing := count - len(ids):
        letters = random.randbytes(missing * length).translate(_LETTERS).decode()
        for number in range(missing):
            ids[prefixes[number % len(prefixes)] + letters[number * length : (number + 1) * length]] = None
    return list(ids)


def _encode_many(ids: Iterable[str], user_data: int, random: Random) -> Iterator[tuple[str, bytes]]:
    text = random.randbytes((ROOM + user_data) // 2 + 1).hex()
    for number, group_id in enumerate(ids):
        begin = number * 7919 % ROOM  # a prime, so that neighbours differ
        data = text[begin : begin + user_data] if user_data else None
        yield group_id, encode(DynamicPersonGroup(group_id, f"Group {number}", data))


def _renamed(encoded: bytes, random: Random) -> bytes:
    return encode(msgspec.structs.replace(decode(encoded), name=f"Renamed {random.getrandbits(32):08x}"))
