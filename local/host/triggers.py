"""Runs a function as its trigger would, with its input and metadata."""

from collections.abc import Mapping
from datetime import UTC, datetime

from local.host.bindings import QueueTrigger
from local.host.invocations import Function, Invocations
from local.host.protos import Message, TypedData
from local.host.queue_message import ReceivedMessage, is_text, trigger_input, trigger_metadata
from local.host.timer_listener import TimerRun
from local.host.timer_status import timer_request
from local.host.worker import InvocationResult


async def run_for_message(
    invocations: Invocations, function: Function, message: ReceivedMessage, body: bytes, reason: str
) -> bool:
    """Run a function for a queue message, and return whether it succeeded."""
    binary = function.bindings.trigger.data_type == "BINARY"
    if not binary and not is_text(body):
        invocations.fail(function, "The message's body is not UTF-8 and cannot be bound as a string.")
        return False
    metadata = trigger_metadata(message, body, binary=binary)
    result = await invocations.run(function, trigger_input(body, binary=binary), metadata, reason)
    return result.failure is None


async def run_for_time(invocations: Invocations, function: Function, run: TimerRun, reason: str) -> InvocationResult:
    """Run a function with the request of its timer."""
    metadata = {"TimerTrigger": TypedData(string=f"{datetime.now(UTC):%m/%d/%Y %H:%M:%S}")}
    return await invocations.run(
        function, TypedData(json=timer_request(run.status, past_due=run.past_due)), metadata, reason
    )


async def run_for_text(invocations: Invocations, function: Function, text: str) -> None:
    """Run a function of another trigger than HTTP with the input that the admin address got."""
    reason = "this function was programmatically called via the host APIs"
    if isinstance(function.bindings.trigger, QueueTrigger):
        await run_for_message(invocations, function, ReceivedMessage(text=text), text.encode(), reason)
    else:
        await run_for_time(invocations, function, TimerRun(status=None, past_due=False), reason)


async def run_for_request(
    invocations: Invocations,
    function: Function,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route_parameters: Mapping[str, str],
    body: bytes,
) -> InvocationResult:
    """Run a function for an HTTP request."""
    request = Message(
        method=method, url=url, headers=headers, query=query, params=route_parameters, body=TypedData(bytes=body)
    )
    return await invocations.run(function, TypedData(http=request), {}, f"{method} {url}")
