"""Log what becomes of watches: one record a poll and one a request's end. IDs of groups are logged at debug only."""

import logging

import msgspec

from shared import telemetry
from shared.face.errors import FaceError, NoConnection, Unauthorized, UndocumentedNotFound
from shared.face.models import TrainingStatus
from shared.training.decide import Accepted, LaterSlot, PollResult
from shared.training.messages import Group
from shared.training.record import RequestRecord

log = logging.getLogger(__name__)

_STATUSES = ("notstarted", "nonstarted", "running", "succeeded", "failed")


def log_poll(group: Group, step: int, result: PollResult, *, open_requests: int, delay: float | None) -> None:
    """Log what a poll brought, and what follows.

    Args:
        group: the group that was polled.
        step: the watch's step.
        result: what the poll brought.
        open_requests: how many requests stay open.
        delay: seconds until the next poll; ``None`` where the watch ends.
    """
    fields = {
        "kind": group.kind.value,
        "step": step,
        "response": _response(result),
        "http_status": 200 if isinstance(result, TrainingStatus) else getattr(result, "status", None),
        "open_requests": open_requests,
        "delay_seconds": delay,
        "service_request_id": getattr(result, "request_id", None),
    }
    if isinstance(result, (Unauthorized, UndocumentedNotFound)):
        text = "training poll refused" if isinstance(result, Unauthorized) else "training poll went astray"
        log.error(text, extra=fields | {"error": str(result)})
    elif isinstance(result, NoConnection):
        log.warning("training poll had no connection", extra=fields | {"error": str(result)})
    log.info("training polled", extra=fields)
    if isinstance(result, (TrainingStatus, FaceError)):
        telemetry.count_poll(group.kind.value, _response(result))
    log.debug("training polled: %s", group.subject, extra=fields)


def log_ended(group: Group, ended: RequestRecord) -> None:
    """Log the end of a request, as its event tells it."""
    data = msgspec.json.decode(ended.event or b"{}", type=_Event).data
    fields = {
        "kind": group.kind.value,
        "outcome": None if ended.outcome is None else ended.outcome.value,
        "watched_seconds": data.watched_seconds,
        "late_seconds": data.late_seconds,
        "service_request_id": data.service_request_id,
        "traceparent": ended.traceparent,
    }
    log.info("training request ended", extra=fields)
    if data.late_seconds is not None:
        telemetry.record_lateness(group.kind.value, data.late_seconds)
    log.debug("training request ended: %s %s", group.subject, ended.request_id, extra=fields)


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    watched_seconds: float | None = None
    late_seconds: float | None = None
    service_request_id: str | None = None


class _Event(msgspec.Struct, frozen=True):
    data: _Data = _Data()


def _response(result: PollResult) -> str:
    if isinstance(result, TrainingStatus):
        status = result.training.status.lower()
        return status if status in _STATUSES else "unknown"
    if isinstance(result, FaceError):
        return type(result).__name__
    return {Accepted: "accepted", LaterSlot: "laterSlot"}.get(type(result), "notPolled")
