"""Hold a world to what is promised at every moment, whoever is in the midst of what.

What is found is raised once nobody's code is on the way that could catch it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.face.models import TrainingStatus
from shared.training.messages import Message
from tests.unit.protocol.actors import current_actor
from tests.unit.protocol.record_of import STATES, record_of

if TYPE_CHECKING:
    from tests.unit.protocol.world import World

_JOINABLE = ("running", "noAnswer")


@dataclass
class Handling:
    """What a handler has learned since it began."""

    request_id: str | None = None  # of the request whose message it handles
    joinable: bool = False  # it has just read that the chain of polls goes on without it
    open: set[str] = field(default_factory=set)  # the requests that it has read, and its own
    ended: set[str] = field(default_factory=set)  # those of them whose end its last poll has seen
    standing: str | None = None  # when the training was created that its last poll has seen


class Moments:
    """Watches every outside call, and notes where a promise is broken."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._handlings: dict[object, Handling] = defaultdict(Handling)
        self._broken: list[str] = []
        self.tokens: dict[str, str] = {}  # whose each token is
        self.train_calls: Counter[tuple[str, str | None]] = Counter()  # by group, and what stood for the caller
        self.copies: dict[str, list[str]] = defaultdict(list)  # a poisoned request's messages in the poison queue

    @property
    def _handling(self) -> Handling:
        return self._handlings[current_actor()]

    def raise_what_broke(self) -> None:
        """Raise AssertionError where a promise was broken."""
        assert not self._broken, self._broken[0]

    def begin(self, message: Message) -> None:
        """Note that a handler begins with a message."""
        mine = message.request_id if message.request_id in self._world.requests else None
        self._handlings[current_actor()] = Handling(mine)

    def poisoned(self, request_id: str, copy: str) -> None:
        """Note that the host has moved a message to the poison queue."""
        self.copies[request_id].append(copy)

    def read(self, rows: Sequence[Any]) -> None:
        """Note what a page of a query tells a handler."""
        handling = self._handling
        for row in rows:
            state, _, rest = row["RowKey"].partition("!")
            if row["RowKey"] == "!watch":
                handling.joinable = row.get("live") is True and row.get("last") in _JOINABLE
                handling.open = set()
            elif state == "open":
                handling.open.add(rest)

    def before(self, name: str, args: tuple[Any, ...]) -> None:
        """Hold a call that is about to be made to what is promised of it."""
        handling = self._handling
        match name:
            case "submit_transaction":
                handling.joinable = False
                self._name_tokens([entity for _, entity, *_ in args[0]])
            case "create_entity" | "update_entity" | "upsert_entity":
                handling.joinable = False
                self._name_tokens(args[:1])
            case "send_message":
                handling.joinable = False
                own = {"specversion", "step"} & json.loads(args[0]).keys()
                self._expect(bool(own), "a copy of a request is sent")
            case "training":
                costs = handling.joinable and handling.request_id is not None
                self._expect(not costs, "a request costs a poll of its own")
            case "start_training":
                record = record_of(self._world.table)
                over = {
                    each for group in record.groups.values() for state in STATES[1:] for each in group.requests[state]
                }
                self._expect(handling.ended <= over, "a training hides an end that was seen")

    def train_is_called(self, group_id: str) -> None:
        """Note that a call that asks for a training has reached the service."""
        self.train_calls[group_id, self._handling.standing] += 1

    def after(self, name: str, result: Any) -> None:
        """Note what a handler learns from a call."""
        if name == "training" and isinstance(result, TrainingStatus):
            handling = self._handling
            mine = handling.open | ({handling.request_id} if handling.request_id else set())
            handling.standing = result.training.created_date_time
            handling.ended = {each for each in mine if result.training.ended and self._is_met(each)}

    def check_record(self) -> None:
        """Check what the table must hold at every moment."""
        record = record_of(self._world.table)
        for partition, group in record.groups.items():
            opened, owed, told = (group.requests[state] for state in STATES)
            live = group.watch is not None and group.watch.get("live") is True
            is_readable = group.watch is None or isinstance(group.watch.get("live"), bool)
            is_open = bool(opened) and is_readable
            self._expect(live or not is_open, "a request is open while its group's watch is not live")
            has_work = live or bool(opened or owed)
            self._expect(partition in record.live or not has_work, "the index lacks a group with work")
            self._expect(not opened.keys() & owed.keys(), "a request is open and owed")
            self._expect(not told.keys() & (opened.keys() | owed.keys()), "a request that was told has begun anew")

    def _expect(self, holds: bool, text: str) -> None:
        if not holds:
            self._broken.append(text)

    def _is_met(self, request_id: str) -> bool:
        asked = self._world.requests.get(request_id)
        standing = None if asked is None else self._world.service.standing(asked.group_id)
        if asked is None or standing is None or asked.train:
            return False
        return asked.trained_after is None or standing.created >= asked.trained_after

    def _name_tokens(self, entities: Sequence[Any]) -> None:
        actor = current_actor()
        for entity in entities:
            token = entity.get("stepToken")
            if token and token not in self.tokens:
                self.tokens[token] = "an old token" if actor is None else f"token of {actor.name}"
                if actor is not None:
                    actor.token = token
