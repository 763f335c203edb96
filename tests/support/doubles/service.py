"""Model the Face service: groups whose trainings take a set time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.face.errors import Conflict, FaceError, GroupNotFound, NotTrained
from shared.face.models import GroupKind, Training, TrainingStatus
from shared.face.timestamps import format_utc
from tests.support.doubles.clock import VirtualClock

ENDPOINT = "https://face.example.cognitiveservices.azure.com"


@dataclass
class ModelTraining:
    created: datetime
    seconds: float
    message: str | None = None

    @property
    def ends(self) -> datetime:
        return self.created + timedelta(seconds=self.seconds)


@dataclass
class ModelService:
    """Respond as ``FaceClient`` does; ``trainings`` holds each group's, newest last.

    ``trouble`` is raised by each call while it is set, ``train_trouble`` by those that ask for a training.
    """

    clock: VirtualClock
    seconds: float = 2.5
    trainings: dict[str, list[ModelTraining]] = field(default_factory=dict)
    trouble: FaceError | None = None
    train_trouble: FaceError | None = None
    endpoint: str = ENDPOINT

    def add_group(self, group_id: str) -> None:
        self.trainings[group_id] = []

    def begin(self, group_id: str, seconds: float | None = None, message: str | None = None) -> ModelTraining:
        """Begin a training as if somebody else had asked for it."""
        training = ModelTraining(self.clock(), self.seconds if seconds is None else seconds, message)
        self.trainings.setdefault(group_id, []).append(training)
        return training

    def standing(self, group_id: str) -> ModelTraining | None:
        """Return a group's newest training."""
        trainings = self.trainings.get(group_id)
        return trainings[-1] if trainings else None

    def training(self, kind: GroupKind, group_id: str, *, seconds: float | None = None) -> TrainingStatus:  # noqa: ARG002
        if self.trouble is not None:
            raise self.trouble
        name = f"{kind[0].upper()}{kind[1:]}"
        if group_id not in self.trainings:
            raise GroupNotFound("the group is not there", status=404, code=f"{name}NotFound")
        latest = self.standing(group_id)
        if latest is None:
            raise NotTrained("the group was never trained", status=404, code=f"{name}NotTrained")
        ended = self.clock() >= latest.ends
        succeeded = [each for each in self.trainings[group_id] if each.message is None and each.ends <= self.clock()]
        training = Training(
            status=("failed" if latest.message else "succeeded") if ended else "running",
            created_date_time=format_utc(latest.created),
            last_action_date_time=format_utc(latest.ends if ended else latest.created),
            last_successful_training_date_time=format_utc(succeeded[-1].ends) if succeeded else None,
            message=latest.message if ended else None,
        )
        return TrainingStatus(training, date=self.clock().replace(microsecond=0))

    def start_training(self, kind: GroupKind, group_id: str, *, seconds: float | None = None) -> None:  # noqa: ARG002
        latest = self.standing(group_id)
        trouble = self.train_trouble or self.trouble
        if trouble is not None:
            raise trouble
        if group_id not in self.trainings:
            raise GroupNotFound("the group is not there", status=404, code=f"{kind}NotFound")
        if latest is not None and self.clock() < latest.ends:
            raise Conflict("a training is under way", status=409, code="ConcurrentOperationConflict")
        self.begin(group_id)
