"""Take one step of a watch: read the record, ask the service, and go on or end, safe against a crash anywhere."""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from shared.face.client import FaceClient
from shared.face.errors import FaceError, NotTrained, Unauthorized
from shared.face.models import GroupKind, Training
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training.decide import Again, End, Policy, decide, must_start_training
from shared.training.record import Outcome, State, Watch, new_watch
from shared.training.report import Reporter, ended_event, rejected_event
from shared.training.request import FollowUp, Message, Rejection, Request, parse_body
from shared.training.store import LostRace, WatchStore, repeat_lost_races

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watcher:
    """Carry watches from step to step; may be shared by threads.

    ``clock`` returns the time in UTC, ``jitter`` random numbers from 0 up to 1. Methods raise
    ``azure.core.exceptions.AzureError`` where the app's own storage fails: the host then delivers the message again.
    The service's troubles never raise.
    """

    face: FaceClient
    store: WatchStore
    queue: QueueClient
    reporter: Reporter
    policy: Policy
    default_kind: GroupKind
    clock: Callable[[], datetime]
    jitter: Callable[[], float]

    def handle(self, message: Message) -> None:
        """Take up a queue message: begin a watch, go on with one, or report a body that is neither."""
        match parse_body(message.body, self.default_kind):
            case Request() as request:
                first = FollowUp(message.watch_id, request.kind, request.group_id, step=0)
                repeat_lost_races(lambda: self._step(first, request))
            case FollowUp() as follow_up:
                self.follow(follow_up)
            case Rejection(reason):
                log.warning("training request rejected", extra={"outcome": Outcome.REJECTED.value})
                self.reporter.send(rejected_event(message, reason, source=self.face.endpoint))

    def follow(self, follow_up: FollowUp) -> None:
        """Take the step that a follow-up names; drop one whose watch is unknown or further on."""
        repeat_lost_races(lambda: self._step(follow_up, None))

    def end(
        self, watch: Watch, outcome: Outcome, *, error: str | None = None, superseded_by: str | None = None
    ) -> None:
        """Write the end and its event into the record, then send the event. The other order can tell two ends.

        Raises:
            LostRace: where the record has changed meanwhile; nothing is then sent.
        """
        now = self.clock()
        event = ended_event(watch, outcome, source=self.face.endpoint, at=now, error=error, superseded_by=superseded_by)
        ended = self.store.replace(
            msgspec.structs.replace(
                watch,
                state=State.ENDED,
                outcome=outcome,
                ended_at=now,
                event=event,
                owed=True,
                next_look_at=now,
            )
        )
        log.info("training watch ended", extra=_ended_fields(watch, outcome, now))
        self.tell(ended)

    def tell(self, ended: Watch) -> None:
        """Send the event that an ended watch owes, then note it as sent; do nothing where it owes none."""
        if ended.event is None or not ended.owed:
            return
        self.reporter.send(ended.event)
        try:
            self.store.replace(msgspec.structs.replace(ended, owed=False))
        except LostRace:
            return  # somebody else has sent it too, and noted it

    def _step(self, at: FollowUp, request: Request | None) -> None:
        watches = self.store.read_from(at.kind, at.group_id, at.watch_id)
        if watches and watches[0].watch_id == at.watch_id:
            watch = watches[0]
        elif request is not None:
            watch = self.store.create(new_watch(request, at.watch_id, self.clock()))
        else:
            log.info("follow-up without a record dropped", extra={"kind": at.kind.value, "step": at.step})
            return
        if watch.ended or watch.step > at.step:
            self.tell(watch)
            return
        newer = [each for each in watches if each.watch_id > at.watch_id and not _was_over_before(each, watch)]
        if newer:
            self.end(watch, Outcome.SUPERSEDED, superseded_by=newer[-1].watch_id)
            return
        self._look(watch, at.step)

    def _look(self, watch: Watch, step: int) -> None:
        look = self._ask(watch)
        if watch.train and watch.called_at is None:
            watch, look = self._start_training(watch, look)
        now = self.clock()
        decision = decide(watch, look, now, self.policy, self.jitter())
        _log_look(watch, look, decision, step)
        match decision:
            case End(seen, outcome, error):
                self.end(seen, outcome, error=error)
            case Again(seen, delay):
                self._go_on(seen, step, min(math.ceil(delay), MAX_VISIBILITY_SECONDS), now)

    def _ask(self, watch: Watch) -> Training | FaceError:
        try:
            return self.face.training(watch.kind, watch.group_id).training
        except FaceError as error:
            return error

    def _start_training(self, watch: Watch, look: Training | FaceError) -> tuple[Watch, Training | FaceError]:
        """Note what stands there now, then call: a redelivered step sees by the note whether the call was made."""
        if not watch.noted:
            if isinstance(look, Training):
                created = look.created_date_time
            elif isinstance(look, NotTrained):
                created = None
            else:
                return watch, look
            watch = self.store.replace(msgspec.structs.replace(watch, noted=True, noted_created=created))
        if not must_start_training(watch, look):
            return watch, look
        try:
            self.face.start_training(watch.kind, watch.group_id)
        except FaceError as error:
            return watch, error
        return msgspec.structs.replace(watch, called_at=self.clock()), self._ask(watch)

    def _go_on(self, watch: Watch, step: int, delay: int, now: datetime) -> None:
        """Send the follow-up, then advance the record. The other order can lose the watch."""
        follow_up = FollowUp(watch.watch_id, watch.kind, watch.group_id, step + 1)
        sent = self.queue.send_message(follow_up.body, visibility_timeout=delay, time_to_live=-1)
        try:
            self.store.replace(
                msgspec.structs.replace(watch, step=step + 1, next_look_at=now + timedelta(seconds=delay))
            )
        except LostRace:
            self._take_back(sent.id, sent.pop_receipt)
            raise

    def _take_back(self, message_id: str, pop_receipt: str | None) -> None:
        # One that cannot be taken back, or is being handled already, is dropped by its step.
        with suppress(AzureError):
            self.queue.delete_message(message_id, pop_receipt)


def _was_over_before(other: Watch, watch: Watch) -> bool:
    """Tell a watch that only seems newer: of those of one second, the IDs do not say which was enqueued first."""
    same_second = other.watch_id.partition("-")[0] == watch.watch_id.partition("-")[0]
    return same_second and other.ended_at is not None and other.ended_at <= watch.started_at


def _log_look(watch: Watch, look: Training | FaceError, decision: Again | End, step: int) -> None:
    fields = {
        "kind": watch.kind.value,
        "step": step,
        "answer": look.status if isinstance(look, Training) else type(look).__name__,
        "http_status": 200 if isinstance(look, Training) else look.status,
        "delay_seconds": decision.delay if isinstance(decision, Again) else None,
    }
    if isinstance(look, Unauthorized):
        log.error("face service refuses the app", extra=fields)
    log.info("training watch looked", extra=fields)
    log.debug("training watch looked at %s", watch.group_id, extra=fields)


def _ended_fields(watch: Watch, outcome: Outcome, now: datetime) -> dict[str, object]:
    return {
        "kind": watch.kind.value,
        "outcome": outcome.value,
        "step": watch.step,
        "polls": watch.polls,
        "watched_seconds": max(0.0, (now - watch.started_at).total_seconds()),
        "late_seconds": max(0.0, (now - watch.next_look_at).total_seconds()),
    }
