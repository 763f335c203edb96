"""A restore: the service surveyed, the plan made, carried out within the budget, and verified.

It keeps no state of its own. Whoever runs it again after a kill gets the plan of what is left, since a plan is always
the difference between the copy and the service as it is.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from shared.face.client import MAX_PAGE
from shared.face.errors import BadRequest, Conflict, GroupNotFound, UndocumentedNotFound
from shared.face.groups import GroupsClient
from shared.face.page import ListedGroup
from shared.snapshots.errors import RestoreFailed
from shared.snapshots.listing.pages import Retry
from shared.snapshots.restore.plan import Action, Lost, Options, Present, Wanted, plan, present

WORKERS = 16
_VERIFY_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""The service takes a moment for each change (an operation of a second or so); after that, it is as it will be."""

type Source = Callable[[], Iterator[tuple[str, Wanted]]]
"""Returns the copy's groups, ordered by ID, each time it is called."""


class Restore:
    """The restore of one copy; ``chosen`` are the groups to bring back, ``None`` for all."""

    def __init__(
        self,
        client: GroupsClient[Any],
        source: Source,
        options: Options,
        *,
        chosen: Collection[str] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._client = client
        self._source = source
        self._options = options
        self._chosen = chosen
        self._retry = retry or Retry()
        self.lost: list[Lost] = []  # what turned out to be lost while the plan was carried out

    def plan(self) -> list[Action | Lost]:
        """Survey the service, and return what there is to do and what cannot be brought back.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
        """
        wanted = self._wanted
        there = self._survey_chosen() if self._chosen is not None else self._survey()
        asked = {group_id for group_id, group in wanted() if group.persons is not None and group_id in there}
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="restore") as pool:
            for group_id, persons in _each(pool, sorted(asked), self._persons):
                there[group_id] = _with_persons(there[group_id], persons)
        return list(plan(wanted(), there, self._options))

    def apply(self, actions: Sequence[Action], done: Callable[[Action], None] = lambda _: None) -> None:
        """Carry a plan out, and call ``done`` after each call.

        Raises:
            FaceError: where the service refuses, or its troubles outlast the patience.
        """
        # A group must be there before its members are added.
        first = [action for action in actions if action.verb in ("make", "change")]
        then = [action for action in actions if action.verb not in ("make", "change")]
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="restore") as pool:
            for stage in (first, then):
                for action, _ in _each(pool, stage, self._carry_out):
                    done(action)

    def verify(self) -> None:
        """Plan once more: nothing may be left to do, but for what cannot be brought back.

        Raises:
            RestoreFailed: where the service does not become as the copy is.
            FaceError: where the service refuses, or its troubles outlast the patience.
        """
        gone = {(lost.group_id, lost.reason) for lost in self.lost}
        left: list[Action] = []
        for seconds in (0.0, *_VERIFY_SECONDS):
            time.sleep(seconds)
            left = [each for each in self.plan() if isinstance(each, Action) and not _is_known(each, gone)]
            if not left:
                return
        raise RestoreFailed(
            f"{len(left)} calls are still to be made after the restore; expected none. "
            "Somebody else may be changing the groups: run it again"
        )

    def _wanted(self) -> Iterator[tuple[str, Wanted]]:
        return ((group_id, group) for group_id, group in self._source() if self._is_chosen(group_id))

    def _is_chosen(self, group_id: str) -> bool:
        return self._chosen is None or group_id in self._chosen

    def _survey(self) -> dict[str, Present]:
        there: dict[str, Present] = {}
        start = ""
        while page := self._page(start):
            for group in page:
                there[group.group_id] = present(group.body or b"{}", with_user_data=self._options.with_user_data)
            if page[-1].group_id == start:
                raise RestoreFailed("the service's list does not go on; expected groups behind its cursor")
            start = page[-1].group_id
        return there

    def _page(self, start: str) -> list[ListedGroup]:
        return self._call(lambda: self._client.groups(self._options.kind, start, MAX_PAGE))

    def _survey_chosen(self) -> dict[str, Present]:
        there: dict[str, Present] = {}
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="restore") as pool:
            for group_id, body in _each(pool, sorted(self._chosen or ()), self._group):
                if body is not None:
                    there[group_id] = present(body, with_user_data=self._options.with_user_data)
        return there

    def _group(self, group_id: str) -> bytes | None:
        try:
            return self._call(lambda: self._client.group(self._options.kind, group_id))
        except GroupNotFound:
            return None

    def _persons(self, group_id: str) -> list[str]:
        return self._call(lambda: self._client.persons(group_id))[0]

    def _carry_out(self, action: Action) -> None:
        kind = self._options.kind
        try:
            match action.verb:
                case "make":
                    self._call(lambda: self._client.create(kind, action.group_id, action.body))
                case "delete":
                    self._call(lambda: self._client.delete(kind, action.group_id))
                case _:
                    self._call(lambda: self._client.update(kind, action.group_id, action.body))
        except Conflict:
            # A call whose response was lost has made it already; verifying tells.
            return
        except GroupNotFound:
            if action.verb != "delete":
                raise
        except (BadRequest, UndocumentedNotFound):
            if "addPersonIds" not in action.body:
                raise
            self._without_missing_persons(action)

    def _without_missing_persons(self, action: Action) -> None:
        """Make the call in halves, down to the persons that the service does not have any more."""
        if action.verb == "make":
            self._carry_out(Action("make", action.group_id, _without_persons(action)))
        elif len(action.persons) == 1:
            self.lost.append(Lost(action.group_id, f"the person {action.persons[0]}, who is not in the directory"))
            return
        middle = max(1, len(action.persons) // 2)
        for persons in (action.persons[:middle], action.persons[middle:]):
            if persons:
                self._carry_out(Action("addMembers", action.group_id, {"addPersonIds": persons}))

    def _call[T](self, make: Callable[[], T]) -> T:
        return self._retry.call(make)[0]


def _without_persons(action: Action) -> dict[str, str | tuple[str, ...]]:
    return {name: value for name, value in action.body.items() if name != "addPersonIds"}


def _with_persons(group: Present, persons: Iterable[str]) -> Present:
    return Present(group.digest, group.has_user_data, group.model, frozenset(persons))


def _is_known(action: Action, gone: Collection[tuple[str, str]]) -> bool:
    lost = {reason for group_id, reason in gone if group_id == action.group_id}
    persons = [f"the person {person_id}, who is not in the directory" for person_id in action.persons]
    return action.verb == "addMembers" and lost.issuperset(persons)


def _each[A, R](pool: ThreadPoolExecutor, items: Iterable[A], work: Callable[[A], R]) -> Iterator[tuple[A, R]]:
    """Yield each item with what the work on it brings, as it comes; a bounded number is under way."""
    under_way: dict[Future[R], A] = {}
    try:
        for item in items:
            under_way[pool.submit(work, item)] = item
            if len(under_way) >= 2 * WORKERS:
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    yield under_way.pop(future), future.result()
        while under_way:
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                yield under_way.pop(future), future.result()
    except BaseException:  # Ctrl-C as well: what is under way is finished, and nothing more is begun
        pool.shutdown(cancel_futures=True, wait=False)
        raise
