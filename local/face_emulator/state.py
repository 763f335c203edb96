"""What the emulated resource holds, and what was asked of it."""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from local.face_emulator.clock import NANOSECONDS, timestamp
from local.face_emulator.collection import Collection
from local.face_emulator.faults import AnyFault, Lots
from local.face_emulator.kinds import KINDS
from local.face_emulator.limit import TokenBucket
from local.face_emulator.trainings import Plan, Training

OPERATION_SECONDS = 0.5


@dataclass
class Group:
    """A group of one of the three kinds, with its newest training."""

    group_id: str
    name: str
    user_data: str | None = None
    recognition_model: str = "recognition_01"
    training: Training | None = None


@dataclass(frozen=True)
class Operation:
    """A change of a dynamic person group that the service took on (nanoseconds since 1970)."""

    operation_id: str
    group_id: str
    created: int


class OperationResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body of a long running operation, with the fields that were recorded."""

    status: str
    created_time: str
    last_action_time: str
    finished_time: str | None = None
    resource_location: str | None = None
    operation_id: str | None = None


class Statistics(msgspec.Struct, rename="camel"):
    """What was asked since the last reset.

    `requests`: operation -> status (`none` where there was no answer) -> count; `train_calls`: `kind/groupId` -> the
    same of its train calls; `faults`: fault -> count; `dynamic_groups`: how many there are now.
    """

    requests: dict[str, dict[str, int]]
    train_calls: dict[str, dict[str, int]]
    faults: dict[str, int]
    dynamic_groups: int


@dataclass
class Tally:
    """Counts requests and faults."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    train_calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


class Plans:
    """How the trainings of each group go from now on."""

    def __init__(self) -> None:
        self._default = Plan()
        self._plans: dict[tuple[str, str], Plan] = {}

    def set(self, kind: str, group_id: str, plan: Plan) -> None:
        """Plan the next trainings of one group."""
        self._plans[kind, group_id] = plan

    def set_default(self, plan: Plan) -> None:
        """Plan the next trainings of all groups that have no plan of their own."""
        self._default = plan

    def get(self, kind: str, group_id: str) -> Plan:
        """Return the plan for the group's next training."""
        return self._plans.get((kind, group_id), self._default)


class State:
    """The emulated resource: its groups, their plans, its faults and limits. `key` None takes any key."""

    def __init__(self, key: str | None = None, requests_per_second: float | None = None) -> None:
        self.key = key
        self._first_requests_per_second = requests_per_second
        self.reset()

    def reset(self) -> None:
        """Make everything as it was at the start."""
        self.groups = {name: Collection[Group]() for name in KINDS}
        self.dynamic_groups = Collection[bytes]()
        self.operations: dict[str, Operation] = {}
        self.plans = Plans()
        self.lots = Lots()
        self.latency = 0.0
        self.tally = Tally()
        self.limit_requests(self._first_requests_per_second)

    def limit_requests(self, per_second: float | None) -> None:
        """Let so many requests a second pass; None lets all pass."""
        self.bucket = TokenBucket(per_second)

    def set_faults(self, faults: Sequence[AnyFault], seed: int) -> None:
        """Have these faults and no others."""
        self.lots = Lots(faults, seed)

    def now(self) -> int:
        """Return the service's time in nanoseconds since 1970."""
        return time.time_ns()

    def begin_operation(self, group_id: str) -> Operation:
        """Take on a change of a dynamic person group."""
        operation = Operation(str(uuid.uuid4()), group_id, self.now())
        self.operations[operation.operation_id] = operation
        return operation

    def statistics(self) -> Statistics:
        """Return what was asked since the last reset."""
        return Statistics(
            _by_status(self.tally.requests),
            _by_status(self.tally.train_calls),
            dict(self.tally.faults),
            len(self.dynamic_groups),
        )


def observe_operation(operation: Operation, endpoint: str, version: str, now: int) -> OperationResult:
    """Return what the service says of the operation `now`; `endpoint` ends with the version."""
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


def _by_status(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (name, status), count in sorted(counts.items()):
        table.setdefault(name, {})[status] = count
    return table
