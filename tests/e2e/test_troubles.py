"""What goes wrong around the app delays a watch, and does not end it."""

from local.azurite import Ports, connection_string, new_account, start_azurite
from local.face_emulator.faults import Cut, ErrorResponse, Html, Throttled
from local.functions_host import HostKind, start_functions_host
from local.processes import free_port
from local.stack import Stack, app_settings, start_stack
from shared.settings import ConnectionString
from shared.storage import connect
from tests.e2e.conftest import SETTINGS
from tests.e2e.inbox import Inbox
from tests.support.waiting import wait_for


def test_a_watch_outlives_the_hosts_sudden_end(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind, settings=SETTINGS) as stack:
        stack.face.control.plan("largePersonGroup", "slow", duration=3)
        stack.face.control.group("largePersonGroup", "slow", train=True)
        message = stack.enqueue("slow")
        # The record has moved on, so the follow-up lies on the queue and no message is in the host's hands.
        wait_for(lambda: any(record["step"] for record in stack.storage.watch_table.list_entities()), what="a step")
        stack.kill_host()
        inbox = Inbox(stack)
        assert not inbox.events_of(message)
        stack.start_host()
        event = inbox.wait_for_event(message)
    assert event["type"] == "face.training.succeeded"


def test_a_watch_outlives_the_services_troubles(stack: Stack, inbox: Inbox) -> None:
    stack.face.control.group("largePersonGroup", "troubled", train=True)
    stack.face.control.faults(
        ErrorResponse(remaining=1, status=503),
        Throttled(remaining=1, retry_after=1),
        Html(remaining=1),
        Cut(remaining=1),
    )
    event = inbox.wait_for_event(stack.enqueue("troubled"))
    assert event["type"] == "face.training.succeeded"
    assert event["data"]["polls"] > 1


def test_the_app_goes_to_work_when_its_storage_starts_after_it(stack: Stack, host_kind: HostKind) -> None:
    ports = Ports(free_port(), free_port(), free_port())
    account = new_account()
    late = connection_string(ports, account)
    settings = {**app_settings(late, stack.face), **SETTINGS}
    with start_functions_host(host_kind, settings), start_azurite(ports=ports, account=account):
        storage = connect(ConnectionString(late))
        wait_for(storage.snapshot_container.exists, what="the app to make its container", timeout=90)
        stack.face.control.group("largePersonGroup", "early", train=True)
        storage.watch_queue.send_message("early")
        wait_for(lambda: storage.results_queue.peek_messages(), what="the event", timeout=90)
