"""Make calls within the shared budget, as one process of the app, and print how many as JSON.

Usage: caller.py CONNECTION_STRING ENDPOINT KEY MAX_TPS THREADS BEGIN END (the last two in seconds since 1970)
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from azure.data.tables import TableClient

from shared.budget.budget import Budget
from shared.budget.store import BudgetStore
from shared.storage import WATCH_TABLE

PATH = "face/v1.2-preview.1/largepersongroups/group/training"
_TIMEOUT_SECONDS = 30.0


def main(connection_string: str, endpoint: str, key: str, max_tps: str, threads: str, begin: str, end: str) -> None:
    """Make calls from ``begin`` to ``end`` in so many threads."""
    table = TableClient.from_connection_string(connection_string, WATCH_TABLE)
    budget = Budget(BudgetStore(table, "emulator"), max_tps=float(max_tps), poll_worth=1.0)
    session = requests.Session()
    session.trust_env = False
    session.headers["Ocp-Apim-Subscription-Key"] = key

    def call(_thread: int) -> tuple[int, int]:
        calls = throttled = 0
        time.sleep(max(0.0, float(begin) - time.time()))
        while time.time() < float(end):
            slot = budget.take()
            while not budget.wait(slot):
                time.sleep(budget.seconds_until(slot))
            response = session.get(f"{endpoint}/{PATH}", timeout=_TIMEOUT_SECONDS)
            calls += 1
            if response.status_code == requests.codes.too_many_requests:
                throttled += 1
                budget.throttled(slot, float(response.headers.get("Retry-After", "1")))
        return calls, throttled

    with ThreadPoolExecutor(int(threads)) as pool:
        made = list(pool.map(call, range(int(threads))))
    print(json.dumps({"calls": sum(calls for calls, _ in made), "throttled": sum(told for _, told in made)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
