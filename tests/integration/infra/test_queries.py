"""What alerts and workbook ask for is what the app really logs."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shared.training.report import Reporter
from shared.training.request import Message

from local.azurite import start_azurite
from local.face_emulator.faults import ErrorResponse, Throttled
from local.face_emulator.process import FaceEmulator
from shared.face import errors
from shared.face.client import ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.face.models import GroupKind
from shared.settings import ConnectionString
from shared.snapshots.snapshot import SnapshotJob
from shared.storage import Storage, connect
from shared.training.decide import Policy
from shared.training.poison import MOST_POISONINGS, PoisonHandler
from shared.training.record import Outcome
from shared.training.schedule import Bounds
from shared.training.store import WatchStore
from shared.training.watch import Watcher
from tests.integration.infra.telemetry import send_logs
from tests.integration.infra.tools import INFRA
from tests.support.application_insights import Trace, start_application_insights

QUERIES = sorted((INFRA / "queries").glob("*.kql"))
KINDS_OF_RESPONSE = {
    name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.FaceError)
}


@pytest.fixture(scope="module")
def logged(face_emulator_process: FaceEmulator) -> Iterator[list[Trace]]:
    """Run watches to each kind of end, and two snapshots, and yield the rows that their logs make."""
    with (
        pytest.MonkeyPatch.context() as patch,
        start_azurite() as azurite,
        start_application_insights() as telemetry,
        send_logs(telemetry, patch),
    ):
        storage = connect(ConnectionString(azurite.connection_string))
        storage.make_missing()
        face_emulator_process.control.reset()
        run_the_app(storage, face_emulator_process)
        yield telemetry.traces
    face_emulator_process.control.reset()


def run_the_app(storage: Storage, face: FaceEmulator) -> None:
    versions = ApiVersions(training="v1.2-preview.1", directory="v1.2-preview.1")
    client = FaceClient(face.endpoint, KeyCredential(face.key), versions)
    watcher = Watcher(
        face=client,
        store=WatchStore(storage.watch_table),
        queue=storage.watch_queue,
        reporter=Reporter(storage.results_queue),
        policy=Policy(Bounds(1, 60), timeout=3600, grace=60),
        default_kind=GroupKind.LARGE_PERSON_GROUP,
        clock=lambda: datetime.now(UTC),
        jitter=lambda: 0.5,
    )

    def enqueue(body: str) -> Message:
        message = Message(str(uuid.uuid4()), datetime.now(UTC), body.encode())
        watcher.handle(message)
        return message

    face.control.plan("largePersonGroup", "group-trained", duration=0)
    face.control.plan("largePersonGroup", "group-failing", duration=0, outcome="failed")
    for group_id in ("group-trained", "group-failing"):
        face.control.group("largePersonGroup", group_id, train=True)
        enqueue(group_id)
    enqueue("{")
    face.control.faults(Throttled(retry_after=1, remaining=1))
    enqueue("group-throttled")
    for status, code in ((401, "401"), (403, "403"), (400, "BadArgument")):
        face.control.faults(ErrorResponse(status=status, code=code, remaining=1))
        enqueue(f"group-refused-{status}")
    face.control.faults()

    given_up = enqueue("group-missing")
    follow_up = (
        f'{{"watchId": "{given_up.watch_id}", "kind": "largePersonGroup", "groupId": "group-missing", "step": 1}}'
    )
    for number in range(MOST_POISONINGS):
        PoisonHandler(watcher, storage.poison_queue).handle(
            Message(f"poison-{number}", datetime.now(UTC), follow_up.encode())
        )

    for added in (1500, 10):
        face.control.change(added=added)
        SnapshotJob(client, storage.snapshot_container, include_user_data=True).run()


def rows_of(query: str, logged: list[Trace]) -> list[Trace]:
    """Return the rows with the messages that a query names."""
    messages = set(re.findall(r"'((?:training|snapshot|face)[^']* [^']*)'", query))
    found = [row for row in logged if row.message in messages]
    assert {row.message for row in found} == messages, "a message that the app does not log"
    return found


def test_the_app_was_seen_in_each_kind_of_end(logged: list[Trace]) -> None:
    ends = {row.properties["outcome"] for row in logged if row.message == "training watch ended"}
    assert ends == {"succeeded", "failed", "rejected", "abandoned"}
    refusals = {row.properties["http_status"] for row in logged if row.message == "face service refuses the app"}
    assert refusals == {"401", "403"}


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_a_query_asks_for_what_is_logged(query: Path, logged: list[Trace]) -> None:
    text = query.read_text()
    if "AppTraces" not in text:
        assert text.startswith("AppRequests"), "a table that the app does not fill"
        return
    rows = rows_of(text, logged)
    for name in set(re.findall(r"Properties\.(\w+)", text)):
        values = [row.properties[name] for row in rows if name in row.properties]
        assert values, f"no record has {name}"
        if re.search(rf"to(?:int|long|double)\(Properties\.{name}\)", text):
            assert all(float(value) >= 0 for value in values)
    for name, allowed in (("outcome", set(Outcome)), ("answer", KINDS_OF_RESPONSE)):
        compared = re.findall(rf"tostring\(Properties\.{name}\) (?:==|!=|in) (\([^)]*\)|'\w+')", text)
        assert {value for one in compared for value in re.findall(r"'(\w+)'", one)} <= allowed


def test_each_alert_sees_what_it_is_for(logged: list[Trace]) -> None:
    given_up = rows_of((INFRA / "queries/alert-watch-given-up.kql").read_text(), logged)
    assert {"abandoned", "rejected"} <= {row.properties["outcome"] for row in given_up}
    assert any("outcome" in row.properties for row in given_up if row.message == "training request rejected")
    throttled = rows_of((INFRA / "queries/alert-throttled.kql").read_text(), logged)
    assert [row.properties["answer"] for row in throttled if "answer" in row.properties].count("Throttled") == 1
    assert len(rows_of((INFRA / "queries/alert-snapshot-missing.kql").read_text(), logged)) == 2


def test_no_id_is_sent(logged: list[Trace]) -> None:
    sent = " ".join(f"{row.message} {row.properties}" for row in logged)
    assert "group-" not in sent
