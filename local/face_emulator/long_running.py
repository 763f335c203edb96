"""Long running operations: changes of dynamic person groups, whose end the service reports later."""

from dataclasses import dataclass

import msgspec

from local.face_emulator.clock import NANOSECONDS, timestamp

OPERATION_SECONDS = 0.5


@dataclass(frozen=True)
class Operation:
    """A change of a dynamic person group."""

    operation_id: str
    group_id: str
    created: int  # nanoseconds since 1970


class OperationResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body of a long running operation, with the fields that were recorded."""

    status: str
    created_time: str
    last_action_time: str
    finished_time: str | None = None
    resource_location: str | None = None
    operation_id: str | None = None


def observe_operation(operation: Operation, endpoint: str, version: str, now: int) -> OperationResult:
    """Return what the service says of the operation ``now``; ``endpoint`` ends with the version."""
    finished = operation.created + int(OPERATION_SECONDS * NANOSECONDS)
    done = now >= finished
    # Recorded of v1.0-preview: a location and no ID. Documented of the later versions: an ID and no location.
    old = version == "v1.0-preview"
    return OperationResult(
        status="succeeded" if done else "notStarted",
        created_time=timestamp(operation.created),
        last_action_time=timestamp(finished if done else operation.created),
        finished_time=timestamp(finished) if done else None,
        resource_location=f"{endpoint}/dynamicpersongroups/{operation.group_id}" if old else None,
        operation_id=None if old else operation.operation_id,
    )
