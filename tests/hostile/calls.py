"""A process that calls hostile Face services with little memory: ``python -m tests.hostile.calls``, plans on stdin.

It writes one ``Report`` a line for each ``Plan``, and logs at info to stderr, as the app's process does.
"""

import sys
import time
import traceback

import msgspec

from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import FaceError
from shared.face.models import GroupKind
from shared.face.page import ListedKind
from tests.hostile.limited import limit_memory, log_in_full

KEY = "k3y-that-nobody-may-read"
GROUP = "group-that-nobody-may-read"


class Plan(msgspec.Struct, frozen=True):
    """A call to make, and then once more."""

    name: str
    endpoint: str
    operation: str  # training, start_training or groups
    seconds: float  # its deadline


class Report(msgspec.Struct, frozen=True):
    """What became of it."""

    name: str
    error: str | None  # the error's class
    words: str  # all that the host could see of the error
    seconds: float
    then: str | None  # the error's class of the second call


def main() -> None:
    """Make the planned calls."""
    plans = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Plan])
    log_in_full()
    limit_memory()
    for plan in plans:
        report = _carry_out(plan)
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()


def _carry_out(plan: Plan) -> Report:
    versions = ApiVersions(training="v1.2", directory="v1.2-preview.1")
    timeouts = Timeouts(connect=plan.seconds, read=plan.seconds, call=plan.seconds)
    client = FaceClient(plan.endpoint, KeyCredential(KEY), versions, timeouts=timeouts)
    began = time.monotonic()
    error = _error_of(client, plan.operation)
    seconds = time.monotonic() - began
    then = _error_of(client, plan.operation)
    return Report(
        name=plan.name,
        error=type(error).__name__ if error else None,
        words="".join(traceback.format_exception(error)) if error else "",
        seconds=seconds,
        then=type(then).__name__ if then else None,
    )


def _error_of(client: FaceClient, operation: str) -> Exception | None:
    try:
        match operation:
            case "training":
                client.training(GroupKind.LARGE_PERSON_GROUP, GROUP)
            case "start_training":
                client.start_training(GroupKind.LARGE_PERSON_GROUP, GROUP)
            case "groups":
                client.groups(ListedKind.DYNAMIC_PERSON_GROUP)
    except FaceError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the tests are to see it
        return error
    return None


if __name__ == "__main__":
    main()
