"""Name what can go wrong with a call to the table, a queue or the service, and let it go wrong."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError

from shared.face.errors import FaceError, Unreachable


class Fault(StrEnum):
    """What can go wrong with one outside call."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    FAILS = "it fails"
    TIMES_OUT = "it times out though it happened"
    REPEATED = "its response is lost, and the client's own repetition gets the next one"
    RAISES = "it happens, then raises what nobody foresees"


_OF_WRITES = tuple(Fault)
_OF_READS = (Fault.DIES_BEFORE, Fault.FAILS, Fault.RAISES)
"""The others are the same as these where a call changes nothing."""

_FEW = {
    "submit_transaction": (Fault.DIES_BEFORE, Fault.REPEATED),
    "training": (Fault.DIES_BEFORE, Fault.FAILS),
    "start_training": (Fault.DIES_BEFORE, Fault.FAILS, Fault.TIMES_OUT),
}
"""What is left where others run at once. To die after a call, or to raise after it, is to die before the next one, but
for the time of the redelivery. The repetition of a transaction gets another response than the transaction did."""

READS = ("get_entity", "read_page", "training")
HOSTS_DELETE = "the host's delete"


def faults_of(name: str, *, few: bool) -> tuple[Fault, ...]:
    """Return what can go wrong with a call of that name."""
    if name == HOSTS_DELETE:
        return (Fault.FAILS,)
    if few:
        return _FEW.get(name, (Fault.DIES_BEFORE,))
    return _OF_READS if name in READS else _OF_WRITES


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
            raise Unreachable("no response") if of_service else ServiceResponseError("no response")
        case Fault.REPEATED:
            _ignoring_refusal(call)
            return call()
        case Fault.RAISES:
            _ignoring_refusal(call)
            raise RuntimeError("nobody foresees this")


def _ignoring_refusal(call: Callable[[], Any]) -> None:
    try:
        call()
    except (AzureError, FaceError):
        return
