"""The Face service's operations on groups of every kind, each at a pace: list, make, change, delete, and persons."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from shared.face.client import MAX_PAGE, FaceClient
from shared.face.errors import InvalidResponse, Throttled
from shared.face.page import ListedGroup, ListedKind

type Body = Mapping[str, object]


class Pace[S](Protocol):
    """What tells when a call may be made; threads may share it."""

    def take(self) -> S:
        """Return once a call may be made, with its slot."""

    def throttled(self, slot: S, wait: float | None) -> None:
        """Note that the service said 429 to the call of a slot, and the seconds to wait where it named some."""

    def keep_slot(self) -> float:
        """Keep a slot for a call that is about to be made; return 0, or the seconds until one can be kept."""


class _Persons(msgspec.Struct, rename="camel"):
    person_ids: list[str]


_persons = msgspec.json.Decoder(_Persons)


class GroupsClient[S]:
    """A client of the operations on groups of one Face resource, which threads may share.

    Every method raises a ``FaceError``.
    """

    def __init__(self, face: FaceClient, pace: Pace[S]) -> None:
        self._face = face
        self._pace = pace
        self.endpoint = face.endpoint

    def api_version(self, kind: ListedKind) -> str:
        """Return the API version by which groups of a kind are reached."""
        return self._face.version_of(kind)

    def keep_slot(self) -> float:
        """Keep a slot for a call that is about to be made; return 0, or the seconds until one can be kept."""
        return self._pace.keep_slot()

    def groups(self, kind: ListedKind, start: str = "", top: int = MAX_PAGE) -> list[ListedGroup]:
        """Return one page of at most ``top`` groups, those after ``start``; only an empty page ends the list."""
        return self._paced(lambda: self._face.groups(kind, start, top))

    def group(self, kind: ListedKind, group_id: str) -> bytes:
        """Return one group, the service's JSON object as it came."""
        model = {"returnRecognitionModel": "true"} if kind is not ListedKind.DYNAMIC_PERSON_GROUP else {}
        path = f"{self.api_version(kind)}/{kind.path}/{group_id}"
        return self._paced(lambda: self._face.request("GET", path, decode=bytes, parameters=model))

    def persons(self, group_id: str) -> tuple[list[str], int]:
        """Return the IDs of all persons of a dynamic person group, in the service's order, and the calls it took."""
        person_ids: list[str] = []
        seen: set[str] = set()
        calls = 1
        # A page may be short amid the list: only an empty one is the end.
        while page := self._persons_page(group_id, person_ids[-1] if person_ids else ""):
            calls += 1
            if seen.issuperset(page):
                raise InvalidResponse("the Face service responded with a page of persons that brings nothing new")
            person_ids += [person_id for person_id in page if person_id not in seen]
            seen.update(page)
        return person_ids, calls

    def create(self, kind: ListedKind, group_id: str, body: Body) -> None:
        """Make a group; of a dynamic one, return when the service has accepted it."""
        self._write("PUT", kind, group_id, body)

    def update(self, kind: ListedKind, group_id: str, body: Body) -> None:
        """Change a group; of a dynamic one, return when the service has accepted it."""
        self._write("PATCH", kind, group_id, body)

    def delete(self, kind: ListedKind, group_id: str) -> None:
        """Delete a group; of a dynamic one, return when the service has accepted it."""
        self._write("DELETE", kind, group_id, None)

    def _persons_page(self, group_id: str, start: str) -> list[str]:
        kind = ListedKind.DYNAMIC_PERSON_GROUP
        parameters = {"start": start} if start else {}
        return self._paced(
            lambda: self._face.request(
                "GET",
                f"{self.api_version(kind)}/{kind.path}/{group_id}/persons",
                decode=lambda body: _persons.decode(body).person_ids,
                parameters={**parameters, "top": str(MAX_PAGE)},
            )
        )

    def _write(self, method: str, kind: ListedKind, group_id: str, body: Body | None) -> None:
        expected = 202 if kind is ListedKind.DYNAMIC_PERSON_GROUP else 200
        path = f"{self.api_version(kind)}/{kind.path}/{group_id}"
        self._paced(lambda: self._face.request(method, path, expected=expected, decode=lambda _: None, body=body))

    def _paced[T](self, call: Callable[[], T]) -> T:
        slot = self._pace.take()
        try:
            return call()
        except Throttled as error:
            self._pace.throttled(slot, error.wait)
            raise
