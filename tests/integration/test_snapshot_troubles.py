import time
import uuid

import pytest
from azure.storage.blob import ContainerClient

from local.face_emulator import faults
from local.face_emulator.process import FaceEmulator
from shared.budget.budget import Budget
from shared.budget.store import BudgetStore
from shared.face.client import FaceClient
from shared.face.errors import ServerFault, Throttled, Unauthorized
from shared.snapshots.errors import ListingStuck
from shared.snapshots.pace import BulkPace
from shared.storage import Storage
from tests.support.face_service import FaceService
from tests.support.snapshots import all_ids, face_client, published_ids, snapshot_job, take_snapshot

LISTING = "dynamicPersonGroup.list"


PASSING = [
    faults.ErrorResponse(remaining=3),
    faults.Throttled(remaining=3, retry_after=1),
    faults.Throttled(remaining=3, form="gateway", message="Rate limit is exceeded."),
    faults.Cut(when="before", remaining=3),
    faults.Cut(when="body", remaining=3),
    faults.Html(remaining=3),
    faults.BrokenJson(remaining=3),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: type(fault).__name__)
def test_troubles_that_pass_are_waited_out(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    service: FaceService,
    fault: faults.AnyFault,
) -> None:
    face_emulator.control.fill(5_000)
    expected = all_ids(service)
    face_emulator.control.faults(fault)
    manifest = take_snapshot(client, container)
    assert manifest.throttled == (3 if isinstance(fault, faults.Throttled) else 0)
    assert manifest.calls >= 6 + 3
    assert published_ids(container) == expected


def test_the_wait_that_the_service_asks_for_is_kept(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(10)
    face_emulator.control.faults(
        faults.Throttled(remaining=1, message="Rate limit is exceeded. Try again in 2 seconds.")
    )
    began = time.monotonic()
    snapshot_job(client, container).run()
    assert 2 <= time.monotonic() - began < 5


def test_a_limit_below_the_budget_is_found_and_kept(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService, storage: Storage
) -> None:
    face_emulator.control.fill(60_000)
    expected = all_ids(service)
    face_emulator.control.settings(requests_per_second=20, latency=0.1)
    budget = Budget(BudgetStore(storage.watch_table, uuid.uuid4().hex), max_tps=40, poll_worth=1.0)
    manifest = take_snapshot(client, container, pace=BulkPace(budget))
    assert manifest.throttled <= 10
    face_emulator.control.settings()
    assert published_ids(container) == expected


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.ErrorResponse(status=401, code="401", message="Access denied."), Unauthorized),
        (faults.ErrorResponse(), ServerFault),
        (faults.Throttled(retry_after=3_600), Throttled),
    ],
    ids=["refused", "down", "throttled for an hour"],
)
def test_a_run_that_cannot_go_on_ends_in_an_error_and_publishes_nothing(
    face_emulator: FaceEmulator,
    container: ContainerClient,
    service: FaceService,
    fault: faults.AnyFault,
    error: type[Exception],
) -> None:
    face_emulator.control.fill(100)
    snapshot_job(face_client(face_emulator.endpoint, face_emulator.key), container).run()
    expected = all_ids(service)
    face_emulator.control.fill(100, seed=1)
    face_emulator.control.faults(fault)
    with pytest.raises(error):
        snapshot_job(face_client(face_emulator.endpoint, face_emulator.key), container, patience=1.0).run()
    assert published_ids(container) == expected


def test_pages_that_are_out_of_order_are_sorted(
    face_emulator: FaceEmulator,
    client: FaceClient,
    container: ContainerClient,
    service: FaceService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    face_emulator.control.fill(20_000)
    expected = all_ids(service)
    face_emulator.control.faults(faults.PageOutOfOrder(operation=LISTING, remaining=3))
    manifest = take_snapshot(client, container)
    assert "snapshot listed page by page, for lack of order" in caplog.messages
    assert published_ids(container) == expected
    assert manifest.calls > 20


def test_a_page_that_brings_nothing_new_ends_the_run(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient
) -> None:
    face_emulator.control.fill(5_000)
    face_emulator.control.faults(faults.PageRepeated(operation=LISTING))
    with pytest.raises(ListingStuck, match="brings nothing new"):
        snapshot_job(client, container).run()
    assert published_ids(container) is None
    face_emulator.control.faults()
    assert snapshot_job(client, container).run()


@pytest.mark.parametrize("items", [1, 7, 99])
def test_pages_that_are_short_amid_the_list_are_not_its_end(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService, items: int
) -> None:
    face_emulator.control.fill(3_000)
    expected = all_ids(service)
    face_emulator.control.faults(faults.PageShort(operation=LISTING, rate=0.3, items=items))
    manifest = take_snapshot(client, container)
    assert published_ids(container) == expected
    assert len(manifest.groups.parts) <= 3_000 / 500 + 2


def test_pages_that_are_all_short_share_parts(
    face_emulator: FaceEmulator, client: FaceClient, container: ContainerClient, service: FaceService
) -> None:
    face_emulator.control.fill(1_000)
    expected = all_ids(service)
    face_emulator.control.faults(faults.PageShort(operation=LISTING, items=10))
    manifest = take_snapshot(client, container)
    assert published_ids(container) == expected
    assert len(manifest.groups.parts) <= 5
