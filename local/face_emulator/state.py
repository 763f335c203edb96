"""The emulated resource: what it holds, and how it behaves."""

import hmac
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from local.face_emulator.collection import Collection
from local.face_emulator.faults import AnyFault, Lots
from local.face_emulator.kinds import KINDS
from local.face_emulator.limit import TokenBucket
from local.face_emulator.long_running import Operation
from local.face_emulator.tally import Statistics, Tally
from local.face_emulator.trainings import Plan, Training


@dataclass
class Group:
    """A group of one of the three kinds, with its newest training."""

    group_id: str
    name: str
    user_data: str | None = None
    recognition_model: str = "recognition_01"
    training: Training | None = None


class Plans:
    """The plans for the next trainings of each group."""

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
    """The emulated resource: its groups, their plans, its faults and limits. ``key`` None takes any key."""

    def __init__(self, control_token: str, key: str | None = None, requests_per_second: float | None = None) -> None:
        self.key = key
        self._control_token = control_token
        self._first_requests_per_second = requests_per_second
        self.reset()

    def is_control_token(self, token: str) -> bool:
        """Return whether it is the token of the control API."""
        return hmac.compare_digest(token.encode(), self._control_token.encode())

    def reset(self) -> None:
        """Bring everything back to the state at the start."""
        self.groups = {name: Collection[Group]() for name in KINDS}
        self.dynamic_groups = Collection[bytes]()
        self.operations: dict[str, Operation] = {}
        self.plans = Plans()
        self.lots = Lots()
        self.latency = 0.0
        self.tally = Tally()
        self.limit_requests(self._first_requests_per_second)

    def limit_requests(self, per_second: float | None) -> None:
        """Limit the requests per second; None is no limit."""
        self.bucket = TokenBucket(per_second)

    def set_faults(self, faults: Sequence[AnyFault], seed: int) -> None:
        """Replace the faults."""
        self.lots = Lots(faults, seed)

    def now(self) -> int:
        """Return the service's time in nanoseconds since 1970."""
        return time.time_ns()

    def begin_operation(self, group_id: str) -> Operation:
        """Record a change of a dynamic person group, and return its operation."""
        operation = Operation(str(uuid.uuid4()), group_id, self.now())
        self.operations[operation.operation_id] = operation
        return operation

    def statistics(self) -> Statistics:
        """Return the counts since the last reset."""
        return self.tally.summarize(len(self.dynamic_groups))
