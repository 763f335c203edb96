"""A snapshot, begun through the host's admin address, can be read and holds what its manifest says."""

from datetime import UTC, datetime

from local.face_emulator import faults
from local.functions_host import HostKind
from local.snapshot_check import Json, find_problems, read_ids, read_pointer
from local.stack import Stack, start_stack
from tests.e2e.conftest import SETTINGS
from tests.support.waiting import wait_for


def test_snapshots_hold_every_dynamic_group(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind, settings=SETTINGS) as stack:
        container = stack.storage.snapshot_container
        stack.face.control.fill(2500, user_data=20)
        first = take_snapshot(stack, replacing=None)
        assert find_problems(container, first) == []
        assert len(read_ids(container, first)) == first["manifest"]["groups"]["count"] == 2500
        assert first["manifest"]["source"] == stack.face.endpoint
        assert first["manifest"]["previous"] is None
        changed = stack.face.control.change(added=3, removed=1)
        second = take_snapshot(stack, replacing=first)
        assert find_problems(container, second) == []
        assert set(read_ids(container, second)) == {*read_ids(container, first), *changed.added} - {*changed.removed}
        assert second["manifest"]["previous"] == first["snapshotId"]


def test_a_snapshot_that_is_asked_for_is_taken_and_one_that_failed_is_taken_up(host_kind: HostKind) -> None:
    settings = {**SETTINGS, "SNAPSHOT_KINDS": "largePersonGroup", "SNAPSHOT_SCHEDULE": "0 0 0 1 1 *"}
    with start_stack(host_kind=host_kind, settings=settings) as stack:
        container, kind = stack.storage.snapshot_container, "large-person-groups"
        stack.face.control.group("largePersonGroup", "a-group")
        stack.face.control.faults(faults.ErrorResponse(operation="*.list", status=401, code="401"))
        stack.storage.snapshot_requests_queue.send_message('{"kind": "largePersonGroup"}')
        wait_for(lambda: stack.face.control.statistics().requests.get("largePersonGroup.list"), what="a run that fails")
        stack.face.control.faults()
        stack.invoke("look_after_watches")
        pointer = wait_for(lambda: read_pointer(container, kind), what="a snapshot", timeout=90)
        assert read_ids(container, pointer) == ["a-group"]
        assert find_problems(container, pointer) == []


def take_snapshot(stack: Stack, *, replacing: Json | None) -> Json:
    """Have the app make a snapshot, and return what names it once it is published."""
    if replacing is not None:
        # A snapshot is named after the second in which it begins.
        wait_for(lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}" > replacing["snapshotId"], what="the next second")
    stack.invoke("snapshot_groups")
    return wait_for(lambda: newer_pointer(stack, replacing), what="a snapshot to be published")


def newer_pointer(stack: Stack, old: Json | None) -> Json | None:
    """Return what names the newest snapshot where that is another than the old one."""
    pointer = read_pointer(stack.storage.snapshot_container)
    return None if pointer == old else pointer
