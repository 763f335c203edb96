"""Items by ID, listed in ordinal order from a cursor."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping


class Collection[T]:
    """Items by ID, for a million items that are listed often and changed rarely."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._items: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def get(self, item_id: str) -> T | None:
        """Return the item, or None."""
        return self._items.get(item_id)

    def put(self, item_id: str, item: T) -> None:
        """Add an item, or replace the one of this ID."""
        if item_id not in self._items:
            insort(self._ids, item_id)
        self._items[item_id] = item

    def put_all(self, items: Mapping[str, T]) -> None:
        """Add or replace many items at once."""
        self._items.update(items)
        self._ids = sorted(self._items)

    def remove(self, item_id: str) -> bool:
        """Remove the item, and return whether it was there."""
        if self._items.pop(item_id, None) is None:
            return False
        del self._ids[bisect_left(self._ids, item_id)]
        return True

    def remove_all(self, item_ids: Iterable[str]) -> None:
        """Remove many items at once.

        Raises:
            KeyError: one does not exist.
        """
        for item_id in item_ids:
            del self._items[item_id]
        self._ids = sorted(self._items)

    def ids(self) -> list[str]:
        """Return all IDs in ordinal order."""
        return list(self._ids)

    def page(self, start: str, top: int) -> list[T]:
        """Return up to ``top`` items whose IDs are greater than ``start``, in ordinal order."""
        first = bisect_right(self._ids, start)
        items = self._items
        return [items[item_id] for item_id in self._ids[first : first + top]]
