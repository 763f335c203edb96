"""Name what is remembered of a watch."""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.face.models import GroupKind, Training
from shared.training.request import Request


class State(StrEnum):
    """Tell a watch that goes on from one that has ended."""

    WATCHING = "watching"
    ENDED = "ended"


class Outcome(StrEnum):
    """Name the ways in which a request can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timedOut"
    NOT_FOUND = "notFound"
    NOT_TRAINED = "notTrained"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    ABANDONED = "abandoned"


class Watch(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Hold one watch: its request, how far it is, and once it has ended, its event and whether that is still owed.

    All times are UTC. ``step`` counts the looks that were followed by another; ``troubles`` counts the looks in a row
    that brought no status. ``noted`` and ``noted_created`` hold the training that stood there before the app's own
    was asked for, ``called_at`` when the service accepted that one. ``etag`` is the row's, as it was read.
    """

    kind: GroupKind
    group_id: str
    watch_id: str
    trained_after: str | None = None
    train: bool = False
    correlation_id: str | None = None

    state: State
    step: int
    started_at: datetime
    next_look_at: datetime
    polls: int = 0
    troubles: int = 0
    last_trouble: str | None = None
    training: Training | None = None

    noted: bool = False
    noted_created: str | None = None
    called_at: datetime | None = None

    poisonings: int = 0
    last_poison_id: str | None = None

    ended_at: datetime | None = None
    outcome: Outcome | None = None
    event: str | None = None
    owed: bool = False

    etag: str | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the watch has its one end."""
        return self.state is State.ENDED


def new_watch(request: Request, watch_id: str, now: datetime) -> Watch:
    """Return the record with which a watch begins."""
    return Watch(
        kind=request.kind,
        group_id=request.group_id,
        watch_id=watch_id,
        trained_after=request.trained_after,
        train=request.train,
        correlation_id=request.correlation_id,
        state=State.WATCHING,
        step=0,
        started_at=now,
        next_look_at=now,
    )
