"""Let the handlers of one process take turns for a group."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Condition

MAX_TOGETHER = 40
"""How many items are handled at once: what they change has to fit one transaction of the table."""


@dataclass(eq=False)
class _Ticket[Item]:
    """An item that waits for its turn."""

    item: Item
    together: Hashable  # items that have the same are handled at once; ``None``: each alone
    done: bool = False
    error: BaseException | None = None


class Turns[Item]:
    """Turns by key. Who waits behind another is handled together with all that wait likewise."""

    def __init__(self, work: Callable[[Sequence[Item]], None]) -> None:
        self._work = work
        self._changed = Condition()
        self._busy: set[Hashable] = set()
        self._lines: dict[Hashable, list[_Ticket[Item]]] = {}

    def take(self, key: Hashable, item: Item, *, together: Hashable) -> None:
        """Return when the item has been handled, by this thread or another; raise what its handling raised.

        No two items of one key are handled at the same time, but for those that are handled at once.
        """
        ticket = _Ticket(item, together)
        with self._changed:
            self._lines.setdefault(key, []).append(ticket)
            while key in self._busy and not ticket.done:
                self._changed.wait()
            batch = [] if ticket.done else self._begin(key, ticket)
        if batch:
            try:
                self._work([each.item for each in batch])
            except BaseException as error:
                self._end(key, batch, error)
                raise
            self._end(key, batch, None)
        elif ticket.error is not None:
            raise ticket.error

    def _begin(self, key: Hashable, ticket: _Ticket[Item]) -> list[_Ticket[Item]]:
        self._busy.add(key)
        line = self._lines[key]
        alike = [each for each in line if each is not ticket and each.together == ticket.together]
        batch = [ticket] if ticket.together is None else [ticket, *alike][:MAX_TOGETHER]
        self._lines[key] = [each for each in line if each not in batch]
        return batch

    def _end(self, key: Hashable, batch: Sequence[_Ticket[Item]], error: BaseException | None) -> None:
        with self._changed:
            for each in batch:
                each.done, each.error = True, error
            self._busy.discard(key)
            if not self._lines[key]:
                del self._lines[key]
            self._changed.notify_all()
