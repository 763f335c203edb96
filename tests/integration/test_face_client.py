import gzip
import logging
import socket
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path

import msgspec
import pytest

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import (
    BadRequest,
    Conflict,
    FaceError,
    GroupNotFound,
    InvalidResponse,
    NoConnection,
    NotTrained,
    ServerFault,
    Throttled,
    Unauthorized,
    UndocumentedNotFound,
    Unreachable,
)
from shared.face.models import GroupKind, Training, TrainingStatus
from shared.face.page import ListedKind
from tests.support.builders import environment
from tests.support.face_contract import read_recording
from tests.support.fresh import fresh_wiring
from tests.support.scripted_server import Response, http, scripted_server
from tests.support.waiting import wait_for

KEY = "s3cret-key-s3cret-key"
GROUP = "a-group-that-nobody-may-read-of"
LARGE = GroupKind.LARGE_PERSON_GROUP
DYNAMIC = ListedKind.DYNAMIC_PERSON_GROUP
VERSIONS = ApiVersions(training="v1.2-preview.1", directory="v1.2-preview.1")
TIMEOUTS = Timeouts(connect=5, read=2, call=4)
RUNNING = b'{"status":"running"}'


def client_of(endpoint: str, *, key: str = KEY, versions: ApiVersions = VERSIONS) -> FaceClient:
    return FaceClient(endpoint, KeyCredential(key), versions, timeouts=TIMEOUTS)


@pytest.fixture
def client(face_emulator: FaceEmulator) -> FaceClient:
    """Return a client of the emulator."""
    return client_of(face_emulator.endpoint, key=face_emulator.key)


@contextmanager
def client_of_script(*responses: Response) -> Iterator[FaceClient]:
    with scripted_server(*responses) as server:
        yield client_of(server.endpoint)


def error_of(client: FaceClient) -> FaceError:
    """Return the error of a poll, which must name neither the key nor the group."""
    with pytest.raises(FaceError) as raised:
        client.training(LARGE, GROUP)
    for secret in (KEY, GROUP):
        assert secret not in f"{raised.value} {raised.value!r} {raised.value.__dict__}"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value


def _if_ended(status: TrainingStatus) -> Training | None:
    return status.training if status.training.ended else None


class TestAgainstTheEmulator:
    @pytest.mark.parametrize("kind", list(GroupKind))
    def test_a_training_is_started_and_followed_to_its_end(
        self, client: FaceClient, face_emulator: FaceEmulator, kind: GroupKind
    ) -> None:
        face_emulator.control.plan(duration=0.2)
        face_emulator.control.group(kind.value, GROUP)
        client.start_training(kind, GROUP)
        assert client.training(kind, GROUP).training.status == "running"
        ended = wait_for(lambda: _if_ended(client.training(kind, GROUP)), what="the training's end")
        assert ended.succeeded
        assert ended.created is not None

    def test_a_training_that_fails_says_why(self, client: FaceClient, face_emulator: FaceEmulator) -> None:
        face_emulator.control.plan(duration=0, outcome="failed", message="No faces.")
        face_emulator.control.group(LARGE.value, GROUP, train=True)
        training = client.training(LARGE, GROUP).training
        assert (training.failed, training.message) == (True, "No faces.")

    @pytest.mark.parametrize("kind", list(GroupKind))
    def test_a_missing_group_differs_from_one_never_trained(
        self, client: FaceClient, face_emulator: FaceEmulator, kind: GroupKind
    ) -> None:
        with pytest.raises(GroupNotFound) as missing:
            client.training(kind, GROUP)
        face_emulator.control.group(kind.value, GROUP)
        with pytest.raises(NotTrained):
            client.training(kind, GROUP)
        assert missing.value.message
        assert missing.value.request_id

    def test_a_status_has_the_services_clock_and_its_request_id(
        self, client: FaceClient, face_emulator: FaceEmulator
    ) -> None:
        face_emulator.control.group(LARGE.value, GROUP, train=True)
        status = client.training(LARGE, GROUP)
        assert status.date is not None
        assert abs((status.date - datetime.now(UTC)).total_seconds()) < 5
        assert status.request_id

    def test_a_training_that_is_under_way_is_a_conflict(self, client: FaceClient, face_emulator: FaceEmulator) -> None:
        face_emulator.control.plan(duration=60)
        face_emulator.control.group(LARGE.value, GROUP)
        client.start_training(LARGE, GROUP)
        with pytest.raises(Conflict) as raised:
            client.start_training(LARGE, GROUP)
        assert (raised.value.status, raised.value.code) == (409, "LargePersonGroupTrainingNotFinished")

    def test_a_wrong_key_is_unauthorized(self, face_emulator: FaceEmulator) -> None:
        error = error_of(client_of(face_emulator.endpoint))
        assert isinstance(error, Unauthorized)
        assert (error.status, error.code) == (401, "401")

    def test_a_version_without_dynamic_person_groups_knows_no_such_path(self, face_emulator: FaceEmulator) -> None:
        versions = ApiVersions(training="v1.2", directory="v1.2")
        client = client_of(face_emulator.endpoint, key=face_emulator.key, versions=versions)
        with pytest.raises(UndocumentedNotFound) as raised:
            client.groups(DYNAMIC)
        assert raised.value.message == "Resource not found"

    def test_a_resource_whose_limit_is_reached_throttles_and_names_a_wait(
        self, client: FaceClient, face_emulator: FaceEmulator
    ) -> None:
        face_emulator.control.settings(requests_per_second=0.2)
        client.groups(DYNAMIC)
        with pytest.raises(Throttled) as raised:
            client.groups(DYNAMIC)
        assert raised.value.status == 429
        assert raised.value.wait is not None
        assert 1 <= raised.value.wait <= 5

    def test_dynamic_groups_are_listed_page_by_page_by_the_last_id(
        self, client: FaceClient, face_emulator: FaceEmulator
    ) -> None:
        face_emulator.control.fill(25, user_data=10)
        found: list[str] = []
        while page := client.groups(DYNAMIC, start=found[-1] if found else "", top=10):
            found += [group.group_id for group in page]
        assert len(found) == len(set(found)) == 25
        assert found == sorted(found)

    def test_a_start_that_the_service_refuses_is_a_bad_request(self, client: FaceClient) -> None:
        with pytest.raises(BadRequest) as long:
            client.groups(DYNAMIC, start="a" * 65)
        with pytest.raises(BadRequest) as large:
            client.groups(DYNAMIC, top=1_001)
        assert (long.value.message, large.value.message) == ("'start' is too long.", "'top' is invalid.")

    @pytest.mark.parametrize(
        ("fault", "kind", "status"),
        [
            (faults.Hang(), Unreachable, None),
            (faults.Cut(when="before"), Unreachable, None),
            (faults.Cut(when="after"), Unreachable, None),
            (faults.Cut(when="body"), Unreachable, None),
            (faults.Latency(seconds=5), Unreachable, None),
            (faults.Html(status=502), ServerFault, 502),
            (faults.Html(status=200), InvalidResponse, 200),
            (faults.BrokenJson(), InvalidResponse, 200),
            (faults.Redirect(), InvalidResponse, 302),
            (faults.ErrorResponse(), ServerFault, 500),
            (faults.ErrorResponse(status=503, code="ServiceUnavailable"), ServerFault, 503),
            (faults.ErrorResponse(status=408, code="OperationTimeOut"), ServerFault, 408),
            (faults.ErrorResponse(status=401, code="PermissionDenied"), Unauthorized, 401),
            (faults.ErrorResponse(status=403, code="UnsupportedFeature"), Unauthorized, 403),
            (faults.ErrorResponse(status=409, code="ConcurrentOperationConflict"), Conflict, 409),
            (faults.ErrorResponse(status=400, code="BadArgument"), BadRequest, 400),
            (faults.ErrorResponse(status=415, code="InvalidURL"), BadRequest, 415),
            (faults.Throttled(), Throttled, 429),
        ],
        ids=str,
    )
    def test_each_trouble_is_an_error_of_its_kind_and_over_in_time(
        self,
        client: FaceClient,
        face_emulator: FaceEmulator,
        fault: faults.AnyFault,
        kind: type[FaceError],
        status: int | None,
    ) -> None:
        face_emulator.control.group(LARGE.value, GROUP, train=True)
        face_emulator.control.faults(msgspec.structs.replace(fault, remaining=1))
        began = time.monotonic()
        error = error_of(client)
        assert time.monotonic() - began < 4.9  # where a latency of 5 seconds is waited out, it takes longer
        assert type(error) is kind
        assert error.status == status
        # Nothing of it is left behind.
        assert client.training(LARGE, GROUP).training.created is not None

    @pytest.mark.parametrize(
        ("fault", "least", "most"),
        [
            (faults.Throttled(retry_after=7), 7, 7),
            (faults.Throttled(retry_after=70, as_date=True), 69, 71),
            (faults.Throttled(message="Rate limit is exceeded. Try again in 26 seconds."), 26, 26),
            (faults.Throttled(message="Please retry after 1 second.", form="gateway"), 1, 1),
            (faults.Throttled(retry_after=3, form="gateway"), 3, 3),
        ],
        ids=str,
    )
    def test_a_throttled_call_says_how_long_to_wait(
        self, client: FaceClient, face_emulator: FaceEmulator, fault: faults.AnyFault, least: float, most: float
    ) -> None:
        face_emulator.control.faults(fault)
        error = error_of(client)
        assert (error.status, error.code) == (429, "429")
        assert error.wait is not None
        assert least <= error.wait <= most

    def test_threads_share_one_client(self, client: FaceClient, face_emulator: FaceEmulator) -> None:
        face_emulator.control.group(LARGE.value, GROUP, train=True)
        with ThreadPoolExecutor(16) as threads:
            statuses = list(threads.map(lambda _: client.training(LARGE, GROUP), range(64)))
        assert len({status.training.created for status in statuses}) == 1


RECORDINGS = [
    ("v1.0-preview_persongroup_training", GroupKind.PERSON_GROUP, "person-group-id"),
    ("v1.2-preview.1_largepersongroup_training", GroupKind.LARGE_PERSON_GROUP, "identify"),
    ("v1.2-preview.1_persongroup_training", GroupKind.PERSON_GROUP, "identify"),
]


@pytest.mark.parametrize(("name", "kind", "group_id"), RECORDINGS)
def test_recorded_traffic_is_reproduced_and_understood(name: str, kind: GroupKind, group_id: str) -> None:
    entries = read_recording(name)
    responses = [
        http(
            entry["status"],
            b"" if entry.get("body") is None else entry["body"],
            keep=True,
            **{key: value for key, value in entry.get("headers", {}).items() if key != "Content-Length"},
        )
        for entry in entries
    ]
    version = name.partition("_")[0]
    trainings = []
    with scripted_server(*responses) as server:
        client = client_of(server.endpoint, versions=ApiVersions(training=version, directory=version))
        for entry in entries:
            if entry["request"].startswith("POST"):
                client.start_training(kind, group_id)
            else:
                trainings.append(client.training(kind, group_id).training)
        asked = [head.partition(" HTTP/1.1")[0] for head in server.requests]
    assert [msgspec.to_builtins(training) for training in trainings] == [
        entry["body"] for entry in entries if entry["status"] == 200
    ]
    assert [training.succeeded for training in trainings] == [False, True]
    recorded = [entry["request"] for entry in entries]
    assert asked == [request if request != "same" else recorded[index - 1] for index, request in enumerate(recorded)]


JSON = "application/json; charset=utf-8"
LINE = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["{target}/face", "//{target}", "/elsewhere", "http://[::1", "http://a:99999/", "\xff\xfe", ""]
)
def test_no_redirect_is_followed_and_no_target_is_even_read(status: int, location: str) -> None:
    with scripted_server(http(200, RUNNING)) as target:
        here = location.format(target=target.endpoint)
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {here}\r\nContent-Length: 2\r\n\r\n{{}}"
        with client_of_script(Response([head.encode("latin-1")])) as client:
            error = error_of(client)
        assert (type(error), error.status) == (InvalidResponse, status)
        assert target.requests == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99 No\r\n\r\n",
        LINE + b"Content-Length: 21\r\n\r\n" + RUNNING,
        LINE + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + RUNNING,
        LINE + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + RUNNING + b"\r\n",
        LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + RUNNING,
        LINE + b"".join(b"x-%d: y\r\n" % number for number in range(200)) + b"\r\n" + RUNNING,
        LINE + b"x: " + b"y" * 70_000 + b"\r\n\r\n" + RUNNING,
    ],
)
def test_what_is_not_a_whole_response_is_unreachable(raw: bytes) -> None:
    with client_of_script(Response([raw])) as client:
        assert type(error_of(client)) is Unreachable


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (http(200), InvalidResponse),
        (Response([LINE]), InvalidResponse),
        (http(200, b"\xff\xfe"), InvalidResponse),
        (http(200, RUNNING, Content_Encoding="gzip"), InvalidResponse),
        (http(200, gzip.compress(RUNNING, mtime=0)[:-1], Content_Encoding="gzip"), InvalidResponse),
        (http(200, gzip.compress(RUNNING, mtime=0) + b"x", Content_Encoding="gzip"), InvalidResponse),
        (http(200, RUNNING, Content_Encoding="br"), InvalidResponse),
        (http(200, b"null"), InvalidResponse),
        (http(200, b"[" * 100_000), InvalidResponse),
        (http(200, {"error": {"code": "InternalServerError", "message": "Broken."}}), InvalidResponse),
        (http(200, {"status": 3}), InvalidResponse),
        (http(201, RUNNING), InvalidResponse),
        (http(202, RUNNING), InvalidResponse),
        (http(204), InvalidResponse),
        (http(206, RUNNING), InvalidResponse),
        (http(101), InvalidResponse),
        (http(102), InvalidResponse),
        (http(304), InvalidResponse),
        (http(407, b"<html>"), BadRequest),
        (http(504, b"<html>"), ServerFault),
        (http(600, RUNNING), ServerFault),
    ],
    ids=lambda found: repr(found)[:60],
)
def test_a_response_that_is_not_documented_is_an_error(response: Response, kind: type[FaceError]) -> None:
    with client_of_script(response) as client:
        assert type(error_of(client)) is kind


def test_a_train_call_was_accepted_by_202_alone() -> None:
    with client_of_script(http(200)) as client, pytest.raises(InvalidResponse, match="responded 200"):
        client.start_training(LARGE, GROUP)


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", gzip.compress(RUNNING, mtime=0)), ("Deflate", zlib.compress(RUNNING))]
)
def test_a_response_may_be_compressed(encoding: str, body: bytes) -> None:
    with client_of_script(http(200, body, Content_Encoding=encoding)) as client:
        assert client.training(LARGE, GROUP).training == Training("running")


def test_a_response_may_come_in_pieces() -> None:
    with client_of_script(
        Response([LINE + b"Content-Length: 20\r\n\r\n", RUNNING[:7], RUNNING[7:]], pause=0.05)
    ) as client:
        assert client.training(LARGE, GROUP).training == Training("running")
    with client_of_script(Response([b"HTTP/1.1 100 Continue\r\n\r\n", LINE + b"\r\n", RUNNING], pause=0.05)) as client:
        assert client.training(LARGE, GROUP).training == Training("running")


@pytest.mark.parametrize("status", [200, 302, 500])
def test_a_response_that_drips_in_is_given_up(status: int) -> None:
    head = b"HTTP/1.1 %d OK\r\nLocation: /elsewhere\r\nContent-Length: 100\r\n\r\n" % status
    with client_of_script(Response([head, *[b" "] * 99], pause=0.1)) as client:
        began = time.monotonic()
        error = error_of(client)
        assert time.monotonic() - began < 9  # of the 10 seconds that it would take
    assert type(error) is Unreachable


def test_a_refused_connection_names_the_endpoint_and_its_setting() -> None:
    with scripted_server() as server:
        pass
    error = error_of(client_of(server.endpoint))
    assert type(error) is NoConnection
    assert server.endpoint.removeprefix("http://") in str(error)
    assert "check FACE_ENDPOINT" in str(error)


def test_a_name_that_cannot_be_resolved_is_no_connection() -> None:
    assert type(error_of(client_of("http://no-such-name.invalid"))) is NoConnection


def test_a_server_that_speaks_no_tls_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert type(error_of(client_of(f"https://127.0.0.1:{silent.getsockname()[1]}"))) is NoConnection
        assert time.monotonic() - began < 15


def test_the_caller_may_give_a_call_less_time() -> None:
    with client_of_script(Response([b"", b""], pause=2)) as client:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            client.training(LARGE, GROUP, seconds=0.1)
        with pytest.raises(Unreachable):
            client.start_training(LARGE, GROUP, seconds=0.1)
        assert time.monotonic() - began < 1.9


def test_one_connection_carries_many_calls() -> None:
    with scripted_server(http(200, RUNNING, keep=True)) as server:
        client = client_of(server.endpoint)
        for _ in range(5):
            client.training(LARGE, GROUP)
        assert (len(server.requests), server.opened) == (5, 1)


def test_a_connection_that_the_service_closed_meanwhile_is_not_used_again() -> None:
    with scripted_server(http(200, RUNNING)) as server:
        client = client_of(server.endpoint)
        for _ in range(3):
            assert client.training(LARGE, GROUP).training == Training("running")
            assert server.closed.acquire(timeout=10)
        assert server.opened == 3


def test_the_key_goes_in_its_header_alone_and_no_other_credential_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted_server(http(200, RUNNING)) as server:
        client_of(server.endpoint).training(LARGE, GROUP)
        (head,) = server.requests
    assert head.startswith(f"GET /face/v1.2-preview.1/largepersongroups/{GROUP}/training HTTP/1.1\r\n")
    assert f"Ocp-Apim-Subscription-Key: {KEY}\r\n" in head
    assert head.count(KEY) == 1
    assert "authorization" not in head.lower()


def test_no_cookie_is_sent_back() -> None:
    with scripted_server(http(200, RUNNING, keep=True, Set_Cookie="a=b; Path=/; Max-Age=9999")) as server:
        client = client_of(server.endpoint)
        for _ in range(3):
            client.training(LARGE, GROUP)
        assert not any("cookie" in head.lower() for head in server.requests)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_gets_the_key_of_a_service_on_this_machine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with scripted_server(http(200, RUNNING)) as proxy, client_of_script(http(200, RUNNING)) as client:
        monkeypatch.setenv(name, proxy.endpoint)
        client.training(LARGE, GROUP)
        assert proxy.requests == []


def test_a_wait_is_read_by_the_responses_own_date() -> None:
    now = time.time()
    response = http(429, Date=formatdate(now - 9_000, usegmt=True), Retry_After=formatdate(now - 8_970, usegmt=True))
    with client_of_script(response) as client:
        assert error_of(client).wait == 30


def test_neither_key_nor_group_is_logged_above_debug(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Response([LINE + b"a header that is none\r\n\r\n" + RUNNING])
    with scripted_server(broken, http(200, b"no JSON"), Response([b""]), http(302, Location="/")) as server:
        for name, value in environment(FACE_ENDPOINT=server.endpoint, FACE_KEY=KEY, FACE_MAX_TPS="1000").items():
            monkeypatch.setenv(name, value)
        with fresh_wiring() as wiring, caplog.at_level(logging.INFO):
            client = wiring.face_client()
            client.training(LARGE, GROUP)
            for _ in range(3):
                error_of(client)
    assert KEY not in caplog.text
    assert GROUP not in caplog.text
