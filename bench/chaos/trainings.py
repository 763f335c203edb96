"""Have groups trained in the emulator, and ask the app to watch them in every way there is."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random

import msgspec

from bench.chaos.verdict import Asked, Training
from local.stack import Stack
from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import FaceError
from shared.face.models import GroupKind

MIN_SECONDS, MAX_SECONDS = 5.0, 60.0
GIVE_UP_SECONDS = 120.0


class Group(msgspec.Struct, frozen=True):
    """A group whose training is watched."""

    kind: GroupKind
    group_id: str
    begun: str  # the training: by others "before" the requests or "later", or "by the app"
    older: Training | None = None  # a training that ended before

    @property
    def name(self) -> str:
        """Return the group as requests and events name it."""
        return f"{self.kind.value}/{self.group_id}"


class Demand(msgspec.Struct, frozen=True):
    """What a request asks for beside its group."""

    body: str
    older_counts: bool  # the end of the older training answers it too


def direct_client(stack: Stack) -> FaceClient:
    """Return a client of the emulator that shares nothing with the app's."""
    versions = ApiVersions(training="v1.2-preview.1", directory="v1.2-preview.1")
    return FaceClient(stack.face.endpoint, KeyCredential(stack.face.key), versions, timeouts=Timeouts(read=1.0))


def make_groups(stack: Stack, count: int, random: Random, client: FaceClient) -> list[Group]:
    """Make groups of all kinds; each has a plan for the training that is watched, some have an older one."""
    control = stack.face.control
    groups = []
    for number in range(count):
        kind = list(GroupKind)[number % len(GroupKind)]
        group = Group(kind, f"chaos-{number:05}", ("before", "before", "later", "by the app")[number % 4])
        if group.begun != "before":
            control.plan(kind, group.group_id, duration=0.0)
            control.group(kind, group.group_id, train=True)
            group = msgspec.structs.replace(group, older=_newest(group, client))
        control.plan(
            kind,
            group.group_id,
            duration=random.uniform(MIN_SECONDS, MAX_SECONDS),
            outcome="failed" if number % 7 == 0 else "succeeded",
        )
        if group.begun == "before":
            control.group(kind, group.group_id, train=True)
        groups.append(group)
    return groups


def enqueue(stack: Stack, groups: Sequence[Group]) -> dict[str, Asked]:
    """Send one to three requests for each group, with different demands; return what was asked by message ID."""
    asked = {}
    for number, group in enumerate(groups):
        for position, demand in enumerate(_demands(group, number)):
            message_id = stack.enqueue(demand.body, as_base64=(number + position) % 3 == 0)
            asked[message_id] = Asked(group.name, older=group.older, older_counts=demand.older_counts)
    return asked


def _demands(group: Group, number: int) -> Iterator[Demand]:
    fields: dict[str, object] = {"groupId": group.group_id, "kind": group.kind, "correlationId": str(number)}
    if group.begun == "before":
        yield Demand(group.name, older_counts=False)
    elif group.begun == "later":
        after = {"trainedAfter": datetime.now(UTC).isoformat()}
        yield Demand(json.dumps(fields | after), older_counts=False)
    else:
        yield Demand(json.dumps(fields | {"train": True}), older_counts=False)
    if number % 2:
        yield Demand(json.dumps(fields), older_counts=True)
    if number % 5 == 0:
        # Which training this one tells of depends on which comes first; both are true.
        yield Demand(group.name, older_counts=True)


def begin_later_trainings(groups: Iterable[Group], client: FaceClient) -> None:
    """Begin the trainings that others begin after the request, through the faults that the service has by then."""
    for group in groups:
        if group.begun == "later":
            _begin(group, client)


def read_newest(groups: Sequence[Group], client: FaceClient) -> dict[str, Training]:
    """Return how the newest training of each group ended, once the service has no faults any more."""
    return {group.name: _newest(group, client) for group in groups}


def _newest(group: Group, client: FaceClient) -> Training:
    training = client.training(group.kind, group.group_id).training
    return Training(training.status, training.created_date_time or "")


def _begin(group: Group, client: FaceClient) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            if group.older is None or _newest(group, client).created != group.older.created:
                return
            client.start_training(group.kind, group.group_id)
        except FaceError:
            continue  # whether a call without a response was done, the next poll shows
    raise TimeoutError(f"no training could be begun within {GIVE_UP_SECONDS:g} seconds")
