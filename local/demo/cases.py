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
    training: Training | None = None
    exists: bool = True  # whether the Face service has the group
    as_base64: bool = False
    late: bool = False  # enqueued once the others are watched
    correlation_id: str | None = None


def make_cases(trained_after: str) -> list[Case]:
    """Return the demo's cases. ``trained_after`` (RFC 3339) lies between an older training and the later one."""
    twice = Case("enqueued twice", "auditors", "superseded", "largePersonGroup/auditors", Training(14))
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
        twice,
        Case(twice.form, twice.body, "succeeded", twice.subject, late=True),
        Case("no request", "Not a Group!", "rejected", None),
    ]


def _json(group_id: str, **fields: str | bool) -> str:
    return json.dumps({"groupId": group_id, **fields})
