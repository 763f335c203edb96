"""Model an Event Grid topic, behind its client."""

import json
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import HttpResponseError

from tests.support.doubles.errors import failed_with


class ModelTopic:
    """Take events as ``EventGridPublisherClient`` does.

    ``trouble`` is raised by each call while it is set. Events of the IDs ``bad`` are refused, and those beside them.
    """

    def __init__(self) -> None:
        self.calls: list[list[str]] = []  # the IDs of each call's events
        self.taken: list[str] = []  # events, as JSON
        self.trouble: Exception | None = None
        self.bad: set[str] = set()

    def send(self, events: Sequence[dict[str, Any]], **_: Any) -> None:
        self.calls.append([each["id"] for each in events])
        if self.trouble is not None:
            raise self.trouble
        if self.bad.intersection(self.calls[-1]):
            raise failed_with(HttpResponseError, "BadRequest", 400)
        self.taken += [json.dumps(each) for each in events]
