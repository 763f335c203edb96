"""When a timer ran last and runs next, kept from one start of the host to the next.

As ``ScheduleMonitor`` and ``StorageScheduleMonitorV2`` in Azure/azure-webjobs-sdk-extensions do it.
"""

import asyncio
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from local.host.schedule import Schedule

CONTAINER = "azure-webjobs-hosts"
# DateTime.MinValue: a timer that has not run yet.
NEVER = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


class ScheduleStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """The state of a timer; times are UTC."""

    next: datetime  # the first time after the one it was computed from
    last: datetime = NEVER  # the start of the last run
    last_updated: datetime = NEVER  # the time that ``next`` was computed from


class StatusBlob:
    """The blob that keeps a timer's status in the host's own storage."""

    def __init__(self, service: BlobServiceClient, host_id: str, function_name: str) -> None:
        self._container = service.get_container_client(CONTAINER)
        self._blob = self._container.get_blob_client(f"timers/{host_id}/Host.Functions.{function_name}/status")

    async def read(self) -> ScheduleStatus | None:
        """Return the status, or None where there is none that can be read.

        Raises:
            AzureError: the storage does not respond.
        """
        try:
            text = await asyncio.to_thread(lambda: self._blob.download_blob().readall())
            return msgspec.json.decode(text, type=ScheduleStatus)
        except ResourceNotFoundError:
            return None
        except msgspec.DecodeError:
            log.warning("The timer's status in blob '%s' cannot be read, and is written anew", self._blob.blob_name)
            return None

    async def write(self, status: ScheduleStatus) -> None:
        """Keep the status. A failure is logged, and leaves the old one."""
        try:
            await asyncio.to_thread(self._write, msgspec.json.encode(status))
        except AzureError as error:
            log.error("The timer's status in blob '%s' cannot be written: %s", self._blob.blob_name, error)  # noqa: TRY400 - the trace tells nothing more

    def _write(self, text: bytes) -> None:
        try:
            self._blob.upload_blob(text, overwrite=True)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):  # somebody else was quicker
                self._container.create_container()
            self._blob.upload_blob(text, overwrite=True)


def status_at_start(stored: ScheduleStatus | None, schedule: Schedule, now: datetime) -> ScheduleStatus:
    """Return the status to begin with; its ``next`` is past where a time was missed.

    A status that another schedule left counts only as far as its next time is still to come.
    """
    if stored is None:
        return ScheduleStatus(schedule.next_after(now), last_updated=now)
    computed_from = next((time for time in (stored.last, stored.last_updated) if time > NEVER), now)
    expected = schedule.next_after(computed_from)
    if stored.next == expected:
        return stored
    if now > expected:
        return ScheduleStatus(schedule.next_after(now), last_updated=now)
    return ScheduleStatus(expected, last_updated=computed_from)


def timer_request(status: ScheduleStatus | None, *, past_due: bool) -> str:
    """Return the JSON of which the worker makes a TimerRequest, without a status where none is kept."""
    return json.dumps(
        {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status
            and {
                "Last": status.last.isoformat(),
                "LastUpdated": status.last_updated.isoformat(),
                "Next": status.next.isoformat(),
            },
            "IsPastDue": past_due,
        }
    )
