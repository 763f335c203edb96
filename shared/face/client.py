"""The Face service's operations that the jobs need, called over one pool of connections."""

import time
from collections.abc import Callable, Mapping

import msgspec
import requests
import urllib3
from requests.auth import AuthBase

from shared import telemetry
from shared.addresses import is_loopback
from shared.face.errors import FaceError, InvalidResponse, Unreachable
from shared.face.models import (
    GroupKind,
    TrainingStatus,
    decode_training,
)
from shared.face.page import ListedGroup, ListedKind, decode_page
from shared.face.responses import error_from_response, request_id, response_date
from shared.face.transport import BoundedAdapter, Limits, read_body, within

MAX_PAGE = 1000
MAX_STATUS_BYTES = 1_048_576
MAX_PAGE_BYTES = 64 * 1_048_576
CONNECTIONS = 32


class ApiVersions(msgspec.Struct, frozen=True):
    """The API version of each family of operations, such as ``v1.2-preview.1``."""

    training: str  # trainings and the lists of groups that can be trained
    directory: str  # dynamic person groups


class Timeouts(msgspec.Struct, frozen=True):
    """The bounds of one call, in seconds."""

    connect: float = 5.0  # until the connection stands
    read: float = 20.0  # between two pieces of the response
    call: float = 60.0  # the whole call, unless the caller gives it less or more


DEFAULT_TIMEOUTS = Timeouts()


class _Operation[T](msgspec.Struct, frozen=True):
    """A call, and what its response means."""

    method: str
    path: str  # below ``/face/``
    expected: int  # the status of a good response
    decode: Callable[[bytes], T]  # raises a ``ValueError`` or a ``RecursionError``
    parameters: Mapping[str, str] | None = None
    body: object = None  # sent as JSON
    most: int = MAX_STATUS_BYTES  # bytes of the body


class FaceClient:
    """A client of one Face resource, which threads may share. Every method raises a ``FaceError``."""

    def __init__(
        self,
        endpoint: str,
        credential: AuthBase,
        versions: ApiVersions,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.endpoint = endpoint
        self.versions = versions
        self._timeouts = timeouts
        self._session = requests.Session()
        # Set on the session, so that no .netrc is asked for another.
        self._session.auth = credential
        # On this machine, a proxy would only get the key.
        self._session.trust_env = not is_loopback(endpoint)
        self._session.headers["Accept"] = "application/json"
        self._session.headers["Accept-Encoding"] = "gzip, deflate"
        self._session.mount(endpoint, BoundedAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))

    def training(self, kind: GroupKind, group_id: str, *, seconds: float | None = None) -> TrainingStatus:
        """Return the status of a group's latest training, or raise within ``seconds``."""
        path = f"{self.versions.training}/{kind.path}/{group_id}/training"
        response, training = self._call(_Operation("GET", path, 200, decode_training), seconds=seconds)
        return TrainingStatus(training, date=response_date(response.headers), request_id=request_id(response.headers))

    def start_training(self, kind: GroupKind, group_id: str, *, seconds: float | None = None) -> None:
        """Start a training of a group; return once the service has accepted it, or raise within ``seconds``."""
        path = f"{self.versions.training}/{kind.path}/{group_id}/train"
        self._call(_Operation("POST", path, 202, lambda _: None), seconds=seconds)

    def groups(self, kind: ListedKind, start: str = "", top: int = MAX_PAGE) -> list[ListedGroup]:
        """Return one page of at most ``top`` groups, those after the ID ``start`` in the service's order.

        Only an empty page ends the list.
        """
        # Without its model, a group could not be made again as it was; dynamic ones have none.
        model = {} if kind is ListedKind.DYNAMIC_PERSON_GROUP else {"returnRecognitionModel": "true"}
        operation = _Operation(
            "GET",
            f"{self.version_of(kind)}/{kind.path}",
            200,
            lambda body: decode_page(body, kind, top),
            parameters={"top": str(top), **({"start": start} if start else {}), **model},
            most=MAX_PAGE_BYTES,
        )
        return self._call(operation)[1]

    def version_of(self, kind: ListedKind) -> str:
        """Return the API version of the operations on groups of a kind."""
        return self.versions.directory if kind is ListedKind.DYNAMIC_PERSON_GROUP else self.versions.training

    def request[T](
        self,
        method: str,
        path: str,
        *,
        decode: Callable[[bytes], T],
        expected: int = 200,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
    ) -> T:
        """Make one call with a JSON ``body``, and return what its response means.

        ``path`` begins with the API version; what ``decode`` raises as a ``ValueError`` is an ``InvalidResponse``.
        """
        return self._call(_Operation(method, path, expected, decode, parameters, body=body))[1]

    def _call[T](self, operation: _Operation[T], *, seconds: float | None = None) -> tuple[requests.Response, T]:
        with telemetry.calling(operation.method, self.endpoint, operation.path) as call:
            try:
                response, content = self._exchange(operation, self._timeouts.call if seconds is None else seconds)
            except FaceError as error:
                call.ended(error.status, type(error).__name__)
                # The frames that it comes from hold the response, which may be large.
                error.__context__ = None
                raise error.with_traceback(None) from None
            call.ended(response.status_code)
            return response, content

    def _exchange[T](self, operation: _Operation[T], seconds: float) -> tuple[requests.Response, T]:
        limits = Limits(time.monotonic() + seconds, self._timeouts.read, operation.most)
        try:
            with (
                within(limits),
                self._session.request(
                    operation.method,
                    f"{self.endpoint}/face/{operation.path}",
                    params=operation.parameters,
                    json=operation.body,
                    timeout=min(self._timeouts.connect, seconds),
                    # A redirect would carry the key, a custom header, to wherever it points.
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = read_body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The error's own text holds the address, and with it a group's ID.
            raise Unreachable(f"the Face service gave no whole response ({type(error).__name__})") from None
        if response.status_code != operation.expected:
            raise error_from_response(response.status_code, response.headers, body)
        try:
            return response, operation.decode(body)
        except (ValueError, RecursionError) as error:
            # The parser's words may quote what people wrote, so only its class is named.
            raise InvalidResponse(
                f"the Face service's response has a body that is not documented ({type(error).__name__})",
                status=response.status_code,
                request_id=request_id(response.headers),
                date=response_date(response.headers),
            ) from None
