"""``/api/health``: what works, what does not, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import msgspec
from azure.core.exceptions import AzureError

from shared.api.responses import Response, json_response
from shared.budget.budget import Budget
from shared.face.client import FaceClient
from shared.face.errors import FaceError, Throttled
from shared.face.page import ListedKind
from shared.redaction import describe

FACE_SECONDS = 60.0
"""How long the result of a call to the Face service holds: each call is billed, and takes a slot of the budget."""


class Check(msgspec.Struct, frozen=True):
    """What was found of one part that the jobs need."""

    name: str
    healthy: bool
    reason: str | None = None  # why it is not healthy, or was not checked


@dataclass
class FaceCheck:
    """Whether the Face service takes the app's calls; asked at most once a minute a process."""

    face: FaceClient
    budget: Budget
    monotonic: Callable[[], float]  # seconds that only grow
    _known: Check | None = None
    _known_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> Check:
        """Return the result, an older one within ``FACE_SECONDS``."""
        with self._lock:
            if self._known is None or self.monotonic() - self._known_at > FACE_SECONDS:
                self._known, self._known_at = self._ask(), self.monotonic()
            return self._known

    def _ask(self) -> Check:
        slot = self.budget.take()
        if not self.budget.wait(slot):
            return Check("face", healthy=True, reason="not checked: the budget of calls is used up for now")
        try:
            self.face.groups(ListedKind.LARGE_PERSON_GROUP, top=1)
        except Throttled as error:
            self.budget.throttled(slot, error.wait)
            return Check("face", healthy=True, reason=str(error))
        except FaceError as error:
            return Check("face", healthy=False, reason=str(error))
        return Check("face", healthy=True)


def check(name: str, work: Callable[[], object]) -> Check:
    """Return whether some work on the storage succeeds."""
    try:
        work()
    except AzureError as error:
        return Check(name, healthy=False, reason=describe(error))
    return Check(name, healthy=True)


def health(checks: Sequence[Callable[[], Check]]) -> Response:
    """Return the results of all checks: 200 where every job can run, else 503."""
    results = [each() for each in checks]
    healthy = all(each.healthy for each in results)
    content = {"status": "healthy" if healthy else "unhealthy", "checks": results}
    return json_response(content, 200 if healthy else 503, {"Cache-Control": "no-store"})
