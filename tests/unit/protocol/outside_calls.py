"""Name what can go wrong with a call to the table, a queue or the service, and let it go wrong."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.data.tables import TableEntity
from azure.storage.queue import QueueMessage

from shared.face.errors import FaceError, Unreachable


class Fault(StrEnum):
    """Name what can go wrong with one outside call."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    FAILS = "it fails"
    TIMES_OUT = "it times out though it happened"
    REPEATED = "its answer is lost, and the client's own repetition is answered"


class Died(BaseException):
    """The process is gone; nothing of it runs any more."""


def go_wrong(fault: Fault, call: Callable[[], Any], *, of_service: bool) -> Any:
    """Make a call with a fault; raise as the Face client does where it is ``of_service``, else as the storage's do."""
    match fault:
        case Fault.DIES_BEFORE:
            raise Died
        case Fault.DIES_AFTER:
            _ignoring_refusal(call)
            raise Died
        case Fault.FAILS:
            raise Unreachable("no connection") if of_service else ServiceRequestError("no connection")
        case Fault.TIMES_OUT:
            _ignoring_refusal(call)
            raise Unreachable("no answer") if of_service else ServiceResponseError("no answer")
        case Fault.REPEATED:
            _ignoring_refusal(call)
            return call()


def told(answer: Any) -> str:
    """Return what somebody learns from an answer, as text."""
    if isinstance(answer, list):
        return "; ".join(told(each) for each in answer)
    if isinstance(answer, TableEntity):
        known = [(name, value) for name, value in answer.items() if name != "writeToken"]
        return f"{known} {answer.metadata['etag']}"
    if isinstance(answer, QueueMessage):
        return f"{answer.id} {answer.pop_receipt} {answer.next_visible_on} {answer.dequeue_count} {answer.content}"
    return repr(answer)


def _ignoring_refusal(call: Callable[[], Any]) -> None:
    try:
        call()
    except (AzureError, FaceError):
        return
