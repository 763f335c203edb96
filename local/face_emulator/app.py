"""The emulator as an ASGI app: which path is which operation."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.face_emulator.control_api import control_routes
from local.face_emulator.dynamic_group_operations import DynamicGroupOperations
from local.face_emulator.errors import resource_not_found
from local.face_emulator.gateway import ALL_VERSIONS, DYNAMIC_GROUP_VERSIONS, FrontDoor, Handler
from local.face_emulator.group_operations import GroupOperations
from local.face_emulator.kinds import KINDS, Kind
from local.face_emulator.responses import failed
from local.face_emulator.state import State
from local.loopback import LoopbackOnly


def make_app(state: State) -> Starlette:
    """Return the service and its control API over that state."""
    routes = [*_dynamic_group_routes(state), *control_routes(state)]
    for kind in KINDS.values():
        routes += _group_routes(kind, state)
    app = Starlette(
        routes=routes,
        exception_handlers={404: _unknown, 405: _unknown},
        middleware=[Middleware(LoopbackOnly)],
    )
    app.router.redirect_slashes = False
    return app


def _dynamic_group_routes(state: State) -> list[BaseRoute]:
    def route(method: str, path: str, operation: str, handler: Handler) -> BaseRoute:
        front_door = FrontDoor(operation, handler, DYNAMIC_GROUP_VERSIONS, state)
        return Route(f"/face/{{version}}{path}", front_door, methods=[method])

    operations = DynamicGroupOperations(state)
    many, one = "/dynamicpersongroups", "/dynamicpersongroups/{group_id}"
    return [
        route("GET", many, "dynamicPersonGroup.list", operations.list),
        route("PUT", one, "dynamicPersonGroup.create", operations.create),
        route("GET", one, "dynamicPersonGroup.get", operations.get),
        route("PATCH", one, "dynamicPersonGroup.update", operations.update),
        route("DELETE", one, "dynamicPersonGroup.delete", operations.delete),
        route("GET", "/operations/{operation_id}", "operation.get", operations.operation),
    ]


def _group_routes(kind: Kind, state: State) -> list[BaseRoute]:
    def route(method: str, path: str, verb: str, handler: Handler) -> BaseRoute:
        front_door = FrontDoor(f"{kind.name}.{verb}", handler, ALL_VERSIONS, state)
        return Route(f"/face/{{version}}/{kind.path}{path}", front_door, methods=[method])

    operations = GroupOperations(kind, state)
    return [
        route("GET", "/{group_id}/training", "training", operations.training),
        route("POST", "/{group_id}/train", "train", operations.train),
        route("GET", "", "list", operations.list),
        route("PUT", "/{group_id}", "create", operations.create),
        route("GET", "/{group_id}", "get", operations.get),
        route("DELETE", "/{group_id}", "delete", operations.delete),
    ]


async def _unknown(_request: Request, _error: Exception) -> Response:
    return failed(resource_not_found())
