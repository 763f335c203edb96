"""The decisions of the host's queue listener (`QueueListener`, `QueueProcessor` in Azure/azure-sdk-for-net)."""

from enum import Enum, auto

# A message is hidden for this long when it is received, and again at each renewal.
LEASE_SECONDS = 600
RENEWAL_SECONDS = 300.0
MINIMUM_RENEWAL_SECONDS = 60.0

POISON_SUFFIX = "-poison"
POISON_LIFE_SECONDS = 7 * 24 * 3600

MINIMUM_POLLING_DELAY_SECONDS = 0.1
# How far chance moves the growing part of a polling delay.
LEAST_RANDOMNESS, MOST_RANDOMNESS = 0.8, 1.2


class Completion(Enum):
    """What becomes of a message."""

    DELETE = auto()
    RELEASE = auto()
    MOVE_TO_POISON = auto()
    LEAVE_HIDDEN = auto()


def poison_queue_of(queue_name: str) -> str | None:
    """Return the name of a queue's poison queue; a poison queue has none."""
    return None if queue_name.endswith(POISON_SUFFIX) else queue_name + POISON_SUFFIX


def is_spent(dequeue_count: int, *, max_dequeue_count: int) -> bool:
    """Tell whether a message has been received too often to be tried once more, also in a poison queue.

    There it only stays hidden, again and again, until its life is over (`QueueProcessor.BeginProcessingMessageAsync`).
    """
    return dequeue_count > max_dequeue_count


def complete(*, succeeded: bool, dequeue_count: int, max_dequeue_count: int, has_poison_queue: bool) -> Completion:
    """Return what becomes of a message whose function has ended."""
    if succeeded:
        return Completion.DELETE
    if not has_poison_queue:
        return Completion.LEAVE_HIDDEN
    return Completion.MOVE_TO_POISON if dequeue_count >= max_dequeue_count else Completion.RELEASE


def polling_delay(empty_polls: int, *, maximum: float, randomness: float) -> float:
    """Return the seconds to wait after so many polls in a row (1, 2, …) that brought nothing.

    `randomness` lies between 0.8 and 1.2. As `RandomizedExponentialBackoffStrategy` does it: first the minimum, then
    the minimum and a part that doubles.
    """
    # Beyond 2³⁰ every maximum is long reached.
    growth = 0.0 if empty_polls == 1 else MINIMUM_POLLING_DELAY_SECONDS * 2.0 ** min(empty_polls - 2, 30) * randomness
    return min(MINIMUM_POLLING_DELAY_SECONDS + growth, maximum)


def renewal_delay(failures: int) -> float:
    """Return the seconds until the next renewal after so many in a row that failed (`LinearSpeedupStrategy`)."""
    return max(RENEWAL_SECONDS / 2.0 ** min(failures, 10), MINIMUM_RENEWAL_SECONDS)
