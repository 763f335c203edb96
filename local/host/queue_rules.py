"""The decisions of the host's queue listener (``QueueListener``, ``QueueProcessor`` in Azure/azure-sdk-for-net)."""

from enum import Enum, auto

# A message is hidden for this long when it is received, and again at each renewal.
LEASE_SECONDS = 600
RENEWAL_SECONDS = 300.0
MIN_RENEWAL_SECONDS = 60.0

POISON_SUFFIX = "-poison"
POISON_LIFE_SECONDS = 7 * 24 * 3600

MIN_POLLING_DELAY_SECONDS = 0.1
# The range of the random factor of a polling delay's growing part.
MIN_RANDOMNESS, MAX_RANDOMNESS = 0.8, 1.2


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
    """Return whether a message has been received too often to be tried again, also in a poison queue.

    There it stays hidden, again and again, until it expires (``QueueProcessor.BeginProcessingMessageAsync``).
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

    ``randomness`` is between 0.8 and 1.2. As in ``RandomizedExponentialBackoffStrategy``, the first delay is the
    minimum; the following ones add a part that doubles.
    """
    # Beyond 2³⁰ every maximum is long reached.
    growth = 0.0 if empty_polls == 1 else MIN_POLLING_DELAY_SECONDS * 2.0 ** min(empty_polls - 2, 30) * randomness
    return min(MIN_POLLING_DELAY_SECONDS + growth, maximum)


def renewal_delay(failures: int) -> float:
    """Return the seconds until the next renewal after so many in a row that failed (``LinearSpeedupStrategy``)."""
    return max(RENEWAL_SECONDS / 2.0 ** min(failures, 10), MIN_RENEWAL_SECONDS)
