"""Stand between the code and the doubles: what happens at each outside call."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ServiceRequestError

from shared.face.errors import Unreachable
from tests.support.doubles.table import paged
from tests.unit.protocol.actors import current_actor, let_others_go_first
from tests.unit.protocol.faults import READS, Fault, faults_of, go_wrong

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
        result = make_call(self._world, self._target, "read_page", partial(self._target.read_page, *args))
        self._world.moments.read(result[0])
        return result

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if name not in _CALLS:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._world.moments.before(name, args)
            whole = partial(self._counted if name == "start_training" else member, *args, **kwargs)
            result = make_call(self._world, self._target, name, whole, seconds=kwargs.get("seconds"))
            self._world.moments.after(name, result)
            return result

        return call

    def _counted(self, kind: Any, group_id: str, **kwargs: Any) -> Any:
        self._world.moments.train_is_called(group_id)
        return self._target.start_training(kind, group_id, **kwargs)


def make_call(
    world: "World", target: object, name: str, call: Callable[[], Any], *, seconds: float | None = None
) -> Any:
    """Make an outside call: others may go first, the world may be disturbed, and the call may go wrong.

    ``seconds`` is its deadline: it is not made where the world has taken longer to let it through.
    """
    began = world.clock()
    if target is world.table or target is world.service:
        let_others_go_first()  # of what goes into a queue, nobody who runs now can learn
    if world.disturbances and world.disturb_before in (None, name) and world.schedule.choose(2):
        world.disturbances.pop(0)(world)
        learn(world, "disturbed")
    if world.outage is target:
        raise ServiceRequestError("it is out for longer")
    if seconds is not None and (world.clock() - began).total_seconds() > seconds:
        learn(world, "too late")
        raise Unreachable("no response in time")
    fault = _choose_fault(world, name)
    learn(world, fault)
    try:
        result = call() if fault is None else go_wrong(fault, call, of_service=target is world.service)
    except BaseException as error:
        learn(world, repr(error))
        raise
    finally:
        if name not in READS:
            world.moments.check_record()
    learn(world, result)
    return result


def learn(world: "World", fact: object) -> None:
    """Note what the actor that runs has learned; of a token, only whose it is."""
    actor = current_actor()
    if actor is None:
        return
    if isinstance(fact, tuple):  # a page of a query
        fact = [(row, row.metadata["etag"]) for row in fact[0]]
    text = repr(fact)
    for token, name in world.moments.tokens.items():
        text = text.replace(token, name)
    actor.learn(text)


def _choose_fault(world: "World", name: str) -> Fault | None:
    if not world.faults:
        return None
    faults = faults_of(name, few=current_actor() is not None)
    choice = world.schedule.choose(1 + len(faults))
    if not choice:
        return None
    world.faults -= 1
    world.spent.append(faults[choice - 1])
    return faults[choice - 1]
