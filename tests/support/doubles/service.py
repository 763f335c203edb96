"""Model the Face service: groups whose trainings take a set time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.face.errors import Conflict, GroupNotFound, NotTrained
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
    """Answer as ``FaceClient`` does; ``trainings`` holds each group's, newest last."""

    clock: VirtualClock
    seconds: float = 2.5
    trainings: dict[str, list[ModelTraining]] = field(default_factory=dict)
    endpoint: str = ENDPOINT

    def add_group(self, group_id: str) -> None:
        self.trainings[group_id] = []

    def begin(self, group_id: str, seconds: float | None = None, message: str | None = None) -> ModelTraining:
        """Begin a training as if somebody else had asked for it."""
        training = ModelTraining(self.clock(), self.seconds if seconds is None else seconds, message)
        self.trainings.setdefault(group_id, []).append(training)
        return training

    def training(self, kind: GroupKind, group_id: str) -> TrainingStatus:
        name = f"{kind[0].upper()}{kind[1:]}"
        if group_id not in self.trainings:
            raise GroupNotFound("the group is not there", status=404, code=f"{name}NotFound")
        if not self.trainings[group_id]:
            raise NotTrained("the group was never trained", status=404, code=f"{name}NotTrained")
        latest = self.trainings[group_id][-1]
        running = self.clock() < latest.ends
        ended = "failed" if latest.message else "succeeded"
        training = Training(
            status="running" if running else ended,
            created_date_time=format_utc(latest.created),
            last_action_date_time=format_utc(latest.created if running else latest.ends),
            message=None if running else latest.message,
        )
        return TrainingStatus(training, date=self.clock())

    def start_training(self, kind: GroupKind, group_id: str) -> None:
        if group_id not in self.trainings:
            raise GroupNotFound("the group is not there", status=404, code=f"{kind}NotFound")
        if self.trainings[group_id] and self.clock() < self.trainings[group_id][-1].ends:
            raise Conflict("a training is under way", status=409, code="ConcurrentOperationConflict")
        self.begin(group_id)
