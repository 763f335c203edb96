"""HTTP triggers of the stand-in, by the host's rules, with the production worker's conversion."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from local.host.keys import Keys, read_keys
from tests.support.stand_in_host import APPS, StandInHost, start_stand_in

TIMEOUT_SECONDS = 30.0
MAX_BODY = 1000


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def host(keys_file: Path) -> Iterator[StandInHost]:
    settings = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str(MAX_BODY), "AzureWebJobs.other_with_key.Disabled": "true"}
    with start_stand_in(APPS / "http", settings, "--keys", str(keys_file)) as host:
        yield host


@pytest.fixture(scope="module")
def keys(host: StandInHost, keys_file: Path) -> Keys:  # noqa: ARG001 - the host makes the keys
    return read_keys(keys_file)


def call(host: StandInHost, method: str, path: str, *, key: str | None = None, **options: object) -> requests.Response:
    headers = {} if key is None else {"x-functions-key": key}
    return requests.request(method, f"{host.url}{path}", headers=headers, timeout=TIMEOUT_SECONDS, **options)  # type: ignore[arg-type]  # of requests


# Request and response


def test_a_function_sees_the_request_as_in_azure(host: StandInHost) -> None:
    url = f"{host.url}/api/Echo/abc/5?a=1&a=2&empty=&b=%C3%BC"
    response = requests.post(url, data="hello", headers={"X-Own": "mine"}, timeout=TIMEOUT_SECONDS)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Own"] == "yes"
    assert response.json() == {
        "method": "POST",
        "url": url,
        "params": {"a": "1,2", "b": "ü"},
        "route": {"kind": "abc", "number": "5"},
        "own": "mine",
        "body": "hello",
    }


def test_a_header_that_comes_twice_is_joined(host: StandInHost) -> None:
    address = urlsplit(host.url)
    request = (
        f"GET /api/echo/abc HTTP/1.1\r\nHost: {address.netloc}\r\nX-Own: 1\r\nX-Own: 2\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(request.encode())
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'"own": "1,2"' in response


def test_an_optional_part_of_a_route_may_be_missing(host: StandInHost) -> None:
    assert call(host, "GET", "/api/echo/abc").json()["route"] == {"kind": "abc"}


@pytest.mark.parametrize("path", ["/api/echo/a1", "/api/echo/abc/x", "/api/echo", "/api/nothing", "/echo/abc", "/"])
def test_a_path_that_fits_no_route_is_not_found(host: StandInHost, path: str) -> None:
    response = call(host, "GET", path)
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "DELETE"])
def test_a_method_that_is_not_the_functions_is_not_found(host: StandInHost, method: str) -> None:
    assert call(host, method, "/api/echo/abc").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "PATCH", "REPORT"])
def test_a_function_without_methods_takes_all(host: StandInHost, method: str) -> None:
    response = call(host, method, "/api/any_method")
    assert (response.status_code, response.text) == (200, method)
    assert response.headers["Content-Type"].startswith("text/plain")


def test_a_response_to_head_has_no_body(host: StandInHost) -> None:
    response = call(host, "HEAD", "/api/any_method")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Length"] == "4"


def test_the_rest_of_a_path_is_one_value(host: StandInHost) -> None:
    assert call(host, "GET", "/api/files/a/b.txt").text == "a/b.txt"
    assert call(host, "GET", "/api/files").text == "nothing"


def test_cookies_and_bytes_reach_the_client(host: StandInHost) -> None:
    response = call(host, "GET", "/api/cookie")
    assert response.content == b"\x00\xff"
    plain, full = response.raw.headers.getlist("Set-Cookie")
    assert plain.startswith("plain=1")
    for part in ("full=2", "Max-Age=60", "Path=/p", "HttpOnly", "Secure", "SameSite=strict"):
        assert part in full


def test_a_function_that_raises_is_a_500_without_its_reason(host: StandInHost) -> None:
    response = call(host, "GET", "/api/fails")
    assert (response.status_code, response.content) == (500, b"")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_rejected(host: StandInHost, chunked: bool) -> None:
    def body(size: int) -> object:
        content = b"x" * size
        return iter([content]) if chunked else content

    assert call(host, "POST", "/api/echo/abc", data=body(MAX_BODY)).status_code == 201
    assert call(host, "POST", "/api/echo/abc", data=body(MAX_BODY + 1)).status_code == 413


# Keys


def test_a_function_opens_with_its_own_key_the_hosts_and_the_master_key(host: StandInHost, keys: Keys) -> None:
    for key in (keys.functions["with_key"]["default"], keys.function_keys["default"], keys.master_key):
        assert call(host, "GET", "/api/with-key", key=key).text == "with key"
        assert call(host, "GET", f"/api/with-key?code={key}").text == "with key"


def test_a_function_stays_closed_without_a_key_of_its_own(host: StandInHost, keys: Keys) -> None:
    for key in (None, "", "wrong", keys.functions["for_admins"]["default"]):
        response = call(host, "GET", "/api/with-key", key=key)
        assert (response.status_code, response.content) == (401, b"")


def test_the_key_in_the_header_counts_before_the_one_in_the_address(host: StandInHost, keys: Keys) -> None:
    assert call(host, "GET", f"/api/with-key?code={keys.master_key}", key="wrong").status_code == 401


def test_a_function_for_admins_opens_with_the_master_key_alone(host: StandInHost, keys: Keys) -> None:
    assert call(host, "GET", "/api/for-admins", key=keys.master_key).text == "for admins"
    for key in (None, keys.function_keys["default"], keys.functions["for_admins"]["default"]):
        assert call(host, "GET", "/api/for-admins", key=key).status_code == 401


def test_a_disabled_function_is_there_for_admins_alone(host: StandInHost, keys: Keys) -> None:
    own = keys.functions["other_with_key"]["default"]
    assert call(host, "GET", "/api/other-with-key", key=own).status_code == 404
    assert call(host, "GET", "/api/other-with-key", key=keys.master_key).text == "other with key"


@pytest.mark.parametrize("path", ["/admin/host/status", "/admin/functions", "/admin/functions/echo"])
def test_the_admin_addresses_ask_for_the_master_key(host: StandInHost, keys: Keys, path: str) -> None:
    assert call(host, "GET", path, key=keys.master_key).status_code == 200
    for key in (None, keys.function_keys["default"]):
        assert call(host, "GET", path, key=key).status_code == 401
        assert call(host, "POST", "/admin/functions/echo", key=key).status_code == 401


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_web_pages_of_elsewhere_are_rejected(host: StandInHost, keys: Keys, headers: dict[str, str]) -> None:
    key = {"x-functions-key": keys.master_key}
    for path in ("/api/any_method", "/admin/functions/echo", "/admin/host/ping"):
        response = requests.post(host.url + path, headers=key | headers, timeout=TIMEOUT_SECONDS)
        assert response.status_code == 403


def test_a_page_that_the_host_has_sent_may_call_it(host: StandInHost) -> None:
    response = requests.post(f"{host.url}/api/any_method", headers={"Origin": host.url}, timeout=TIMEOUT_SECONDS)
    assert response.status_code == 200


def test_whether_the_host_listens_can_be_asked_without_a_key(host: StandInHost) -> None:
    assert call(host, "GET", "/admin/host/ping").status_code == 200


def test_a_host_that_starts_again_keeps_its_keys(keys: Keys, keys_file: Path) -> None:
    with start_stand_in(APPS / "http", {}, "--keys", str(keys_file)) as again:
        assert call(again, "GET", "/api/with-key", key=keys.functions["with_key"]["default"]).status_code == 200
    assert read_keys(keys_file) == keys


def test_without_keys_none_are_asked_for() -> None:
    with start_stand_in(APPS / "http", {}) as host:
        assert call(host, "GET", "/api/for-admins").text == "for admins"
        assert call(host, "GET", "/admin/host/status").status_code == 200
