"""Disturb the record: cancel requests, and plant a row that cannot be read."""

import random as lots
import time
from collections.abc import Mapping
from random import Random

import msgspec

from bench.chaos.trainings import Group
from bench.chaos.verdict import Asked
from local.stack import Stack
from shared.budget.budget import Budget
from shared.budget.store import BudgetStore
from shared.training.cancel import Canceller
from shared.training.store import WatchStore
from shared.training.tell import Teller

CANCELLED_SHARE = 0.03
PLANTED = "20261120T100000Z-planted"


def plant_unreadable(stack: Stack, group: Group) -> dict[str, Asked]:
    """Put an open request on record that cannot be read; return what is to become of it."""
    row = {"PartitionKey": f"{group.kind.value}:{group.group_id}", "RowKey": f"open!{PLANTED}", "insertedAt": "never"}
    stack.storage.watch_table.upsert_entity(row)
    return {PLANTED.partition("Z-")[2]: Asked(group.name, unreadable=True)}


def cancel_some(stack: Stack, asked: Mapping[str, Asked], random: Random) -> dict[str, Asked]:
    """Cancel a few open requests, as the command line does; return them as asked to be cancelled."""
    store = WatchStore(stack.storage.watch_table)
    canceller = Canceller(
        store=store,
        teller=Teller(store, stack.storage.results_queue, stack.face.endpoint),
        budget=Budget(BudgetStore(stack.storage.watch_table, "chaos"), max_tps=1, poll_worth=1),
        jitter=lots.random,
        sleep=time.sleep,
    )
    cancelled = {}
    for live in list(store.live()):
        for request in store.read(live.group).open:
            message_id = request.request_id.partition("Z-")[2]
            if not request.unreadable and random.random() < CANCELLED_SHARE:
                canceller.cancel(live.group, request.request_id)
                cancelled[message_id] = msgspec.structs.replace(asked[message_id], cancelled=True)
    return cancelled
