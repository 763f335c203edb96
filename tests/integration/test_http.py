"""The HTTP functions on the whole stack, each response held to the OpenAPI document."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as openapi_checks

from local.functions_host import HostKind
from local.stack import Event, Stack, start_stack
from tests.support.openapi import Document
from tests.support.waiting import wait_for

TIMEOUT_SECONDS = 60
NEVER = "2099-01-01T00:00:00Z"  # no training is created after it, so a request that asks for one stays open

SETTINGS = {
    "FACE_MAX_TPS": "100",
    "WATCH_GRACE_SECONDS": "1",
    "WATCH_MAX_DELAY_SECONDS": "1",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.200",
}


@dataclasses.dataclass
class Api:
    """A client of the HTTP functions."""

    stack: Stack
    document: Document
    events: list[Event]  # received so far

    def __call__(self, method: str, path: str, *, key: str | None = "right", **options: Any) -> requests.Response:
        """Call a function by its path below ``/api``, and hold the response to the document."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["x-functions-key"] = self.stack.connection.function_key if key == "right" else key
        address = f"{self.stack.host.endpoint}/api{path}"
        response = requests.request(method, address, headers=headers, timeout=TIMEOUT_SECONDS, **options)
        content_type = response.headers.get("Content-Type", "")
        self.document.check(method, urlsplit(address).path[4:], response.status_code, content_type, response.content)
        return response

    def send(self, body: object) -> str:
        """Send one request, and return its path."""
        response = self("POST", "/requests", json=body)
        assert response.status_code == 202
        path = response.json()["location"].removeprefix("/api")
        assert isinstance(path, str)
        return path

    def wait_until(self, path: str, state: str) -> requests.Response:
        """Wait until a request has a state."""

        def reached() -> requests.Response | None:
            response = self("GET", path)
            return response if response.json()["state"] == state else None

        return wait_for(reached, what=f"the request to be {state}")

    def received(self, request_id: str) -> list[Event]:
        """Return the events of a request that were sent so far."""
        while new := self.stack.receive_events():
            self.events += new
        return [each for each in self.events if each["id"] == request_id]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with start_stack(host_kind=HostKind.STAND_IN, settings=SETTINGS) as stack:
        yield Api(stack, Document(), [])


def problem(response: requests.Response, status: int) -> dict[str, Any]:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    content: dict[str, Any] = response.json()
    assert content["status"] == status
    return content


def new_id(age: timedelta = timedelta(0)) -> str:
    """Return the ID of a request that nobody sent."""
    return f"{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}-nobody-sent-it"


# the document


def test_the_document_is_openapi_3_1_and_served_as_it_is(api: Api) -> None:
    validate(api.document.content)
    assert api.document.content["openapi"].startswith("3.1.")
    assert api("GET", "/openapi.json").json() == api.document.content


# keys


@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_without_a_valid_key_nothing_but_the_page_is_served(api: Api, key: str | None) -> None:
    for path, operations in api.document.content["paths"].items():
        for method in operations.keys() - {"parameters"}:
            filled = path.format(kind="largePersonGroup", groupId="my-group", requestId=new_id(), snapshotId="x")
            status = api(method.upper(), filled, key=key).status_code
            assert status == (200 if path == "/ui" else 401), filled


def test_the_key_may_be_in_the_address_and_stays_out_of_the_next_pages_address(api: Api) -> None:
    key = api.stack.connection.function_key
    for number in range(2):
        api.wait_until(api.send({"groupId": f"address-{number}", "trainedAfter": NEVER}), "ended")
    link = wait_for(
        lambda: api("GET", f"/ended?top=1&code={key}", key=None).json().get("nextLink"), what="two that ended"
    )
    assert "top=1" in link
    assert str(key) not in link


# requests


def test_a_request_is_queued_then_open_then_ended_with_its_event(api: Api) -> None:
    api.stack.face.control.plan(duration=3)
    api.stack.face.control.group("largePersonGroup", "followed", train=True)
    sent = api("POST", "/requests", json={"groupId": "followed", "correlationId": "order 7"})
    accepted = sent.json()
    assert sent.headers["Location"] == f"{api.stack.host.endpoint}{accepted['location']}"
    assert int(sent.headers["Retry-After"]) > 0
    path = accepted["location"].removeprefix("/api")
    opened = api.wait_until(path, "open")
    assert int(opened.headers["Retry-After"]) >= 1
    assert opened.json()["nextPollAt"] is not None
    group = api("GET", "/groups/largePersonGroup/followed").json()
    assert (group["live"], group["training"]["status"]) == (True, "running")
    assert group["expectedEndAt"] > group["training"]["createdDateTime"]
    assert [each["correlationId"] for each in group["open"]] == ["order 7"]
    assert {"kind": "largePersonGroup", "groupId": "followed"}.items() <= api("GET", "/watches").json()["value"][
        0
    ].items()
    ended = api.wait_until(path, "ended")
    assert "Retry-After" not in ended.headers
    assert ended.json()["event"]["data"]["outcome"] == "succeeded"
    assert api.received(accepted["requestId"]) == [ended.json()["event"]]
    group = api("GET", "/groups/largePersonGroup/followed").json()
    assert (group["live"], group["expectedEndAt"], len(group["pastDurations"])) == (False, None, 1)
    assert group["ended"] == [ended.json()["event"]]


def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    request = api.send("personGroup/unchanged")
    api.wait_until(request, "ended")
    for path in (request, "/groups/personGroup/unchanged", "/watches", "/ended", "/snapshots"):
        etag = api("GET", path).headers["ETag"]
        again = api("GET", path, headers={"If-None-Match": f'"other", W/{etag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert api("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_training_that_is_polled_keeps_its_etag_between_two_polls(api: Api) -> None:
    api.stack.face.control.plan(duration=60)
    api.stack.face.control.group("largePersonGroup", "steady", train=True)
    path = "/groups/largePersonGroup/steady"
    api.wait_until(api.send("steady"), "open")

    def same_poll_twice() -> bool:
        first, second = api("GET", path), api("GET", path)
        if first.json()["polls"] != second.json()["polls"]:
            return False
        assert first.headers["ETag"] == second.headers["ETag"]
        return True

    assert wait_for(same_poll_twice, what="two responses between two polls")
    api("DELETE", f"{path}/requests")


@pytest.mark.parametrize(
    "body", ['"bare-id"', '"largePersonGroup/with-kind"', '{"groupId": "an-object", "kind": null}']
)
def test_each_form_of_a_request_is_taken(api: Api, body: str) -> None:
    response = api("POST", "/requests", data=body)
    assert (response.status_code, response.json()["kind"]) == (202, "largePersonGroup")
    event = api.wait_until(response.json()["location"].removeprefix("/api"), "ended").json()["event"]
    assert event["data"]["outcome"] == "notFound"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[", b"[]", b"5", b"null", b"[" * 100_000, b'{"groupId": "My Group"}', b'"\\ud800"']
)
def test_a_body_that_is_not_a_request_is_refused(api: Api, body: bytes) -> None:
    assert "expected" in json.dumps(problem(api("POST", "/requests", data=body), 400))


def test_an_array_with_bad_items_is_refused_whole_and_each_is_named(api: Api) -> None:
    items = [
        "refused-whole",
        5,
        {"groupId": "refused-whole", "kind": "x"},
        ["a"],
        None,
        "No!",
        {"groupId": "a", "step": 1},
    ]
    errors = problem(api("POST", "/requests", json=items), 400)["errors"]
    assert [each["index"] for each in errors] == [1, 2, 3, 4, 5, 6]
    reasons = [each["reason"] for each in errors]
    assert reasons[0].startswith("found a number; expected an object with groupId")
    assert "'x' is not a kind of group" in reasons[1]
    assert api("GET", "/groups/largePersonGroup/refused-whole").status_code == 404


def test_a_thousand_requests_go_in_one_array_and_no_more(api: Api) -> None:
    group = {"groupId": "crowded", "trainedAfter": NEVER}
    response = api("POST", "/requests", json=[{**group, "correlationId": str(number)} for number in range(1000)])
    value = response.json()["value"]
    assert (response.status_code, len({each["requestId"] for each in value})) == (202, 1000)
    assert response.headers["Location"].endswith("/api/watches")
    assert "the array has 1001 requests" in problem(api("POST", "/requests", json=["a"] * 1001), 400)["detail"]
    # The other tests need not wait for all of them.
    api.stack.storage.watch_queue.clear_messages()


def test_a_body_that_is_too_long_is_refused(api: Api) -> None:
    assert "expected at most" in problem(api("POST", "/requests", data=b" " * 4_194_305), 413)["detail"]
    assert "expected at most" in problem(api("POST", "/snapshots", data=b" " * 1025), 413)["detail"]


def test_an_id_whose_message_may_be_on_its_way_is_queued_and_an_older_one_is_not_found(api: Api) -> None:
    path = "/groups/largePersonGroup/nobodys/requests"
    state = api("GET", f"{path}/{new_id(timedelta(days=6, hours=23))}")
    assert (state.json()["state"], "Retry-After" in state.headers) == ("queued", True)
    for age in (timedelta(days=7, minutes=1), timedelta(hours=-1)):
        for method in ("GET", "DELETE"):
            assert problem(api(method, f"{path}/{new_id(age)}"), 404)["title"] == "No such request"


@pytest.mark.parametrize("path", ["x/my-group", "largePersonGroup/My", "largePersonGroup/" + "a" * 65])
def test_a_path_that_names_no_group_is_refused(api: Api, path: str) -> None:
    for method, rest in [("GET", ""), ("DELETE", "/requests"), ("GET", f"/requests/{new_id()}")]:
        assert "expected" in problem(api(method, f"/groups/{path}{rest}"), 400)["detail"]


@pytest.mark.parametrize(
    "request_id", ["x", "20261120T100000Z-", "20261120T100000Z-a_b", "20261120T100000Z-" + "a" * 65]
)
def test_a_path_that_names_no_request_is_refused(api: Api, request_id: str) -> None:
    for method in ("GET", "DELETE"):
        assert (
            "20261120T100000Z-<" in problem(api(method, f"/groups/personGroup/a/requests/{request_id}"), 400)["detail"]
        )


# cancel


def test_an_open_request_is_cancelled_once_with_one_event(api: Api) -> None:
    api.stack.face.control.plan(duration=60)
    api.stack.face.control.group("largePersonGroup", "unwanted", train=True)
    path = api.send("unwanted")
    api.wait_until(path, "open")
    cancelled = api("DELETE", path)
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "ended")
    event = cancelled.json()["event"]
    assert event["data"]["outcome"] == "cancelled"
    assert problem(api("DELETE", path), 409)["event"] == event
    assert api("GET", path).json()["event"] == event
    assert api.received(event["id"]) == [event]


def test_the_cancel_of_a_request_that_nobody_handles_sends_one_event(api: Api) -> None:
    request_id = new_id()
    path = f"/groups/largeFaceList/unhandled/requests/{request_id}"
    assert api("DELETE", path).status_code == 202
    assert api("DELETE", path).status_code == 409
    assert len(api.received(request_id)) == 1


def test_an_ended_request_cannot_be_cancelled_however_old_it_is(api: Api) -> None:
    path = api.send("personGroup/ended-long-ago")
    event = api.wait_until(path, "ended").json()["event"]
    assert problem(api("DELETE", path), 409)["event"] == event


def test_all_open_requests_of_a_group_are_cancelled_at_once(api: Api) -> None:
    api.stack.face.control.plan(duration=60)
    api.stack.face.control.group("largePersonGroup", "all-of-it", train=True)
    paths = [api.send("all-of-it") for _ in range(3)]
    for path in paths:
        api.wait_until(path, "open")
    done = api("DELETE", "/groups/largePersonGroup/all-of-it/requests")
    assert {each["requestId"] for each in done.json()["value"]} == {path.rpartition("/")[2] for path in paths}
    assert api("DELETE", "/groups/largePersonGroup/all-of-it/requests").json() == {"value": []}


# listings


def test_pages_lead_through_all_that_ended_on_a_day(api: Api) -> None:
    paths = [api.send(f"paged-{number}") for number in range(5)]
    for path in paths:
        api.wait_until(path, "ended")
    sent = {path.rpartition("/")[2] for path in paths}

    def walked() -> list[dict[str, Any]] | None:
        entries, link = [], "/ended?top=2&outcome=notFound"
        while link:
            page = api("GET", link).json()
            assert len(page["value"]) <= 2
            entries += page["value"]
            link = page.get("nextLink", "").partition("/api")[2]
        return entries if sent <= {each["requestId"] for each in entries} else None

    found = wait_for(walked, what="all to be listed")
    assert len(found) == len({each["requestId"] for each in found})
    assert {each["outcome"] for each in found} == {"notFound"}
    assert [each["time"] for each in found] == sorted(each["time"] for each in found)
    assert api("GET", "/ended?day=2020-02-29").json() == {"value": []}


def test_a_body_on_the_queue_that_is_not_a_request_is_listed_with_its_event(api: Api) -> None:
    api.stack.enqueue("Not a group!")

    def listed() -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = api("GET", "/ended?outcome=rejected").json()["value"]
        return [each for each in value if each["event"]["data"]["body"] == "Not a group!"]

    (entry,) = wait_for(listed, what="the rejected body")
    assert (entry["kind"], entry["groupId"], entry["requestId"]) == (None, None, entry["event"]["id"])


@pytest.mark.parametrize(
    "query",
    [
        "ended?day=2026-02-30",
        "ended?day=today",
        "ended?outcome=x",
        "ended?continuation=W10",
        "watches?top=0",
        "watches?top=1001",
        "watches?top=x",
        "watches?continuation=x",
        "watches?continuation=%C3%BC",
        "snapshots?top=-1",
    ],
)
def test_a_parameter_that_is_not_valid_is_refused(api: Api, query: str) -> None:
    assert "expected" in problem(api("GET", f"/{query}"), 400)["detail"]


# snapshots, health, the page


def test_a_snapshot_is_taken_listed_and_shown(api: Api) -> None:
    api.stack.face.control.fill(1_000)
    taken = api("POST", "/snapshots", json={"kind": "dynamicPersonGroup"})
    assert (taken.status_code, taken.json()["kind"]) == (202, "dynamicPersonGroup")
    (first, *_) = wait_for(lambda: api("GET", "/snapshots").json()["value"], what="the snapshot")
    assert datetime.fromisoformat(api("GET", "/snapshots").json()["nextRunAt"]) > datetime.now(UTC)
    path = f"/snapshots/dynamicPersonGroup/{first['snapshotId']}"
    manifest = api("GET", path)
    assert manifest.json()["groups"]["count"] == first["groups"]["count"] == 1_000
    etag = {"If-None-Match": manifest.headers["ETag"]}
    assert api("GET", path, headers=etag).status_code == 304
    assert problem(api("GET", "/snapshots/dynamicPersonGroup/20200101T000000Z"), 404)
    assert problem(api("GET", "/snapshots/personGroup/20200101T000000Z"), 404)
    for wrong in ("dynamicPersonGroup/x", "x/20200101T000000Z"):
        assert problem(api("GET", f"/snapshots/{wrong}"), 400)


def test_no_second_snapshot_is_taken_at_the_same_time(api: Api) -> None:
    api.stack.face.control.fill(20_000)
    assert api("POST", "/snapshots").status_code == 202

    def refused() -> dict[str, Any] | None:
        response = api("POST", "/snapshots")
        return problem(response, 409) if response.status_code != 202 else None

    assert "progress" in wait_for(refused, what="the run to begin")


@pytest.mark.parametrize("body", ["[]", "{", '{"kind": "x"}', '{"kind": "personGroup"}', '{"other": 1}'])
def test_an_order_of_a_snapshot_that_is_not_valid_is_refused(api: Api, body: str) -> None:
    assert "expected" in problem(api("POST", "/snapshots", data=body), 400)["detail"]


def test_the_page_asks_no_other_host_and_no_other_site_can_frame_it(api: Api) -> None:
    page = api("GET", "/ui", key=None)
    policy = page.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "//" not in page.text.partition("<body>")[0]


def test_health_names_the_part_that_does_not_work(api: Api) -> None:
    assert api("GET", "/health").json()["status"] == "healthy"
    api.stack.storage.snapshot_container.delete_container()
    try:
        sick = api("GET", "/health")
        failed = [each["name"] for each in sick.json()["checks"] if not each["healthy"]]
        assert (sick.status_code, failed) == (503, ["snapshots"])
        assert problem(api("GET", "/snapshots"), 503)
    finally:
        api.stack.storage.make_snapshot_parts()
    assert api("GET", "/health").status_code == 200


# the document drives the calls


def test_whatever_the_document_allows_or_forbids_is_responded_to_as_documented(api: Api) -> None:
    schema = schemathesis.openapi.from_dict(api.document.content)
    schema.config.update(base_url=f"{api.stack.host.endpoint}/api")
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert len(operations) == len({each[:2] for each in api.document.documented()})
    for operation in operations:
        _try_out(api, operation)


def _try_out(api: Api, operation: Any) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def respond(case: Any) -> None:
        case.call_and_validate(
            headers={"x-functions-key": api.stack.connection.function_key},
            checks=[
                checks.not_a_server_error,
                openapi_checks.status_code_conformance,
                openapi_checks.content_type_conformance,
                openapi_checks.response_schema_conformance,
            ],
        )

    respond()


def test_every_documented_status_was_seen(api: Api) -> None:
    """The unit tests see the others: the storage or the app itself fails."""
    left = {each for each in api.document.documented() - api.document.seen if each[2] not in ("500", "503")}
    assert left == set()
