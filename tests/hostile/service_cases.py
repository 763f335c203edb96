"""What the service says, with a text that nobody may read in every field: the events tell it, and no log does."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from shared.face.errors import FaceError
from shared.face.models import Training, TrainingStatus, decode_training
from shared.face.responses import error_from_response, request_id, response_date
from shared.training.messages import Group
from tests.hostile.copies import Copies
from tests.hostile.limited import SECRET, Case
from tests.hostile.watches import KIND, Watches
from tests.support.builders import TRACEPARENT

GROUP = Group(KIND, f"group-{SECRET}")
HEADERS = dict.fromkeys(("apim-request-id", "Date", "Retry-After", "x-ms-error-code", "WWW-Authenticate"), SECRET)
CODES = ("LargePersonGroupNotFound", "LargePersonGroupNotTrained", SECRET)
TIMES = ("2026-11-20T10:00:00.0000000Z", SECRET)


def errors() -> Iterator[tuple[str, FaceError]]:
    """Yield an error of each status and form, all of whose texts are secret."""
    inner = {"code": SECRET, "message": SECRET}
    for status in (302, 400, 401, 403, 404, 408, 409, 423, 425, 429, 500, 503, 599):
        for code in CODES if status == 404 else (SECRET,):
            body = json.dumps({"error": {"code": code, "message": SECRET, "innererror": inner}}).encode()
            yield f"{status} {code == SECRET}", error_from_response(status, HEADERS | {"x-ms-error-code": code}, body)
        gateway = json.dumps({"statusCode": SECRET, "message": SECRET}).encode()
        yield f"{status} of a gateway", error_from_response(status, HEADERS, gateway)
        yield f"{status} without JSON", error_from_response(status, HEADERS, SECRET.encode())


def statuses() -> Iterator[tuple[str, TrainingStatus]]:
    """Yield a response of each status, all of whose other fields are secret, and one that is secret itself."""
    fields = [each.encode_name for each in msgspec.structs.fields(Training)]
    for status in ("notStarted", "running", "succeeded", "failed", SECRET):
        for time in TIMES:
            body = dict.fromkeys(fields, SECRET) | {"status": status, "createdDateTime": time, SECRET: SECRET}
            training = decode_training(json.dumps(body).encode())
            yield f"{status} {time == SECRET}", TrainingStatus(training, response_date(HEADERS), request_id(HEADERS))


def poll(result: FaceError | TrainingStatus, *, train: bool) -> None:
    """Let the service say that to each poll, and to each train call, until the request is told."""
    made = Watches()
    made.service = Said(result)
    made.jobs = made.process(timeout=600)
    demands: dict[str, Any] = {"correlationId": SECRET, "traceparent": TRACEPARENT, "train": train}
    made.queue.send_message(json.dumps({"groupId": GROUP.group_id, **demands}))
    outcomes = made.run(25)
    assert len(outcomes) == 1
    assert not made.queue.messages


class Said:
    """A service that says the same to every call."""

    def __init__(self, result: FaceError | TrainingStatus) -> None:
        self.endpoint = "https://faces.example"
        self._result = result

    def training(self, *_: object, **__: object) -> TrainingStatus:
        if isinstance(self._result, FaceError):
            raise self._result
        return self._result

    def start_training(self, *_: object, **__: object) -> None:
        if isinstance(self._result, FaceError):
            raise self._result


def list_groups(error: FaceError) -> None:
    """Let the service say that to each call of the snapshots."""
    copies = Copies(["a"])
    copies.service.error = error
    copies.service.calls = 0
    copies.attempt()
    copies.service.calls = float("inf")
    copies.publish()


def _cases() -> Iterator[Case]:
    results: list[tuple[str, FaceError | TrainingStatus]] = [*errors(), *statuses()]
    for train in (False, True):
        for name, result in results:
            yield Case(f"{name}, train {train}", partial(poll, result, train=train))
    for name, error in errors():
        yield Case(f"{name} to a list", partial(list_groups, error))


CASES = list(_cases())
