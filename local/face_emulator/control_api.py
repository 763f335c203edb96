"""The control API under ``/_emulator/``, which the real service does not have."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.face_emulator.dynamic_groups import Change, Fill, change, fill
from local.face_emulator.faults import AnyFault, Seconds
from local.face_emulator.kinds import KINDS
from local.face_emulator.state import Group, State
from local.face_emulator.trainings import Plan, submit

PREFIX = "/_emulator"
# Holds the token of the control API; where it is empty, the emulator makes one and prints it.
TOKEN_VARIABLE = "FACE_EMULATOR_CONTROL_TOKEN"
TOKEN_HINT = "the header 'Authorization: Bearer TOKEN'"


class FaultsOrder(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The faults to have from now on."""

    faults: list[AnyFault]
    seed: int = 0


class PlanOrder(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The plan for the next trainings of a group, or of all groups that have none of their own."""

    plan: Plan
    kind: str | None = None  # None, as ``group_id``: of all groups
    group_id: str | None = None


class GroupOrder(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A group to make anew."""

    kind: str
    group_id: str
    train: bool = False  # submit its training at once


class Settings(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The limits of the emulated resource."""

    requests_per_second: Annotated[float, msgspec.Meta(gt=0)] | None = None  # None: no limit
    latency: Seconds = 0.0  # of each response


def control_routes(state: State) -> list[BaseRoute]:
    """Return the routes of the control API."""
    route = partial(_route, state)
    return [
        route("GET", "/statistics", lambda _: state.statistics()),
        route("POST", "/reset", lambda _: state.reset()),
        _route(
            state, "PUT", "/faults", _reading(FaultsOrder, lambda order: state.set_faults(order.faults, order.seed))
        ),
        route("PUT", "/plans", _reading(PlanOrder, lambda order: _plan(state, order))),
        route("PUT", "/groups", _reading(GroupOrder, lambda order: _make_group(state, order))),
        route("PUT", "/settings", _reading(Settings, lambda order: _apply(state, order))),
        route("POST", "/fill", _reading(Fill, lambda order: fill(state.dynamic_groups, order))),
        route("POST", "/change", _reading(Change, lambda order: change(state.dynamic_groups, order))),
    ]


def _reading[T](form: type[T], carry_out: Callable[[T], object]) -> Callable[[bytes], object]:
    return lambda body: carry_out(msgspec.json.decode(body, type=form))


def _route(state: State, method: str, path: str, carry_out: Callable[[bytes], object]) -> BaseRoute:
    async def respond(request: Request) -> Response:
        if not state.is_control_token(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return Response(f"Found no token of this run; expected {TOKEN_HINT}.", 401, media_type="text/plain")
        try:
            result = carry_out(await request.body())
        except ValueError as error:  # msgspec's errors too
            return Response(f"{method} {PREFIX}{path}: {error}", 400, media_type="text/plain")
        if result is None:
            return Response(status_code=204)
        return Response(msgspec.json.encode(result), media_type="application/json")

    return Route(f"{PREFIX}{path}", respond, methods=[method])


def _plan(state: State, order: PlanOrder) -> None:
    if order.kind is None or order.group_id is None:
        state.plans.set_default(order.plan)
    else:
        state.plans.set(_known(order.kind), order.group_id, order.plan)


def _make_group(state: State, order: GroupOrder) -> None:
    group = Group(order.group_id, order.group_id)
    if order.train:
        group.training = submit(state.plans.get(_known(order.kind), order.group_id), state.now(), None)
    state.groups[_known(order.kind)].put(order.group_id, group)


def _apply(state: State, settings: Settings) -> None:
    state.limit_requests(settings.requests_per_second)
    state.latency = settings.latency


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
    return kind
