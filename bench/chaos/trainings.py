"""Have groups trained in the emulator, and ask the app to watch them in every way there is."""

import json
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import Random

import msgspec

from bench.chaos.verdict import Asked, Truth
from local.stack import Stack
from shared.face.client import ApiVersions, FaceClient, Timeouts
from shared.face.credentials import KeyCredential
from shared.face.errors import FaceError
from shared.face.models import GroupKind

SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
GIVE_UP_SECONDS = 120.0


class Group(msgspec.Struct, frozen=True):
    """Name a group, and say who begins the training that is watched.

    ``begun`` is by others before the request, by others after it (``later``), or by the app (``by the app``).
    """

    kind: GroupKind
    group_id: str
    begun: str

    @property
    def name(self) -> str:
        return f"{self.kind.value}/{self.group_id}"


def direct_client(stack: Stack) -> FaceClient:
    """Return a client of the emulator that shares nothing with the app's."""
    versions = ApiVersions(training="v1.2-preview.1", directory="v1.2-preview.1")
    return FaceClient(
        stack.face.endpoint,
        KeyCredential(stack.face.key),
        versions,
        timeouts=Timeouts(read=1.0),
    )


def make_groups(stack: Stack, count: int, random: Random) -> list[Group]:
    """Make groups of all kinds; each has a plan for the training that is watched, some have an older one."""
    control = stack.face.control
    groups = []
    for number in range(count):
        kind = list(GroupKind)[number % len(GroupKind)]
        group = Group(kind, f"chaos-{number:05}", ("before", "before", "later", "by the app")[number % 4])
        if group.begun != "before":
            control.plan(kind, group.group_id, duration=0.0)
            control.group(kind, group.group_id, train=True)
        control.plan(
            kind,
            group.group_id,
            duration=random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS),
            outcome="failed" if number % 7 == 0 else "succeeded",
        )
        if group.begun == "before":
            control.group(kind, group.group_id, train=True)
        groups.append(group)
    return groups


def enqueue(stack: Stack, groups: Sequence[Group], client: FaceClient) -> dict[str, Asked]:
    """Ask for a watch of each group, and for a second one of every tenth; return what was asked by message ID."""
    asked = {}
    for number, group in enumerate(groups):
        if group.begun == "before":
            asked[stack.enqueue(group.name, as_base64=number % 3 == 0)] = Asked(group.name)
            continue
        older = client.training(group.kind, group.group_id).training.created_date_time
        body: dict[str, object] = {"groupId": group.group_id, "kind": group.kind, "correlationId": str(number)}
        if group.begun == "later":
            body["trainedAfter"] = datetime.now(UTC).isoformat()
        else:
            body["train"] = True
        asked[stack.enqueue(json.dumps(body))] = Asked(group.name, stale=older)
    for group in groups[::10]:
        if group.begun == "before":
            asked[stack.enqueue(group.name)] = Asked(group.name)
    return asked


def begin_later_trainings(groups: Sequence[Group], asked: Iterable[Asked], client: FaceClient) -> None:
    """Begin the trainings that others begin after the request, through the faults that the service has by then."""
    older = {each.group: each.stale for each in asked}
    for group in groups:
        if group.begun == "later":
            _begin(group, older[group.name], client)


def read_truths(groups: Sequence[Group], client: FaceClient) -> dict[str, Truth]:
    """Return how the last training of each group ended, once the service has no faults any more."""
    truths = {}
    for group in groups:
        training = client.training(group.kind, group.group_id).training
        truths[group.name] = Truth(
            training.status, training.created_date_time or "", training.last_action_date_time or ""
        )
    return truths


def _begin(group: Group, older: str | None, client: FaceClient) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.training(group.kind, group.group_id).training.created_date_time != older:
                return
            client.start_training(group.kind, group.group_id)
        except FaceError:
            continue  # it is seen at the next look whether a call without an answer was done
    raise TimeoutError(f"no training could be begun within {GIVE_UP_SECONDS:g} seconds")
