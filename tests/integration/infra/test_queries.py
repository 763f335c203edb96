"""What alerts and workbook ask for is what the app really logs, and each alert fires where it should."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.azurite import start_azurite
from local.face_emulator.faults import ErrorResponse, Throttled
from local.face_emulator.process import FaceEmulator
from shared import telemetry
from shared.face.errors import Unauthorized
from shared.training.messages import MAX_DEQUEUE_COUNT, Message
from tests.integration.infra.telemetry import send_logs
from tests.integration.infra.tools import INFRA
from tests.support.application_insights import start_application_insights
from tests.support.builders import environment
from tests.support.fresh import fresh_wiring
from tests.support.kusto import Row, analyse, run

QUERIES = {file.stem: file.read_text(encoding="utf-8") for file in sorted((INFRA / "queries").glob("*.kql"))}


@pytest.fixture(scope="module")
def logged(face_emulator_process: FaceEmulator) -> Iterator[list[Row]]:
    """Run watches to each kind of end, and two snapshots, and yield the rows that their logs make."""
    face = face_emulator_process
    with (
        pytest.MonkeyPatch.context() as patch,
        start_azurite() as azurite,
        start_application_insights() as insights,
        send_logs(insights, patch),
    ):
        storage = azurite.connection_string
        for name, value in environment(
            FACE_ENDPOINT=face.endpoint, FACE_KEY=face.key, DataStorage=storage, WATCH_GRACE_SECONDS="0"
        ).items():
            patch.setenv(name, value)
        face.control.reset()
        with fresh_wiring() as wiring:
            wiring.storage().make_missing()
            run_the_app(wiring, face)
        patch.setenv("FACE_ENDPOINT", "http://127.0.0.1:9")
        with fresh_wiring() as wiring:
            enqueue(wiring, "group-unreachable")
        yield [Row(trace.message, trace.properties) for trace in insights.traces]
    face.control.reset()


def enqueue(wiring: ModuleType, body: str) -> None:
    wiring.watcher().handle(Message(str(uuid.uuid4()), datetime.now(UTC), body.encode()))


def run_the_app(wiring: ModuleType, face: FaceEmulator) -> None:
    face.control.plan("largePersonGroup", "group-trained", duration=0)
    face.control.plan("largePersonGroup", "group-failing", duration=0, outcome="failed")
    for group_id in ("group-trained", "group-failing"):
        face.control.group("largePersonGroup", group_id, train=True)
        enqueue(wiring, group_id)
    enqueue(wiring, "{")
    face.control.faults(Throttled(retry_after=1, remaining=1))
    enqueue(wiring, "group-throttled")
    for status, code in ((401, "401"), (403, "403"), (400, "BadArgument"), (404, "404")):
        face.control.faults(ErrorResponse(status=status, code=code, remaining=1))
        enqueue(wiring, f"group-error-{status}")
    face.control.faults()
    poisoned = Message(str(uuid.uuid4()), datetime.now(UTC), b"group-poisoned", MAX_DEQUEUE_COUNT)
    wiring.poison_handler().handle(poisoned)
    wiring.caretaker().run()
    face.control.faults(ErrorResponse(status=401, code="401"))
    with pytest.raises(Unauthorized):
        wiring.snapshot_jobs().run_all()
    face.control.faults()
    for added in (1500, 10):
        face.control.change(added=added)
        wiring.snapshot_jobs().run_all()


def test_the_app_was_seen_in_each_kind_of_end(logged: list[Row]) -> None:
    ends = {row.properties["outcome"] for row in logged if row.message == "training request ended"}
    assert ends >= {"succeeded", "failed", "rejected"}
    refused = {row.properties["http_status"] for row in logged if row.message == "training poll refused"}
    assert refused == {"401", "403"}


def test_the_language_service_has_nothing_against_any_query() -> None:
    assert analyse(QUERIES) == {name: [] for name in QUERIES}


@pytest.mark.parametrize(
    ("right", "wrong"), [("Message ==", "Mesage =="), ("tostring(", "tostrin("), ("| where", "| were")]
)
def test_a_fault_in_a_query_is_found(right: str, wrong: str) -> None:
    query = QUERIES["alert-training-failed"]
    assert right in query
    assert analyse({"faulty": query.replace(right, wrong)})["faulty"]


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_what_is_logged(name: str, logged: list[Row]) -> None:
    query = QUERIES[name]
    messages = set(re.findall(r"'((?:training|snapshot|poisoned)[^']* [^']*)'", query))
    rows = [row for row in logged if row.message in messages]
    assert {row.message for row in rows} == messages, "a message that the app does not log"
    for field in set(re.findall(r"Properties\.(\w+)", query)):
        assert any(field in row.properties for row in rows), f"no record has {field}"


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if "AppMetrics" in query])
def test_a_query_asks_for_what_is_measured(name: str) -> None:
    source = Path(telemetry.__file__).read_text(encoding="utf-8")
    asked = set(re.findall(r"'(face\.[a-z_.]+)'", QUERIES[name]))
    assert asked
    assert asked <= set(re.findall(r'"(face\.[a-z_.]+)"', source))


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_runs_on_what_is_logged_and_on_nothing(name: str, logged: list[Row]) -> None:
    run(QUERIES[name], logged)
    on_nothing = run(QUERIES[name], [])
    # Of no records, these two tell.
    assert bool(on_nothing) == (name in ("alert-app-silent", "alert-snapshot-missing"))


def test_a_snapshot_that_is_refused_raises_an_alert(logged: list[Row]) -> None:
    failed = [row for row in logged if row.message == "snapshot failed"]
    found = run(QUERIES["alert-face-refuses"], failed)
    assert [(row["Kind"], row["HttpStatus"]) for row in found] == [("dynamicPersonGroup", 401)]


def test_no_id_is_sent(logged: list[Row]) -> None:
    sent = " ".join(f"{row.message} {row.properties}" for row in logged)
    assert "group-" not in sent


def polled(response: str, http_status: str = "200", count: int = 1) -> list[Row]:
    fields = {"kind": "personGroup", "response": response} | ({"http_status": http_status} if http_status else {})
    return [Row("training polled", fields)] * count


def ended(outcome: str, late: str = "1.5", count: int = 1) -> list[Row]:
    return [Row("training request ended", {"outcome": outcome, "late_seconds": late})] * count


def overdue(seconds: str) -> list[Row]:
    return [Row("training watches looked after", {"overdue": "2", "oldest_overdue_seconds": seconds})]


def published(age: timedelta) -> list[Row]:
    return [Row("snapshot published", age=age)]


def counted(metric: str, *values: float) -> list[Row]:
    """Return what is exported of a counter, value by value."""
    return [Row(metric=metric, value=value) for value in values]


@pytest.mark.parametrize(
    ("name", "fires", "rests"),
    [
        (
            "app-silent",
            [Row("training watches looked after", age=timedelta(minutes=20)), Row(function="look_after_watches")],
            [Row("training watches looked after", age=timedelta(minutes=1))],
        ),
        ("face-refuses", [Row("training poll refused", {"http_status": "403"})], polled("running")),
        ("face-refuses", [Row("snapshot failed", {"error": "Unauthorized"})], [Row("snapshot failed", {"error": "X"})]),
        ("face-unreachable", polled("NoConnection", ""), polled("NoConnection", "") + polled("running")),
        (
            "undocumented-404",
            [Row("training poll went astray")],
            polled("GroupNotFound", "404"),
        ),
        ("undocumented-404", [Row("snapshot failed", {"error": "UndocumentedNotFound"})], polled("running")),
        ("request-given-up", ended("rejected"), ended("notFound")),
        ("request-given-up", [Row("poisoned request abandoned", {"outcome": "abandoned"})], ended("failed")),
        ("request-given-up", [Row("training request rejected", {"outcome": "rejected"})], ended("succeeded")),
        ("training-failed", ended("failed"), ended("succeeded")),
        ("watches-overdue", overdue("301"), overdue("299")),
        ("ends-late", ended("succeeded", "301", 5), ended("succeeded", "301", 4)),
        ("ends-late", ended("failed", "400", 9), ended("succeeded", "1", 99) + ended("succeeded", "400", 1)),
        ("snapshot-missing", published(timedelta(hours=27)), published(timedelta(hours=25))),
    ],
)
def test_an_alert_fires_where_it_should_and_rests_where_not(name: str, fires: list[Row], rests: list[Row]) -> None:
    query = QUERIES[f"alert-{name}"]
    assert run(query, fires)
    assert not run(query, rests)


@pytest.mark.parametrize(
    ("rows", "percent"),
    [
        (counted("face.calls", 12, 8) + counted("face.throttled", 2, 1), 15.0),
        (counted("face.calls", 20), 0.0),
        (counted("face.calls", 19) + counted("face.throttled", 19), None),
    ],
)
def test_throttling_is_a_share_of_the_calls_that_were_made(rows: list[Row], percent: float | None) -> None:
    found: list[dict[str, Any]] = run(QUERIES["alert-throttled"], rows)
    assert found == ([] if percent is None else [{"ThrottledPercent": percent}])
