"""The host: an app's functions and what triggers them, from start to end."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from azure.core.exceptions import AzureError

from local.host import connections, queue_rules, triggers
from local.host.bindings import HttpOutput, HttpTrigger, QueueOutput, QueueTrigger, TimerTrigger, parse_bindings
from local.host.clock import Clock, SystemClock
from local.host.host_json import HostSettings
from local.host.invocations import Function, Invocations
from local.host.protos import TypedData
from local.host.queue_listener import QueueListener
from local.host.queue_output import output_texts
from local.host.queue_storage import StorageQueue, send
from local.host.schedule import Schedule
from local.host.timer_listener import TimerListener
from local.host.timer_status import StatusBlob
from local.host.worker import Worker

# Names the app in the host's own storage; by default a hash of its folder does.
HOST_ID_SETTING = "AzureFunctionsWebHost__hostid"

log = logging.getLogger(__name__)

type Listener = QueueListener | TimerListener


class Host:
    """An app's functions, its listeners, and the settings that they go by."""

    def __init__(
        self,
        worker: Worker,
        functions: Sequence[Function],
        settings: HostSettings,
        app_settings: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """Make the listeners of the functions that are not disabled.

        Raises:
            HostError: a trigger or its connection is malformed.
        """
        self.functions = functions
        self.settings = settings
        self.invocations = Invocations(worker, self._send_outputs, settings.function_timeout)
        self._app_settings = app_settings
        self._host_id = app_settings.get(HOST_ID_SETTING) or hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:32]
        self._listeners = {
            function.name: listener
            for function in functions
            if not function.is_disabled and (listener := self._make_listener(function, clock))
        }
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Listen, until ``stop``."""
        self._tasks = [
            asyncio.create_task(self._keep_listening(name, listener)) for name, listener in self._listeners.items()
        ]

    async def stop(self, timeout: float) -> list[str]:
        """Start nothing more, give running functions ``timeout`` seconds to end, and return the names of those left."""
        for listener in self._listeners.values():
            listener.stop()
        ending = [*self._tasks, asyncio.create_task(self.invocations.wait())]
        _, late = await asyncio.wait(ending, timeout=timeout)
        for task in late:
            task.cancel()
        return self.invocations.running()

    async def _keep_listening(self, name: str, listener: Listener) -> None:
        try:
            await listener.run()
        except AzureError as error:
            log.error("The listener of function '%s' has stopped: %s", name, error)  # noqa: TRY400 - the trace tells nothing more

    def _make_listener(self, function: Function, clock: Clock) -> Listener | None:
        match function.bindings.trigger:
            case QueueTrigger() as trigger:
                return self._make_queue_listener(function, trigger, clock)
            case TimerTrigger() as trigger:
                return self._make_timer_listener(function, trigger, clock)
            case HttpTrigger():
                return None

    def _make_timer_listener(self, function: Function, trigger: TimerTrigger, clock: Clock) -> TimerListener:
        schedule = Schedule(trigger.schedule)
        monitor = None
        if trigger.use_monitor and not schedule.is_under_a_minute(clock.now()):
            service = connections.connect_blobs(connections.DEFAULT_CONNECTION, self._app_settings)
            monitor = StatusBlob(service, self._host_id, function.name)
        return TimerListener(
            schedule,
            lambda run: triggers.run_for_time(self.invocations, function, run, "timer fired"),
            run_on_startup=trigger.run_on_startup,
            monitor=monitor,
            clock=clock,
        )

    def _make_queue_listener(self, function: Function, trigger: QueueTrigger, clock: Clock) -> QueueListener:
        service = connections.connect_queues(trigger.connection, self._app_settings)
        poison_name = queue_rules.poison_queue_of(trigger.queue_name)
        run = partial(triggers.run_for_message, self.invocations, function)
        return QueueListener(
            StorageQueue(service.get_queue_client(trigger.queue_name)),
            StorageQueue(service.get_queue_client(poison_name)) if poison_name else None,
            self.settings.queues,
            lambda message, body: run(
                message, body, f"message {message.id} of '{trigger.queue_name}', dequeue count {message.dequeue_count}"
            ),
            on_added=self._wake,
            clock=clock,
        )

    def _wake(self, queue_name: str) -> None:
        for listener in self._listeners.values():
            if isinstance(listener, QueueListener) and listener.queue_name == queue_name:
                listener.wake()

    async def _send_outputs(self, function: Function, outputs: Mapping[str, TypedData]) -> None:
        for binding in function.bindings.outputs:
            if isinstance(binding, HttpOutput) or binding.name not in outputs:
                continue
            await self._send_to_queue(binding, outputs[binding.name])

    async def _send_to_queue(self, binding: QueueOutput, data: TypedData) -> None:
        service = connections.connect_queues(binding.connection, self._app_settings)
        client = service.get_queue_client(binding.queue_name)
        for text in output_texts(data, self.settings.queues.message_encoding):
            await asyncio.to_thread(send, client, text)


async def load_host(
    app_directory: Path, worker: Worker, settings: HostSettings, app_settings: Mapping[str, str]
) -> Host:
    """Load and index an app, and return a host for it.

    Raises:
        HostError: the app cannot be loaded, or has what the stand-in does not know.
    """
    functions = [
        Function(
            indexed,
            parse_bindings(indexed.name, indexed.raw_bindings, app_settings),
            _is_disabled(indexed.name, app_settings),
        )
        for indexed in await worker.load(app_directory)
    ]
    return Host(worker, functions, settings, app_settings, SystemClock())


def _is_disabled(function_name: str, app_settings: Mapping[str, str]) -> bool:
    return app_settings.get(f"AzureWebJobs.{function_name}.Disabled", "").lower() in ("true", "1")
