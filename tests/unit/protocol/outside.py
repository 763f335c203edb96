"""Stand between the code and a double: each of its calls goes through the world."""

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.doubles.table import paged

if TYPE_CHECKING:
    from tests.unit.protocol.world import World

_CALLS = {
    "create_entity", "upsert_entity", "update_entity", "delete_entity", "submit_transaction", "get_entity",
    "send_message", "delete_message",
    "training", "start_training",
}  # fmt: skip


class Outside:
    """A double, with the world around each call to it."""

    def __init__(self, target: Any, world: "World") -> None:
        self._target = target
        self._world = world

    def query_entities(
        self, query_filter: str, *, parameters: Any = None, select: Any = None, results_per_page: int | None = None
    ) -> Any:
        """Return a query whose every page is a call of its own."""
        return paged(self._read_page, query_filter, parameters, select, results_per_page)

    def _read_page(self, *args: Any) -> Any:
        answer = self._world.around(self._target, "read_page", partial(self._target.read_page, *args))
        self._world.moments.read(answer[0])
        return answer

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if name not in _CALLS:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._world.moments.before(name, args)
            whole = partial(self._counted if name == "start_training" else member, *args, **kwargs)
            answer = self._world.around(self._target, name, whole, seconds=kwargs.get("seconds"))
            self._world.moments.after(name, answer)
            return answer

        return call

    def _counted(self, kind: Any, group_id: str, **kwargs: Any) -> Any:
        self._world.moments.train_is_called(group_id)
        return self._target.start_training(kind, group_id, **kwargs)
