"""The client of the emulator's control API."""

from types import TracebackType
from typing import Literal, Self

import msgspec
import requests

from local.face_emulator.control_api import PREFIX, FaultsOrder, GroupOrder, PlanOrder, Settings
from local.face_emulator.dynamic_groups import Change, Changed, Fill, Shape
from local.face_emulator.faults import AnyFault
from local.face_emulator.tally import Statistics
from local.face_emulator.trainings import Plan

TIMEOUT_SECONDS = 120.0


class ControlError(Exception):
    """The emulator's rejection of an order, with its message."""


class Control:
    """A client of the control API of the emulator at ``endpoint`` (``http://127.0.0.1:PORT``), with its token.

    Its methods raise ControlError where the emulator rejects an order, requests' exceptions where it does not respond.
    """

    def __init__(self, endpoint: str, token: str) -> None:
        self._address = endpoint.rstrip("/") + PREFIX
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy lies on the way to ourselves
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def reset(self) -> None:
        """Bring everything back to the state at the emulator's start."""
        self._order("POST", "/reset")

    def group(self, kind: str, group_id: str, *, train: bool = False) -> None:
        """Make a group of a kind (``largePersonGroup``) anew, and with ``train`` submit its training by its plan."""
        self._order("PUT", "/groups", GroupOrder(kind, group_id, train))

    def plan(
        self,
        kind: str | None = None,
        group_id: str | None = None,
        *,
        duration: float = 0.2,
        outcome: Literal["succeeded", "failed"] = "succeeded",
        message: str = "There is no person with faces in the group.",
        not_started: float = 0.0,
    ) -> None:
        """Plan the trainings of a group, or of all that have no plan of their own, that are submitted from now on.

        A training is ``not_started`` and then runs for ``duration`` (seconds); one that fails says ``message``.
        """
        self._order("PUT", "/plans", PlanOrder(Plan(duration, outcome, message, not_started), kind, group_id))

    def faults(self, *faults: AnyFault, seed: int = 0) -> None:
        """Replace the faults. With the same seed, the same requests get the same faults."""
        self._order("PUT", "/faults", FaultsOrder(list(faults), seed))

    def settings(self, *, requests_per_second: float | None = None, latency: float = 0.0) -> None:
        """Limit the requests per second (None: no limit), and take ``latency`` seconds for each response."""
        self._order("PUT", "/settings", Settings(requests_per_second, latency))

    def fill(self, count: int, *, shape: Shape = "uniform", user_data: int = 0, seed: int = 0) -> None:
        """Add so many dynamic person groups with ``user_data`` characters of user data each."""
        self._order("POST", "/fill", Fill(count, shape, user_data, seed))

    def change(self, *, added: int = 0, removed: int = 0, changed: int = 0, seed: int = 0) -> Changed:
        """Add, remove and change so many dynamic person groups, and return which."""
        response = self._order("POST", "/change", Change(added, removed, changed, seed))
        return msgspec.json.decode(response, type=Changed)

    def statistics(self) -> Statistics:
        """Return what was asked of the service since the last reset."""
        return msgspec.json.decode(self._order("GET", "/statistics"), type=Statistics)

    def _order(self, method: str, path: str, order: msgspec.Struct | None = None) -> bytes:
        body = msgspec.json.encode(order) if order else None
        response = self._session.request(method, self._address + path, data=body, timeout=TIMEOUT_SECONDS)
        if not response.ok:
            raise ControlError(response.text)
        return response.content
