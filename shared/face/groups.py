"""The Face service's operations on groups of every kind: list, make, change, delete, and their persons."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from shared.face.client import MAX_PAGE, FaceClient
from shared.face.errors import InvalidResponse

type Body = Mapping[str, object]


class ListedKind(StrEnum):
    """A kind of group that can be listed."""

    DYNAMIC_PERSON_GROUP = "dynamicPersonGroup"
    PERSON_GROUP = "personGroup"
    LARGE_PERSON_GROUP = "largePersonGroup"
    LARGE_FACE_LIST = "largeFaceList"

    @property
    def path(self) -> str:
        """Return the kind's segment in the service's addresses, such as ``dynamicpersongroups``."""
        return f"{self.lower()}s"

    @property
    def id_field(self) -> str:
        """Return the field that holds a group's ID, such as ``dynamicPersonGroupId``."""
        return f"{self}Id"

    @property
    def has_model(self) -> bool:
        """Tell whether groups of this kind have a recognition model of their own."""
        return self is not ListedKind.DYNAMIC_PERSON_GROUP


class _Persons(msgspec.Struct, rename="camel"):
    person_ids: list[str]


_persons = msgspec.json.Decoder(_Persons)


class GroupsClient:
    """A client of the operations on groups of one Face resource, which threads may share.

    Every method raises a ``FaceError``.
    """

    def __init__(self, face: FaceClient) -> None:
        self._face = face
        self.endpoint = face.endpoint

    def api_version(self, kind: ListedKind) -> str:
        """Return the API version by which groups of a kind are reached."""
        versions = self._face.versions
        return versions.training if kind.has_model else versions.directory

    def seconds_until_free(self) -> float:
        """Return how long a call that is made now would wait for the request budget."""
        return self._face.budget.seconds_until_free()

    def page(self, kind: ListedKind, start: str = "", top: int = MAX_PAGE) -> bytes:
        """Return the body of one page: at most ``top`` groups, those after ``start`` in the service's order."""
        parameters = {"start": start} if start else {}
        # Without it a group of another kind could not be made again as it was.
        model = {"returnRecognitionModel": "true"} if kind.has_model else {}
        return self._face.request("GET", self._path(kind), parameters={**parameters, "top": str(top), **model})

    def persons(self, group_id: str) -> list[str]:
        """Return the IDs of all persons of a dynamic person group, in the service's order."""
        path = f"{self._path(ListedKind.DYNAMIC_PERSON_GROUP, group_id)}/persons"
        person_ids: list[str] = []
        # A page may be short amid the list: only an empty one is the end.
        while page := self._persons_page(path, person_ids[-1] if person_ids else ""):
            if page[-1] in person_ids[-1:]:
                raise InvalidResponse("the Face service responded with a page of persons that brings nothing new")
            person_ids += page
        return person_ids

    def _persons_page(self, path: str, start: str) -> list[str]:
        parameters = {"start": start} if start else {}
        body = self._face.request("GET", path, parameters={**parameters, "top": str(MAX_PAGE)})
        return _person_ids(body)

    def create(self, kind: ListedKind, group_id: str, body: Body) -> None:
        """Make a group; of a dynamic one, return when the service has accepted it."""
        self._face.request("PUT", self._path(kind, group_id), body=body, expected=_accepted(kind))

    def update(self, kind: ListedKind, group_id: str, body: Body) -> None:
        """Change a group; of a dynamic one, return when the service has accepted it."""
        self._face.request("PATCH", self._path(kind, group_id), body=body, expected=_accepted(kind))

    def delete(self, kind: ListedKind, group_id: str) -> None:
        """Delete a group; of a dynamic one, return when the service has accepted it."""
        self._face.request("DELETE", self._path(kind, group_id), expected=_accepted(kind))

    def _path(self, kind: ListedKind, *segments: str) -> str:
        return "/".join((self.api_version(kind), kind.path, *segments))


def _accepted(kind: ListedKind) -> int:
    return 200 if kind.has_model else 202


def _person_ids(body: bytes) -> list[str]:
    try:
        return _persons.decode(body).person_ids
    except (ValueError, RecursionError) as error:
        # The parser's words may quote what people wrote, so only its kind is told.
        raise InvalidResponse(
            f"the Face service responded 200 with persons that it does not document ({type(error).__name__})",
            status=200,
        ) from None
