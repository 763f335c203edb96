"""What the demo enqueues: one case for each form of a request and for each outcome."""

import json
from dataclasses import dataclass
from typing import Literal

# The demo's WATCH_GRACE_SECONDS: short, as its trainings are, so that it ends within half a minute.
GRACE_SECONDS = 6


@dataclass(frozen=True)
class Training:
    """A training that the group gets."""

    seconds: float
    outcome: Literal["succeeded", "failed"] = "succeeded"
    # Before its group is enqueued; later, when an older training has ended; or by the app, which was asked to train.
    submitted: Literal["before", "later", "app"] = "before"


@dataclass(frozen=True)
class Case:
    """A message that the demo enqueues, the state of its group, and the outcome that is expected."""

    form: str  # in few words, for the table
    body: str
    expected: str  # the outcome
    subject: str | None  # ``kind/groupId``; None for a body that names no group
    training: Training | None = None  # None too where another case has the group's training
    exists: bool = True  # whether the Face service has the group
    as_base64: bool = False
    correlation_id: str | None = None
    trained_after: str | None = None  # what the request demands
    is_cancelled: bool = False  # by the demo, once it is on record


def make_cases(trained_after: str) -> list[Case]:
    """Return the demo's cases. ``trained_after`` (RFC 3339) lies between an older training and the later one."""
    return [
        Case("ID", "employees", "succeeded", "largePersonGroup/employees", Training(3)),
        Case("ID, Base64", "visitors", "succeeded", "largePersonGroup/visitors", Training(8), as_base64=True),
        Case("ID, byte order mark", "\ufefftemps", "succeeded", "largePersonGroup/temps", Training(5)),
        Case("kind/ID", "personGroup/contractors", "succeeded", "personGroup/contractors", Training(11)),
        Case("kind/ID", "largeFaceList/door-cameras", "succeeded", "largeFaceList/door-cameras", Training(2)),
        Case("JSON", _json("alumni", kind="personGroup"), "succeeded", "personGroup/alumni", Training(6)),
        Case(
            "JSON, Base64",
            _json("gate-cameras", kind="largeFaceList"),
            "succeeded",
            "largeFaceList/gate-cameras",
            Training(9),
            as_base64=True,
        ),
        Case(
            "JSON, correlationId",
            _json("night-shift", correlationId="import-4711"),
            "succeeded",
            "largePersonGroup/night-shift",
            Training(4),
            correlation_id="import-4711",
        ),
        Case(
            "JSON, trainedAfter",
            _json("day-shift", trainedAfter=trained_after),
            "succeeded",
            "largePersonGroup/day-shift",
            Training(5, submitted="later"),
            trained_after=trained_after,
        ),
        Case(
            "JSON, train",
            _json("new-hires", train=True),
            "succeeded",
            "largePersonGroup/new-hires",
            Training(4, submitted="app"),
        ),
        Case("its training fails", "no-faces", "failed", "largePersonGroup/no-faces", Training(4, "failed")),
        Case("no such group", "personGroup/misspelt", "notFound", "personGroup/misspelt", exists=False),
        Case("never trained", "largeFaceList/untrained", "notTrained", "largeFaceList/untrained"),
        *_three_requests_for_one_group(trained_after),
        Case("cancelled", "interns", "cancelled", "largePersonGroup/interns", Training(60), is_cancelled=True),
        Case("no request", "Not a Group!", "rejected", None),
    ]


def _three_requests_for_one_group(trained_after: str) -> list[Case]:
    """Return three demands on one watch: this training's end, a newer one's, and one that the app starts."""
    group = "largePersonGroup/auditors"
    return [
        Case("the first of three", "auditors", "succeeded", group, Training(6)),
        Case(
            "… with trainedAfter",
            _json("auditors", trainedAfter=trained_after),
            "succeeded",
            group,
            trained_after=trained_after,
        ),
        Case("… with train", _json("auditors", train=True), "succeeded", group),
    ]


def _json(group_id: str, **fields: str | bool) -> str:
    return json.dumps({"groupId": group_id, **fields})
