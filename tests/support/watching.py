"""The watch's jobs on real or doubled parts."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.face.client import FaceClient
from shared.face.models import GroupKind
from shared.training.cancel import Canceller
from shared.training.decide import Policy
from shared.training.messages import Encoding
from shared.training.poison import PoisonHandler
from shared.training.schedule import Bounds
from shared.training.step import StepTaker
from shared.training.store import WatchStore
from shared.training.tell import Teller
from shared.training.timer import Caretaker
from shared.training.watch import Watcher

POLICY = Policy(Bounds(1, 60), worth=1, timeout=21_600, grace=60)


@dataclass(frozen=True)
class Jobs:
    """All that one process does with watches."""

    store: WatchStore
    watcher: Watcher
    caretaker: Caretaker
    canceller: Canceller
    poison_handler: PoisonHandler


def watch_jobs(
    *,
    face: FaceClient,
    budget: Any,
    table: Any,
    queue: Any,
    results: Any,
    policy: Policy = POLICY,
    retention: timedelta = timedelta(days=30),
    encoding: Encoding = Encoding.AUTO,
    jitter: Callable[[], float] = random.random,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Jobs:
    """Return the jobs of one process on these parts."""
    store = WatchStore(table)
    teller = Teller(store, results, face.endpoint)
    steps = StepTaker(
        face=face,
        budget=budget,
        store=store,
        queue=queue,
        teller=teller,
        policy=policy,
        jitter=jitter,
        monotonic=monotonic,
    )
    kind = GroupKind.LARGE_PERSON_GROUP
    return Jobs(
        store=store,
        watcher=Watcher(
            store=store,
            teller=teller,
            steps=steps,
            default_kind=kind,
            encoding=encoding,
            jitter=jitter,
            sleep=sleep,
        ),
        caretaker=Caretaker(
            store=store, queue=queue, teller=teller, budget=budget, retention=retention, monotonic=monotonic
        ),
        canceller=Canceller(store=store, teller=teller, budget=budget, jitter=jitter, sleep=sleep),
        poison_handler=PoisonHandler(teller=teller, default_kind=kind, encoding=encoding),
    )
