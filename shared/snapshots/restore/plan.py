"""What a restore would do: the copy compared with the service as it is. Pure, but for the streams that it reads."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import batched
from typing import Literal

import msgspec

from shared.face.page import ListedKind
from shared.snapshots.listing.lines import load

MAX_PERSONS_A_CALL = 1_000

type Verb = Literal["make", "change", "delete", "addMembers", "removeMembers"]


class Action(msgspec.Struct, frozen=True, rename="camel"):
    """One call that a restore makes."""

    verb: Verb
    group_id: str
    body: dict[str, str | tuple[str, ...]] = {}  # what the call sends
    listed_at: str | None = None  # when the copy's members of the group were listed (UTC)

    @property
    def persons(self) -> tuple[str, ...]:
        """Return the persons that the call adds or removes."""
        persons = self.body.get("addPersonIds") or self.body.get("removePersonIds") or ()
        return () if isinstance(persons, str) else persons


class Lost(msgspec.Struct, frozen=True, rename="camel"):
    """What a restore cannot bring back."""

    group_id: str
    reason: str


class Wanted(msgspec.Struct, frozen=True):
    """A group as the copy has it."""

    line: bytes
    persons: tuple[str, ...] | None = None  # None where the copy does not hold its members
    listed_at: str | None = None  # when the members were listed (UTC)


class Present(msgspec.Struct, frozen=True):
    """A group as the service has it."""

    digest: bytes  # of what can be restored of it
    has_user_data: bool
    model: str | None
    persons: frozenset[str] | None = None  # None where nobody asked


class Options(msgspec.Struct, frozen=True):
    """How a restore goes about it."""

    kind: ListedKind
    with_user_data: bool  # the copy holds it
    prune: bool = False  # delete groups and remove persons that the copy does not have


class _Fields(msgspec.Struct, rename="camel"):
    name: str = ""
    user_data: str | None = None
    recognition_model: str | None = None


def present(line: bytes, *, with_user_data: bool, persons: Iterable[str] | None = None) -> Present:
    """Return what of a group of the service matters to a restore."""
    fields = _fields(line)
    members = None if persons is None else frozenset(persons)
    return Present(
        _digest(fields, with_user_data=with_user_data), bool(fields.user_data), fields.recognition_model, members
    )


def plan(
    wanted: Iterable[tuple[str, Wanted]], there: Mapping[str, Present], options: Options
) -> Iterator[Action | Lost]:
    """Yield the calls that make the service as the copy is, in the order in which they are to be made."""
    copied: set[str] = set()
    for group_id, group in wanted:
        copied.add(group_id)
        current = there.get(group_id)
        if current is None:
            yield from _make(group_id, group, options)
        else:
            yield from _change(group_id, group, current, options)
    if options.prune:
        for group_id in there:
            if group_id not in copied:
                yield Action("delete", group_id)


def _make(group_id: str, group: Wanted, options: Options) -> Iterator[Action | Lost]:
    fields = _fields(group.line)
    body: dict[str, str | tuple[str, ...]] = {"name": fields.name}
    if fields.user_data:
        body["userData"] = fields.user_data
    if fields.recognition_model:
        body["recognitionModel"] = fields.recognition_model
    first, *rest = list(batched(group.persons or (), MAX_PERSONS_A_CALL, strict=False)) or [()]
    if first:
        body["addPersonIds"] = first
    yield Action("make", group_id, body, group.listed_at)
    for persons in rest:
        yield Action("addMembers", group_id, {"addPersonIds": persons}, group.listed_at)
    if options.kind is not ListedKind.DYNAMIC_PERSON_GROUP:
        yield Lost(group_id, "what it contained: persons and faces cannot be exported, so the group is made empty")
    elif group.persons is None:
        yield Lost(group_id, "its members, which the copy does not hold")
    if not options.with_user_data:
        yield Lost(group_id, "its userData, which the copy does not hold")


def _change(group_id: str, group: Wanted, current: Present, options: Options) -> Iterator[Action | Lost]:
    fields = _fields(group.line)
    if fields.recognition_model and current.model and fields.recognition_model != current.model:
        yield Lost(group_id, "its recognition model, which cannot be changed")
    if _digest(fields, with_user_data=options.with_user_data) != current.digest:
        body: dict[str, str | tuple[str, ...]] = {"name": fields.name}
        if fields.user_data and options.with_user_data:
            body["userData"] = fields.user_data
        elif current.has_user_data and options.with_user_data:
            yield Lost(group_id, "having no userData: the service has no call that takes it away")
        yield Action("change", group_id, body)
    if group.persons is None or current.persons is None:
        return
    missing = [person_id for person_id in group.persons if person_id not in current.persons]
    for persons in batched(missing, MAX_PERSONS_A_CALL, strict=False):
        yield Action("addMembers", group_id, {"addPersonIds": persons}, group.listed_at)
    if options.prune:
        for persons in batched(sorted(current.persons - set(group.persons)), MAX_PERSONS_A_CALL, strict=False):
            yield Action("removeMembers", group_id, {"removePersonIds": persons}, group.listed_at)


def _fields(line: bytes) -> _Fields:
    try:
        return msgspec.json.decode(line, type=_Fields)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(load(line), _Fields)


def _digest(fields: _Fields, *, with_user_data: bool) -> bytes:
    shown = (fields.name, fields.user_data or None if with_user_data else None)
    return blake2b(repr(shown).encode(errors="surrogatepass"), digest_size=16).digest()
