"""What the world around does in the midst of a call."""

from collections.abc import Callable

from tests.unit.protocol.world import GROUP, World


def ask_again(world: World) -> None:
    """Enqueue a request."""
    world.clock.advance(1)
    world.enqueue()


def ask_for_training(world: World) -> None:
    """Enqueue a request for a training of the app's own."""
    world.clock.advance(1)
    world.enqueue(train=True)


def begin_training(world: World) -> None:
    """Begin a training as somebody else may at any time when none is under way."""
    standing = world.service.standing(GROUP)
    if standing is None or standing.ends <= world.clock():
        world.clock.advance(1)
        world.service.begin(GROUP)


def recover(world: World) -> None:
    """Let the service work again."""
    world.service.trouble = world.service.train_trouble = None


def let_pass(seconds: float) -> Callable[[World], None]:
    """Let a call begin so many seconds late."""
    return lambda world: world.clock.advance(seconds)
