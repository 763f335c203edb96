"""Call the operations of the Face service that the jobs need, over one pool of connections."""

import math
import time
from collections.abc import Callable, Mapping

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from shared.face.budget import RequestBudget
from shared.face.errors import InvalidResponse, Throttled, Unreachable, error_from_response
from shared.face.models import (
    DynamicPersonGroup,
    GroupKind,
    Training,
    decode_dynamic_person_groups,
    decode_training,
)

POLL_PATIENCE_SECONDS = 3.0
"""A look that the budget would hold for longer is put off through the queue instead of holding a worker."""

MAX_PAGE = 1000
CONNECTIONS = 32


class ApiVersions(msgspec.Struct, frozen=True):
    """Name the API version of each family of operations, such as ``v1.2-preview.1``."""

    training: str
    directory: str


class Timeouts(msgspec.Struct, frozen=True):
    """Bound one call, in seconds: to connect, for each read, and for the whole answer, which may drip in."""

    connect: float = 5.0
    read: float = 20.0
    answer: float = 60.0


DEFAULT_TIMEOUTS = Timeouts()


class _StayingSession(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the name is of requests
        """Find no redirect in any answer: requests reads its target even of those that it is told not to follow."""
        return


class FaceClient:
    """Make calls to one Face resource; may be shared by threads.

    Every method raises a ``FaceError``, and waits for the request ``budget`` first.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AuthBase,
        budget: RequestBudget,
        versions: ApiVersions,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.endpoint = endpoint
        self.versions = versions
        self.budget = budget
        self._timeouts = timeouts
        self._session = _StayingSession()
        # Set on the session, so that no .netrc is asked for another.
        self._session.auth = credential
        self._session.headers["Accept"] = "application/json"
        self._session.mount(endpoint, HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))

    def training(self, kind: GroupKind, group_id: str) -> Training:
        """Return the status of a group's latest training."""
        answer = self._call("GET", f"{self.versions.training}/{kind.path}/{group_id}/training", expected=200)
        return _decoded(answer, decode_training)

    def start_training(self, kind: GroupKind, group_id: str) -> None:
        """Start a training of a group; return when the service has accepted it."""
        self._call("POST", f"{self.versions.training}/{kind.path}/{group_id}/train", expected=202)

    def dynamic_person_groups(self, start: str = "", top: int = MAX_PAGE) -> list[DynamicPersonGroup]:
        """Return one page of at most ``top`` groups, those after the ID ``start`` in the service's order.

        An empty page is the end. Wait for the request budget however long it takes.
        """
        answer = self._call(
            "GET",
            f"{self.versions.directory}/dynamicpersongroups",
            expected=200,
            parameters={"start": start, "top": str(top)} if start else {"top": str(top)},
            patience=math.inf,
        )
        return _decoded(answer, decode_dynamic_person_groups)

    def request(
        self,
        method: str,
        path: str,
        *,
        expected: int = 200,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
    ) -> bytes:
        """Make one call with a JSON ``body``, and return the response's body; ``path`` begins with the API version.

        Wait for the request budget however long it takes.
        """
        return self._call(method, path, expected=expected, parameters=parameters, body=body, patience=math.inf)

    def _call(
        self,
        method: str,
        path: str,
        *,
        expected: int,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        patience: float = POLL_PATIENCE_SECONDS,
    ) -> bytes:
        slot = self.budget.wait_for_slot(patience)
        try:
            with self._session.request(
                method,
                f"{self.endpoint}/face/{path}",
                params=parameters,
                json=body,
                timeout=(self._timeouts.connect, self._timeouts.read),
                # A redirect would carry the key, a custom header, to wherever it points.
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _whole_body(answer, self._timeouts.answer)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The error's own text holds the address, and with it a group's ID.
            raise Unreachable(f"the Face service gave no whole answer ({type(error).__name__})") from None
        if answer.status_code == expected:
            self.budget.answered()
            return content
        problem = error_from_response(answer.status_code, answer.headers, content)
        if isinstance(problem, Throttled):
            self.budget.refused(slot, problem.wait)
        raise problem


def _whole_body(answer: requests.Response, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    body = bytearray()
    while part := answer.raw.read1(65_536, decode_content=True):
        body += part
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return bytes(body)


def _decoded[T](body: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(body)
    except (ValueError, RecursionError) as error:
        # Of the parser's words only its kind is told: they may quote what people wrote.
        raise InvalidResponse(
            f"the Face service answered 200 with a body that is not what it documents ({type(error).__name__})",
            status=200,
        ) from None
