"""A model of the service's listing of dynamic person groups, for tests that need no HTTP."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable

from shared.face.page import ListedGroup
from shared.snapshots.listing.pages import Page

ALPHABET = "-0123456789_abcdefghijklmnopqrstuvwxyz"


def line(group_id: str, **fields: object) -> bytes:
    """Return a group as the service answers it."""
    return json.dumps({"dynamicPersonGroupId": group_id, "name": "a name", **fields}, separators=(",", ":")).encode()


class DirectoryModel:
    """Keep groups and answer pages of them, ordered by `key`, at most `cap` at once whatever is asked for."""

    def __init__(
        self, ids: Iterable[str], *, cap: int = 1000, key: Callable[[str], str] = lambda group_id: group_id
    ) -> None:
        self._key = key
        self._cap = cap
        self.calls = 0
        self.groups = {group_id: line(group_id) for group_id in ids}
        self._order: list[str] | None = None

    def put(self, group_id: str) -> None:
        """Add a group."""
        self.groups[group_id] = line(group_id)
        self._order = None

    def remove(self, group_id: str) -> None:
        """Remove a group."""
        del self.groups[group_id]
        self._order = None

    def ids_behind(self, after: str, top: int) -> list[str]:
        """Return the IDs of the page behind a key."""
        self.calls += 1
        if self._order is None:
            self._order = sorted(self.groups, key=self._key)
        begin = bisect_right(self._order, self._key(after), key=self._key) if after else 0
        return self._order[begin : begin + min(top, self._cap)]

    def page(self, after: str, top: int) -> Page:
        """Return the page behind a key."""
        ids = self.ids_behind(after, top)
        lines = [self.groups[group_id] for group_id in ids]
        return Page(ids, lines, size=sum(map(len, lines)), calls=1, throttled=0)

    def dynamic_person_groups(self, start: str = "", top: int = 1000) -> list[ListedGroup]:
        """Answer as `FaceClient` does."""
        page = self.page(start, top)
        return [ListedGroup(*group) for group in zip(page.ids, page.lines, strict=True)]
