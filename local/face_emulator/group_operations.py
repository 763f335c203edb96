"""The operations on groups that can be trained: create, get, list, delete, train, training status."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from local.face_emulator import errors
from local.face_emulator.arguments import read_creation, read_id, read_page
from local.face_emulator.collection import Collection
from local.face_emulator.kinds import Kind
from local.face_emulator.responses import accepted, emptied, succeeded, versioned
from local.face_emulator.state import Group, State
from local.face_emulator.trainings import observe, submit


class GroupOperations:
    """The operations of one kind of group."""

    def __init__(self, kind: Kind, state: State) -> None:
        self._kind = kind
        self._state = state

    async def create(self, request: Request) -> Response:
        """Create a group."""
        group_id = read_id(request, errors.bad_argument(f"{self._kind.noun} ID is invalid."))
        body = await read_creation(request)
        if group_id in self._groups:
            raise errors.group_exists(self._kind)
        self._groups.put(group_id, Group(group_id, body.name or "", body.user_data, body.recognition_model))
        return emptied(self._kind)

    async def get(self, request: Request) -> Response:
        """Return one group."""
        return succeeded(msgspec.json.encode(self._describe(self._find(request), request)), self._kind)

    async def list(self, request: Request) -> Response:
        """Return a page of groups."""
        page = self._groups.page(*read_page(request))
        return succeeded(msgspec.json.encode([self._describe(group, request) for group in page]), self._kind)

    async def delete(self, request: Request) -> Response:
        """Delete a group."""
        self._groups.remove(self._find(request).group_id)
        return emptied(self._kind)

    async def train(self, request: Request) -> Response:
        """Submit a training, unless one is under way."""
        group = self._find(request)
        now = self._state.now()
        if group.training and now < group.training.ends:
            raise errors.training_not_finished(self._kind)
        group.training = submit(self._state.plans.get(self._kind.name, group.group_id), now, group.training)
        return accepted(f"{versioned(request)}/{self._kind.path}/{group.group_id}/training", self._kind)

    async def training(self, request: Request) -> Response:
        """Return the status of the newest training."""
        group = self._find(request)
        if not group.training:
            raise errors.not_trained(self._kind)
        result = observe(group.training, self._kind, self._state.now())
        return succeeded(msgspec.json.encode(result), self._kind)

    @property
    def _groups(self) -> Collection[Group]:
        return self._state.groups[self._kind.name]

    def _find(self, request: Request) -> Group:
        invalid = errors.ServiceError(404, f"{self._kind.code}NotFound", f"{self._kind.noun} ID is invalid.")
        group = self._groups.get(read_id(request, invalid))
        if group is None:
            raise errors.group_not_found(self._kind)
        return group

    def _describe(self, group: Group, request: Request) -> dict[str, str]:
        fields = {self._kind.id_field: group.group_id, "name": group.name}
        if group.user_data is not None:
            fields["userData"] = group.user_data
        if request.query_params.get("returnRecognitionModel", "").lower() == "true":
            fields["recognitionModel"] = group.recognition_model
        return fields
