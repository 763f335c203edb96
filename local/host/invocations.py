"""Runs functions in the worker, within ``functionTimeout``, and logs how they end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from local.host.bindings import Bindings
from local.host.protos import TypedData
from local.host.worker import IndexedFunction, InvocationResult, Worker

log = logging.getLogger(__name__)


class Function(msgspec.Struct, frozen=True):
    """A function of the app that the host can run."""

    indexed: IndexedFunction
    bindings: Bindings
    is_disabled: bool

    @property
    def name(self) -> str:
        """The function's name."""
        return self.indexed.name


class Invocations:
    """The running functions of a host, whatever triggered them.

    ``send_outputs`` gives a function's outputs to its output bindings; what it raises fails the invocation.
    ``timeout`` is in seconds, None for none.
    """

    def __init__(
        self,
        worker: Worker,
        send_outputs: Callable[[Function, Mapping[str, TypedData]], Awaitable[None]],
        timeout: float | None,
    ) -> None:
        self._worker = worker
        self._send_outputs = send_outputs
        self._timeout = timeout
        self._tasks: set[asyncio.Task[InvocationResult]] = set()

    async def run(
        self, function: Function, trigger_input: TypedData, trigger_metadata: Mapping[str, TypedData], reason: str
    ) -> InvocationResult:
        """Run a function and return how it ended, within the timeout; ``reason`` is for the log. Raises nothing."""
        task = asyncio.create_task(
            self._run_to_end(function, trigger_input, trigger_metadata, reason), name=function.name
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait([task], timeout=self._timeout)
        if done:
            return task.result()
        failure = f"Timed out: it runs longer than functionTimeout ({self._timeout:g} s)."
        log.error("%s Its thread goes on; Azure restarts the worker.", failure, extra={"function": function.name})
        return InvocationResult(failure=failure)

    def fail(self, function: Function, failure: str) -> None:
        """Log an invocation that failed before the function was called."""
        log.error("Executed (Failed, the function was not called)\n%s", failure, extra={"function": function.name})

    async def wait(self) -> None:
        """Wait until no function runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def running(self) -> list[str]:
        """Return the names of the functions that run now, one for each run."""
        return sorted(task.get_name() for task in self._tasks)

    async def _run_to_end(
        self, function: Function, trigger_input: TypedData, trigger_metadata: Mapping[str, TypedData], reason: str
    ) -> InvocationResult:
        label = {"function": function.name}
        log.info("Executing (%s)", reason, extra=label)
        started = time.monotonic()
        inputs = {function.bindings.trigger.name: trigger_input}
        result = await self._worker.invoke(function.indexed, inputs, trigger_metadata)
        if result.failure is None:
            try:
                await self._send_outputs(function, result.outputs)
            except Exception as error:  # noqa: BLE001 - whatever fails here fails the invocation
                result = InvocationResult(failure=f"An output could not be sent. {type(error).__name__}: {error}")
        milliseconds = (time.monotonic() - started) * 1000
        if result.failure is None:
            log.info("Executed (Succeeded, %.0f ms)", milliseconds, extra=label)
        else:
            log.error("Executed (Failed, %.0f ms)\n%s", milliseconds, result.failure, extra=label)
        return result
