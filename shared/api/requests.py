"""``/api/requests`` and ``/api/groups/{kind}/{groupId}/requests``: send requests, see and cancel them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from azure.core.exceptions import AzureError

from shared.api.groups import read_group, read_request_id
from shared.api.request_body import read_requests
from shared.api.responses import Problem, Query, Response, json_response, polled
from shared.face.models import GroupKind
from shared.face.timestamps import format_utc
from shared.training import rows
from shared.training.cancel import Canceller
from shared.training.history import History
from shared.training.messages import Group
from shared.training.record import RequestRecord
from shared.training.send import Sender
from shared.training.store import LostRace, WatchStore

MESSAGE_LIFE = timedelta(days=7)
CLOCK_DIFFERENCE = timedelta(minutes=5)
"""A request's ID has the queue's time; the app's clock may be so much behind."""

FIRST_RETRY_SECONDS = 2
"""When a request that was just sent may be on record."""


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """A request that was put on the queue."""

    request_id: str
    kind: str
    group_id: str
    location: str  # where its state is


@dataclass(frozen=True)
class RequestsApi:
    """Answers what concerns requests. Methods raise ``Problem``, and ``AzureError`` where the storage fails."""

    sender: Sender
    store: WatchStore
    history: History
    canceller: Canceller
    default_kind: GroupKind  # of a bare ID
    clock: Callable[[], datetime]

    def send(self, query: Query) -> Response:
        """Put one request, or an array of them, on the queue."""
        requests, single = read_requests(query.body, self.default_kind)
        accepted: list[Accepted] = []
        for request in requests:
            try:
                accepted.append(_accepted(request.group, self.sender.send(request)))
            except AzureError:
                if not accepted:
                    raise
                raise Problem(
                    503,
                    "Not all requests were sent",
                    f"the queue took the first {len(accepted)} of {len(requests)} requests; send the others again",
                    value=accepted,
                ) from None
        headers = {"Retry-After": str(FIRST_RETRY_SECONDS)}
        if single:
            return json_response(accepted[0], 202, {**headers, "Location": query.base + accepted[0].location})
        return json_response({"value": accepted}, 202, {**headers, "Location": f"{query.base}/api/watches"})

    def state(self, query: Query, kind: str, group_id: str, request_id: str) -> Response:
        """Return a request's state, and its event once it has ended."""
        group, request_id = read_group(kind, group_id), read_request_id(request_id)
        record = self.store.read(group)
        if any(each.request_id == request_id for each in record.open):
            due = record.watch.next_poll_at
            wait = 1.0 if due is None else max(1.0, (due - self.clock()).total_seconds())
            content = _state(group, request_id, "open") | {"nextPollAt": None if due is None else format_utc(due)}
            return polled(query, content, {"Retry-After": str(round(wait))})
        ended = next((each for each in record.owed if each.request_id == request_id), None)
        ended = ended or self.history.ended_request(group, request_id)
        if ended is not None or request_id in record.stuck:
            return polled(query, _ended(group, request_id, ended))
        self._check_age(request_id)
        return polled(query, _state(group, request_id, "queued"), {"Retry-After": str(FIRST_RETRY_SECONDS)})

    def cancel(self, kind: str, group_id: str, request_id: str) -> Response:
        """End an open request as cancelled."""
        group, request_id = read_group(kind, group_id), read_request_id(request_id)
        ended = self.history.ended_request(group, request_id)
        if ended is None:
            if not any(each.request_id == request_id for each in self.store.read(group).open):
                self._check_age(request_id)
            cancelled = _without_race(lambda: self.canceller.cancel(group, request_id))
            ended = self.history.ended_request(group, request_id)
            if cancelled:
                return json_response(_ended(group, request_id, ended), 202)
        raise Problem(
            409,
            "The request has ended",
            "an ended request cannot be cancelled; event says how it ended",
            event=_event(ended),
        )

    def cancel_all(self, kind: str, group_id: str) -> Response:
        """End all open requests of a group as cancelled."""
        group = read_group(kind, group_id)
        cancelled = _without_race(lambda: self.canceller.cancel_all(group))
        return json_response({"value": [{"requestId": each} for each in cancelled]}, 202)

    def _check_age(self, request_id: str) -> None:
        """Raise ``Problem`` where no message of a request that is not on record can be on its way."""
        if not -CLOCK_DIFFERENCE <= self.clock() - rows.inserted_at(request_id) < MESSAGE_LIFE:
            raise Problem(
                404,
                "No such request",
                f"nothing is on record of {request_id}: a message lives 7 days, and the record of an ended request is "
                "kept for WATCH_RETENTION_DAYS",
            )


def _without_race[T](work: Callable[[], T]) -> T:
    try:
        return work()
    except LostRace:
        raise Problem(503, "The group is busy", "others write the group's record all the time; try again") from None


def _accepted(group: Group, request_id: str) -> Accepted:
    location = f"/api/groups/{group.kind.value}/{group.group_id}/requests/{request_id}"
    return Accepted(request_id, group.kind.value, group.group_id, location)


def _state(group: Group, request_id: str, state: str) -> dict[str, Any]:
    return {
        "requestId": request_id,
        "kind": group.kind.value,
        "groupId": group.group_id,
        "state": state,
        "nextPollAt": None,
        "event": None,
    }


def _ended(group: Group, request_id: str, ended: RequestRecord | None) -> dict[str, Any]:
    return _state(group, request_id, "ended") | {"event": _event(ended)}


def _event(ended: RequestRecord | None) -> msgspec.Raw | None:
    return None if ended is None or ended.event is None else msgspec.Raw(ended.event)
