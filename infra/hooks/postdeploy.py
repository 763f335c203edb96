"""Prove after ``azd deploy`` that the app works: a request for a group that does not exist must end as ``notFound``.

Everything is read through the HTTP functions, so that no event is taken from others.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.hooks.azure import Ask, CannotAsk, ask

SECONDS = 720  # with the questions to az and the last calls, 15 minutes at most
PAUSE_SECONDS = 10
ROLES_TAKE_TIME = (
    "Roles newly granted may still be on their way, up to an hour: run 'azd deploy' again. If the inner code is "
    "UnsupportedFeature, Microsoft has not approved the access to face recognition yet: https://aka.ms/facerecognition"
)


class NotProven(Exception):
    """The app did not show that it works."""


@dataclass(frozen=True)
class Response:
    """What the app answered to one call."""

    status: int  # 0: it could not be reached
    body: Any


type Call = Callable[[str, str, object], Response]
"""Takes a method, a path and a body."""


def prove(call: Call, *, seconds: float = SECONDS, pause: float = PAUSE_SECONDS) -> None:
    """Enqueue a request, wait for its event and for a sound health, and print what was seen.

    Raises:
        NotProven: if one does not come in time, or the event tells another outcome.
    """
    deadline = time.monotonic() + seconds
    group = f"smoke-test-{uuid.uuid4().hex[:12]}"
    accepted = _until(deadline, pause, lambda: call("POST", "/api/requests", {"groupId": group}), _is_accepted)
    print(f"enqueued a request for {group}, which does not exist")
    path = accepted.body["location"]
    ended = _until(deadline, pause, lambda: call("GET", path, None), _has_ended, lambda: _health(call))
    data = ended.body["event"]["data"]
    outcome, error = data["outcome"], data["error"] or {}
    if outcome != "notFound":
        raise NotProven(f"the request ended as {outcome}, expected notFound: {error.get('message', 'no reason given')}")
    print("it ended as notFound: queue, table, Face service and events work")
    _until(deadline, pause, lambda: call("GET", "/api/health", None), _is_healthy, lambda: _health(call))
    print(_health(call))


def _is_accepted(response: Response) -> bool:
    return response.status == 202 and str(_field(response, "location")).startswith("/")


def _has_ended(response: Response) -> bool:
    return response.status == 200 and _field(response, "state") == "ended" and bool(_field(response, "event"))


def _is_healthy(response: Response) -> bool:
    return response.status == 200


def _field(response: Response, name: str) -> Any:
    return response.body.get(name) if isinstance(response.body, dict) else None


def _until(
    deadline: float,
    pause: float,
    attempt: Callable[[], Response],
    is_done: Callable[[Response], bool],
    why: Callable[[], str] = lambda: "",
) -> Response:
    """Repeat a call until it brings what is wanted."""
    while not is_done(response := attempt()):
        if time.monotonic() >= deadline:
            raise NotProven("\n".join(filter(None, [_described(response), why()])))
        time.sleep(pause)
    return response


def _described(response: Response) -> str:
    seen = json.dumps(response.body, ensure_ascii=False)[:500]
    if response.status in (401, 403):
        return f"the app refuses the call ({response.status}): {seen}. {ROLES_TAKE_TIME}"
    if response.status == 0:
        return f"the app cannot be reached: {seen}"
    return f"the app did not show in time that it works; its last response was {response.status}: {seen}"


def _health(call: Call) -> str:
    response = call("GET", "/api/health", None)
    told = json.dumps(response.body, indent=2, ensure_ascii=False)
    refused = any(code in told for code in ("401", "403", "Unauthorized", "UnsupportedFeature"))
    return f"health ({response.status}): {told}" + (f"\n{ROLES_TAKE_TIME}" if refused else "")


def caller(address: str, headers: Mapping[str, str]) -> Call:
    """Return what calls the app."""

    def call(method: str, path: str, body: object) -> Response:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the app's own address
            address.rstrip("/") + path, data, {"Content-Type": "application/json", **headers}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
                return Response(response.status, _parsed(response.read()))
        except urllib.error.HTTPError as error:
            return Response(error.code, _parsed(error.read()))
        except OSError as error:
            return Response(0, str(error))

    return call


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:500]


def credentials(environment: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """Return the headers that open the HTTP functions: a token of Entra ID, or a key of the host."""
    client = environment.get("ENTRA_CLIENT_ID", "none")
    if client not in ("", "none"):
        token = ask("account", "get-access-token", "--resource", f"api://{client}")["accessToken"]
        return {"Authorization": f"Bearer {token}"}
    app, group = environment["AZURE_FUNCTION_APP_NAME"], environment["AZURE_RESOURCE_GROUP"]
    keys = ask("functionapp", "keys", "list", "--name", app, "--resource-group", group)["functionKeys"]
    return {"x-functions-key": keys["default"]}


def main(environment: Mapping[str, str] = os.environ, ask: Ask = ask) -> int:
    if environment.get("NETWORK_ISOLATION") == "true":
        print("smoke test skipped: with NETWORK_ISOLATION the app answers inside its network alone. Run this there.")
        return 0
    address = environment.get("FUNCTION_APP_URL")
    if not address:
        print("smoke test failed: found no FUNCTION_APP_URL, expected the output of 'azd provision'", file=sys.stderr)
        return 1
    try:
        prove(caller(address, credentials(environment, ask)))
    except (NotProven, CannotAsk) as error:
        print(f"smoke test failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
