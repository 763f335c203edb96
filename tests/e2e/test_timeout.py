"""A watch gives up in time."""

from local.functions_host import HostKind
from local.stack import start_stack
from tests.e2e.conftest import SETTINGS
from tests.e2e.inbox import Inbox


def test_a_training_that_does_not_end_in_time_is_timed_out(host_kind: HostKind) -> None:
    with start_stack(host_kind=host_kind, settings={**SETTINGS, "WATCH_TIMEOUT_SECONDS": "2"}) as stack:
        stack.face.control.plan("largePersonGroup", "endless", duration=3600)
        stack.face.control.group("largePersonGroup", "endless", train=True)
        event = Inbox(stack).wait_for_event(stack.enqueue("endless"))
    assert event["type"] == "face.training.timedOut"
    assert event["data"]["training"]["status"] == "running"
    assert "2 seconds" in event["data"]["error"]["message"]
