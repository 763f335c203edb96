"""Take one step of a watch: read the record, poll the service, and go on or end.

One poll answers everybody who waits for a group: a watch belongs to a group, and its requests share one chain of
polls. Each handler of a message goes through this, and may die anywhere on its way:

1. It reads the group's record. What is owed, a crash has left, and is sent.
2. A follow-up of an earlier step is dropped. A request joins without a poll where the chain goes on anyway.
3. It polls, and decides for each open request whether the poll ends it.
4. Where a training has to be started, it claims the call on record, with the ends that the poll brought, then calls.
5. It puts the group into the index of live ones, sends the follow-up of the next step, and then commits the step with
   all ends in it. A crash in between leaves two messages of one step, the older of which the record has passed.
6. It sends the events of what it has ended, and takes the group out of the index where the watch has ended.

A lost race means that somebody else has written the record: the handler begins again.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from shared import telemetry
from shared.face.models import GroupKind
from shared.training.decide import End
from shared.training.messages import Encoding, FollowUp, Message, Rejection, Request, parse_body
from shared.training.races import repeat_lost_races
from shared.training.record import GroupRecord, Last, Outcome, RequestRecord, new_record, with_live_watch
from shared.training.step import StepTaker
from shared.training.store import WatchStore
from shared.training.tell import Teller
from shared.training.turns import Turns

log = logging.getLogger(__name__)

MAX_STEPS_AHEAD = 100
"""How far a follow-up may be ahead of the record: as many crashes between sending and committing, in a row."""

_JOINABLE = (Last.RUNNING, Last.NO_ANSWER)


class Arrival(msgspec.Struct, frozen=True):
    """A message with what it asks for."""

    message: Message
    parsed: Request | FollowUp


@dataclass(frozen=True)
class Watcher:
    """Carries watches from step to step; may be shared by threads.

    Methods raise ``azure.core.exceptions.AzureError`` where the app's own storage fails, and ``LostRace`` where others
    write the same record all the time: the host then delivers the message again. The service's troubles never raise.
    """

    store: WatchStore
    teller: Teller
    steps: StepTaker
    default_kind: GroupKind  # of a bare ID
    encoding: Encoding
    jitter: Callable[[], float]  # random numbers from 0 up to 1
    sleep: Callable[[float], None]  # waits for some seconds
    _turns: Turns[Arrival] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", Turns(self._take_turn))

    def handle(self, message: Message) -> None:
        """Take up a queue message: join a watch or begin one, go on with one, or report a body that is neither."""
        parsed = parse_body(message.body, self.default_kind, self.encoding)
        traceparent = None if isinstance(parsed, Rejection) else parsed.traceparent
        with telemetry.processing("training-watch", message.id, traceparent):
            self._handle(message, parsed)

    def _handle(self, message: Message, parsed: Request | FollowUp | Rejection) -> None:
        match parsed:
            case Rejection(reason, correlation_id):
                log.warning("training request rejected", extra={"outcome": Outcome.REJECTED.value})
                end = End(Outcome.REJECTED, "invalidRequest", reason)
                self.teller.tell_body(message, end, correlation_id=correlation_id)
            case FollowUp() as follow_up:
                # The timer sends another.
                if not message.exhausted:
                    self._turns.take(follow_up.group, Arrival(message, follow_up), together=None)
            case Request() as request:
                self._turns.take(request.group, Arrival(message, request), together=("request", message.exhausted))

    def _take_turn(self, arrivals: Sequence[Arrival]) -> None:
        repeat_lost_races(lambda: self._begin(arrivals), self.jitter, self.sleep)

    def _begin(self, arrivals: Sequence[Arrival]) -> None:
        """Read the record, and see what the messages of one group ask for now."""
        record = with_live_watch(self.store.read(arrivals[0].parsed.group))
        pending = self._pending(record, arrivals)
        # What only the topic is owed waits until the poll is made.
        queued = [each for each in record.owed if each.queued]
        left = self.teller.tell(record.group, [each for each in record.owed if not each.queued])
        record = msgspec.structs.replace(record, owed=(*queued, *left))
        follow_up, exhausted = arrivals[0].parsed, arrivals[0].message.exhausted
        if isinstance(follow_up, FollowUp):
            if self._belongs(record, follow_up):
                self.steps.take(record, follow_up.step, (), paid=True, exhausted=False)
            return
        on_record = {each.request_id for each in record.open}
        fresh = [
            msgspec.structs.replace(each, polls_before=record.watch.polls)
            for each in pending
            if each.request_id not in on_record
        ]
        goes_on = record.watch.last in _JOINABLE or (exhausted and len(fresh) == len(pending))
        if pending and not (record.watch.live and goes_on):
            self.steps.take(record, record.watch.step, fresh, paid=False, exhausted=exhausted)
        elif fresh:
            # Those that are on record already, the chain of polls answers.
            self.store.write(record.group, record.watch, joins=fresh)

    def _pending(self, record: GroupRecord, arrivals: Sequence[Arrival]) -> list[RequestRecord]:
        """Return the requests among the messages that are not over."""
        on_record = {each.request_id for each in record.open}
        owed = {each.request_id for each in record.owed}.union(record.stuck)
        # A message that is delivered again while it is handled may be here twice.
        requests = {
            each.message.request_id: new_record(each.message, each.parsed)
            for each in arrivals
            if isinstance(each.parsed, Request)
        }
        return [
            request
            for request_id, request in requests.items()
            if request_id in on_record or not self._is_over(record, owed, request_id)
        ]

    def _is_over(self, record: GroupRecord, owed: set[str], request_id: str) -> bool:
        if request_id in owed:
            return True
        # The watch's row outlives all others of its group, so without it there is no past to look into. Where a past
        # begins meanwhile, the watch cannot be created, and the handler begins again.
        return record.watch.etag is not None and self.store.is_told(record.group, request_id)

    def _belongs(self, record: GroupRecord, follow_up: FollowUp) -> bool:
        """Return whether a follow-up brings the next poll of a watch."""
        watch = record.watch
        ahead = follow_up.step - watch.step
        if watch.etag is None:
            log.error("follow-up without a record", extra={"kind": record.group.kind.value, "ahead": ahead})
        # Whoever sends a follow-up has put the group into the index before, so that one of nobody's writes nothing.
        is_forged = watch.etag is None and not self.store.is_live(record.group)
        if is_forged or not 0 <= ahead <= MAX_STEPS_AHEAD:
            log.info("follow-up dropped", extra={"kind": record.group.kind.value, "ahead": ahead})
            return False
        if not watch.live and ahead > 0:
            # A sender that is still on its way must begin again, since this follow-up of its is about to be gone.
            raised = msgspec.structs.replace(watch, step=follow_up.step, step_token=uuid.uuid4().hex)
            self.store.write(record.group, raised)
        return watch.live
