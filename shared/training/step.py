"""Take one step of a group's watch: poll, decide, start a training where one is due, commit, and tell the ends.

A crash between any two outside calls loses nothing: the message comes back, or the follow-up that was sent goes on.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage

from shared import telemetry
from shared.budget.budget import MAX_WAIT_SECONDS, Budget
from shared.budget.row import Slot
from shared.face.client import FaceClient
from shared.face.errors import Conflict, FaceError, Throttled
from shared.face.models import TrainingStatus
from shared.settings import MAX_VISIBILITY_SECONDS
from shared.training import decide, delays, events
from shared.training.commit import Plan, commit
from shared.training.decide import CLAIM_SECONDS, Accepted, LaterSlot, NotMade, Policy, PollResult
from shared.training.logs import log_ended, log_poll
from shared.training.messages import FollowUp, Group
from shared.training.record import Claim, GroupRecord, RequestRecord, Watch, traceparent_of
from shared.training.slots import Slots
from shared.training.store import LostRace, WatchStore
from shared.training.tell import Teller

EXHAUSTED_DELAY_SECONDS = 600.0
"""When a group is polled whose request could not be handled in several tries."""


class Decided(msgspec.Struct, frozen=True):
    """What follows from a poll."""

    result: PollResult
    now: datetime  # when the poll was made, UTC
    watch: Watch  # with what the poll brought
    stays: tuple[RequestRecord, ...]  # go on
    ends: tuple[RequestRecord, ...] = ()  # ended by this poll, with their events


@dataclass(frozen=True)
class StepTaker:
    """Takes steps of watches; may be shared by threads.

    Raises ``LostRace`` where somebody else has written the record meanwhile, and ``AzureError`` where the app's own
    storage fails. The service's troubles never raise.
    """

    face: FaceClient
    budget: Budget
    store: WatchStore
    queue: QueueClient
    teller: Teller
    policy: Policy
    jitter: Callable[[], float]  # random numbers from 0 up to 1
    monotonic: Callable[[], float]  # seconds that only grow

    def take(
        self, record: GroupRecord, step: int, fresh: Sequence[RequestRecord], *, paid: bool, exhausted: bool
    ) -> None:
        """Take a step.

        Args:
            record: the group's record as it was read; what was owed then is told, but for what the topic has not taken.
            step: the step that is taken; that of a follow-up may be ahead of the record's.
            fresh: requests that are not on record yet.
            paid: the watch's own follow-up brings this step, so the slot in its record is for it.
            exhausted: handling the message has failed before, so the service is not called.
        """
        group = record.group
        slots = Slots(self.budget, record.watch if paid else None)
        requests = (*record.open, *fresh)
        telemetry.link(each.traceparent for each in requests)
        result = self._skip(record, requests, exhausted=exhausted) or self._poll(group, slots)
        decided = self._decide(group, record.watch, requests, result)
        if self._must_train(decided):
            record, decided = self._train(record, step, decided, slots)
        record, live_etag = self._commit(record, step, decided)
        for each in decided.ends:
            log_ended(group, each)
        left = self.teller.tell(group, record.owed)
        if not (record.watch.live or record.stuck or left):
            self.store.remove_live(group, live_etag)

    def _skip(self, record: GroupRecord, requests: Sequence[RequestRecord], *, exhausted: bool) -> NotMade | None:
        """Return why no poll is made, ``None`` where one is."""
        if not requests or exhausted:
            return NotMade(EXHAUSTED_DELAY_SECONDS)
        price = self.budget.price()
        if record.watch.live or price <= self.policy.worth:
            return None
        # The budget is short, so a new watch's first poll has to be worth its slot as well.
        delay = delays.first_delay(record.watch, self.policy, price=price, jitter=self.jitter())
        return NotMade(delay) if delay > MAX_WAIT_SECONDS else None

    def _poll(self, group: Group, slots: Slots) -> PollResult:
        slot = slots.wait_for_next()
        if isinstance(slot, LaterSlot):
            return slot
        try:
            return self.face.training(group.kind, group.group_id)
        except FaceError as error:
            if isinstance(error, Throttled):
                self.budget.throttled(slot, error.wait)
            return error

    def _decide(
        self,
        group: Group,
        watch: Watch,
        requests: Sequence[RequestRecord],
        result: PollResult,
        *,
        of_train: bool = False,
    ) -> Decided:
        now = self.budget.clock()
        after = decide.watch_after(watch, result, now, of_train=of_train)
        seen = events.Seen(
            at=now,
            polls=after.polls,
            training=after.training,
            service_request_id=getattr(result, "request_id", None),
        )
        stays: list[RequestRecord] = []
        ends: list[RequestRecord] = []
        for each in requests:
            request = decide.noted(each, result) if decide.must_note(each, result) else each
            end = decide.end_of(request, watch, result, now, self.policy, of_train=of_train)
            if end is None:
                stays.append(request)
                continue
            late = decide.late_seconds(result) if end.by_training and isinstance(result, TrainingStatus) else None
            told = msgspec.structs.replace(seen, late_seconds=late)
            ends.append(events.ended(group, request, end, told, source=self.face.endpoint))
        return Decided(result, now, after, tuple(stays), tuple(ends))

    def _must_train(self, decided: Decided) -> bool:
        wanted = any(decide.wants_training(each, decided.watch, decided.result) for each in decided.stays)
        return wanted and not decide.is_claimed(decided.watch, decided.result, decided.now)

    def _train(self, record: GroupRecord, step: int, decided: Decided, slots: Slots) -> tuple[GroupRecord, Decided]:
        """Claim the train call on record, with the ends that the poll brought, then make it, and poll again.

        The claim says that the call may be made once. Its owner keeps to a third of the time that others wait before
        they claim anew, and gives the call another third; the rest is for the difference of clocks.
        """
        group = record.group
        slot = slots.wait_for_next()
        if isinstance(slot, LaterSlot):
            # The next step needs a slot to poll and one to call: else it would wait for the second one again.
            later = slots.pay_for_two(slot)
            watch = decide.watch_after(decided.watch, later, decided.now)
            return record, msgspec.structs.replace(decided, result=later, watch=watch)
        began = self.monotonic()
        claim = Claim(decide.standing(decided.result), decided.now)
        due = decided.now + timedelta(seconds=CLAIM_SECONDS)
        watch = msgspec.structs.replace(decided.watch, live=True, step=record.watch.step, claim=claim, next_poll_at=due)
        self.store.upsert_live(group, due, self._weight(decided), len(decided.stays))
        record = commit(self.store, record, _plan(record, decided, watch))
        log_poll(group, step, decided.result, open_requests=len(decided.stays), delay=None)
        for each in decided.ends:
            log_ended(group, each)
        response: PollResult = NotMade(CLAIM_SECONDS)
        still_wanted = any(decide.wants_training(each, record.watch, decided.result) for each in record.open)
        if still_wanted and self.monotonic() - began < CLAIM_SECONDS / 3:
            response = self._start_training(group, slot)
        decided = self._decide(group, record.watch, record.open, response, of_train=True)
        if isinstance(response, Accepted) and decided.stays:
            ends = decided.ends
            decided = self._decide(group, decided.watch, decided.stays, self._poll(group, slots))
            decided = msgspec.structs.replace(decided, ends=(*ends, *decided.ends))
        return record, decided

    def _start_training(self, group: Group, slot: Slot) -> PollResult:
        try:
            self.face.start_training(group.kind, group.group_id, seconds=CLAIM_SECONDS / 3)
        except Conflict:
            return Accepted()
        except FaceError as error:
            if isinstance(error, Throttled):
                self.budget.throttled(slot, error.wait)
            return error
        return Accepted()

    def _commit(self, record: GroupRecord, step: int, decided: Decided) -> tuple[GroupRecord, str]:
        """Put the group into the index, send the follow-up where somebody goes on, and then advance the watch.

        The other order can lose the watch. Return the record, and the ETag of the index's row.
        """
        group = record.group
        sent: list[QueueMessage] = []
        live_etag = ""

        def go_on(watch: Watch, delay: int) -> Watch:
            nonlocal live_etag
            due = self.budget.clock() + timedelta(seconds=delay)
            live_etag = self.store.upsert_live(group, due, self._weight(decided), len(decided.stays))
            follow_up = FollowUp(group=group, step=step + 1, traceparent=traceparent_of(decided.stays))
            sent.append(self.queue.send_message(follow_up.body, visibility_timeout=delay, time_to_live=-1))
            return msgspec.structs.replace(watch, live=True, next_poll_at=due)

        watch = msgspec.structs.replace(decided.watch, step=step + 1, slot=None, paid_calls=0)
        delay: int | None = None
        if decided.stays:
            delay, later = self._next(decided)
            if later is not None:
                watch = msgspec.structs.replace(watch, slot=later.turn, paid_calls=later.calls)
            watch = go_on(watch, delay)
        else:
            live_etag = self.store.upsert_live(group, decided.now, 0.0)
            watch = msgspec.structs.replace(watch, live=False, next_poll_at=None, first_poll_at=None)
        try:
            record = commit(self.store, record, _plan(record, decided, watch), lambda watch: go_on(watch, 1))
        except LostRace:
            for message in sent:
                # One that cannot be taken back, or is being handled already, is dropped by its step.
                with suppress(AzureError):
                    self.queue.delete_message(message.id, message.pop_receipt)
            raise
        log_poll(group, step, decided.result, open_requests=len(decided.stays), delay=delay)
        return record, live_etag

    def _next(self, decided: Decided) -> tuple[int, LaterSlot | None]:
        """Return the seconds until the next poll, and the slot that it has already."""
        if isinstance(decided.result, LaterSlot):
            return _before(decided.result.delay), decided.result
        delay = delays.delay_after(
            decided.stays,
            decided.watch,
            decided.result,
            decided.now,
            self.policy,
            price=self.budget.price(),
            jitter=self.jitter(),
        )
        # A poll that would have to wait in line when it is due takes its place now.
        slot = self.budget.take_ahead(delay)
        if slot is None:
            return delay, None
        later = LaterSlot(slot.turn, self.budget.seconds_until(slot))
        return _before(later.delay), later

    def _weight(self, decided: Decided) -> float:
        price = self.budget.price()
        return delays.weight_after(decided.watch, decided.result, decided.now, self.policy, price=price)


def _before(delay: float) -> int:
    """Return a slot's delay in whole seconds: rounded down, since a slot that is missed is lost, and at least one."""
    return min(max(math.floor(delay), 1), MAX_VISIBILITY_SECONDS)


def _plan(record: GroupRecord, decided: Decided, watch: Watch) -> Plan:
    known = {each.request_id: each for each in record.open}
    return Plan(
        watch=watch,
        joins=tuple(each for each in decided.stays if each.request_id not in known),
        changes=tuple(each for each in decided.stays if each != known.get(each.request_id, each)),
        ends=decided.ends,
    )
