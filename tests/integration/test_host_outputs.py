"""What the stand-in does with the outputs of a function."""

import uuid
from collections.abc import Mapping

import pytest
from azure.storage.queue import QueueServiceClient

from local.azurite import Azurite
from local.host.bindings import Bindings, QueueOutput, QueueTrigger
from local.host.host import Host
from local.host.host_json import HostSettings, QueueSettings
from local.host.invocations import Function
from local.host.protos import TypedData
from local.host.queue_listener import QueueListener
from local.host.worker import IndexedFunction, InvocationResult, Worker
from tests.support.stepped_clock import SteppedClock

pytestmark = pytest.mark.anyio


class HandingOnWorker(Worker):
    """A worker whose functions all hand a text on."""

    async def invoke(
        self,
        function: IndexedFunction,  # noqa: ARG002 - as the base class has it
        inputs: Mapping[str, TypedData],  # noqa: ARG002 - likewise
        trigger_metadata: Mapping[str, TypedData],  # noqa: ARG002 - likewise
    ) -> InvocationResult:
        return InvocationResult(outputs={"out": TypedData(string="handed on")})


async def test_a_listener_is_not_woken_by_a_message_of_an_output_binding(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"q{uuid.uuid4().hex}"
    trigger = QueueTrigger(name="m", type="queueTrigger", direction="IN", queue_name=name)
    output = QueueOutput(name="out", type="queue", direction="OUT", queue_name=name)
    function = Function(IndexedFunction("f", "f", []), Bindings(trigger, [output]), is_disabled=False)
    settings = HostSettings(QueueSettings(message_encoding="none"), "api", log_levels={}, function_timeout=None)
    app_settings = {"AzureWebJobsStorage": azurite.connection_string}
    host = Host(HandingOnWorker(), [function], settings, app_settings, SteppedClock())
    woken: list[str] = []
    monkeypatch.setattr(QueueListener, "wake", lambda listener: woken.append(listener.queue_name))

    assert (await host.invocations.run(function, TypedData(string=""), {}, "a test")).failure is None

    with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
        assert [message.content for message in queues.get_queue_client(name).peek_messages()] == ["handed on"]
    assert woken == []
