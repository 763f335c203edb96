"""The operations on dynamic person groups, and the status of their long running changes."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from local.face_emulator import errors
from local.face_emulator.arguments import read_creation, read_id, read_page, read_update
from local.face_emulator.dynamic_groups import DynamicPersonGroup, decode, encode
from local.face_emulator.long_running import observe_operation
from local.face_emulator.responses import accepted, succeeded, versioned
from local.face_emulator.state import State


class DynamicGroupOperations:
    """The operations on dynamic person groups. A change takes effect at once; only its operation takes a moment."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def create(self, request: Request) -> Response:
        """Create a group."""
        group_id = read_id(request, errors.bad_argument("Dynamic person group ID is invalid."))
        body = await read_creation(request)
        if group_id in self._state.dynamic_groups:
            raise errors.dynamic_group_exists(group_id)
        group = DynamicPersonGroup(group_id, body.name or "", body.user_data)
        self._state.dynamic_groups.put(group_id, encode(group))
        return self._accept(request, group_id)

    async def get(self, request: Request) -> Response:
        """Return one group."""
        return succeeded(self._find(request)[1])

    async def list(self, request: Request) -> Response:
        """Return a page of groups."""
        page = self._state.dynamic_groups.page(*read_page(request))
        return succeeded(b"[" + b",".join(page) + b"]")

    async def update(self, request: Request) -> Response:
        """Change the name or the user data of a group."""
        group_id, encoded = self._find(request)
        body = await read_update(request)
        group = decode(encoded)
        changed = DynamicPersonGroup(group_id, body.name or group.name, body.user_data or group.user_data)
        self._state.dynamic_groups.put(group_id, encode(changed))
        return self._accept(request, group_id)

    async def delete(self, request: Request) -> Response:
        """Delete a group."""
        group_id, _ = self._find(request)
        self._state.dynamic_groups.remove(group_id)
        return self._accept(request, group_id)

    async def operation(self, request: Request) -> Response:
        """Return the status of a change."""
        operation = self._state.operations.get(request.path_params["operation_id"])
        if operation is None:
            raise errors.operation_not_found()
        version = request.path_params["version"]
        result = observe_operation(operation, versioned(request), version, self._state.now())
        return succeeded(msgspec.json.encode(result))

    def _accept(self, request: Request, group_id: str) -> Response:
        return accepted(f"{versioned(request)}/operations/{self._state.begin_operation(group_id).operation_id}")

    def _find(self, request: Request) -> tuple[str, bytes]:
        invalid = errors.ServiceError(404, "DynamicPersonGroupNotFound", "Dynamic person group ID is invalid.")
        group_id = read_id(request, invalid)
        encoded = self._state.dynamic_groups.get(group_id)
        if encoded is None:
            raise errors.dynamic_group_not_found()
        return group_id, encoded
