"""Trainings. Nothing runs: a training's status is computed from its plan and the clock."""

import uuid
from dataclasses import dataclass
from typing import Literal

import msgspec

from local.face_emulator.clock import NANOSECONDS, timestamp
from local.face_emulator.kinds import Kind


class Plan(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The course of a training."""

    duration: float = 0.2  # seconds that it runs; the recorded one took as long
    outcome: Literal["succeeded", "failed"] = "succeeded"
    message: str = "There is no person with faces in the group."  # of one that failed
    not_started: float = 0.0  # seconds before it runs


class TrainingResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body of a training status. As recorded, it lacks fields that do not apply; documents show them as null."""

    status: str
    created_date_time: str
    last_action_date_time: str
    last_successful_training_id: str | None = None
    last_successful_training_date_time: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Success:
    """A training that succeeded."""

    training_id: str
    ended: int  # nanoseconds since 1970


@dataclass(frozen=True)
class Training:
    """A training that was submitted."""

    training_id: str
    submitted: int  # nanoseconds since 1970
    plan: Plan
    previous_success: Success | None

    @property
    def begins(self) -> int:
        """The time at which it begins to run, in nanoseconds since 1970."""
        return self.submitted + int(self.plan.not_started * NANOSECONDS)

    @property
    def ends(self) -> int:
        """The time at which it ends, in nanoseconds since 1970."""
        return self.begins + int(self.plan.duration * NANOSECONDS)


def submit(plan: Plan, now: int, previous: Training | None) -> Training:
    """Return a training that is submitted ``now``, after the ``previous`` one has ended."""
    return Training(str(uuid.uuid4()), now, plan, last_success(previous, now) if previous else None)


def last_success(training: Training, now: int) -> Success | None:
    """Return the newest success of the group as of ``now``."""
    if now >= training.ends and training.plan.outcome == "succeeded":
        return Success(training.training_id, training.ends)
    return training.previous_success


def observe(training: Training, kind: Kind, now: int) -> TrainingResult:
    """Return what the service says of the training ``now``."""
    # Recorded: person groups cut after microseconds and name the training that succeeded.
    digits = 6 if kind.older_backend else 7
    ended = now >= training.ends
    success = last_success(training, now)
    return TrainingResult(
        status=_status(training, now),
        created_date_time=timestamp(training.submitted, digits),
        last_action_date_time=timestamp(training.ends if ended else training.submitted, digits),
        last_successful_training_id=success.training_id if success and kind.older_backend else None,
        last_successful_training_date_time=timestamp(success.ended, digits) if success else None,
        message=training.plan.message if ended and training.plan.outcome == "failed" else None,
    )


def _status(training: Training, now: int) -> str:
    if now < training.begins:
        return "notStarted"
    return "running" if now < training.ends else training.plan.outcome
