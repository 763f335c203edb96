"""Make snapshots in this process, as the app does, and print what each took as a line of JSON.

Usage: run.py CONNECTION_STRING CONTAINER ENDPOINT KEY REQUESTS_PER_SECOND RUNS
"""

import json
import resource
import sys
import time
import uuid

from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from bench.snapshots.stage import NO_LIMIT
from shared.budget.budget import Budget
from shared.budget.row import Slot
from shared.budget.store import BudgetStore
from shared.face.client import MAX_PAGE, ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.face.groups import GroupsClient
from shared.face.page import ListedGroup, ListedKind
from shared.snapshots.pace import BulkPace
from shared.snapshots.snapshot import SnapshotJob

_KIB = 1024
_VERSION = "v1.2-preview.1"


class Noting:
    """A pace that notes the moments of the first call and of the last response."""

    first_call: float | None = None

    def __init__(self, pace: BulkPace | None) -> None:
        self._pace = pace

    def take(self) -> Slot | None:
        """Return once a call may be made; at once without a limit."""
        slot = self._pace.take() if self._pace else None
        self.first_call = self.first_call or time.monotonic()
        return slot

    def throttled(self, slot: Slot | None, wait: float | None) -> None:
        """Hand a 429 on to the budget."""
        if self._pace and slot:
            self._pace.throttled(slot, wait)

    def keep_slot(self) -> float:
        """Keep a slot for a call that is about to be made; return 0, or the seconds until one can be kept."""
        return self._pace.keep_slot() if self._pace else 0.0


class NotingClient(GroupsClient[Slot | None]):
    """A client that notes the moment of the last response."""

    last_response = 0.0

    def groups(self, kind: ListedKind, start: str = "", top: int = MAX_PAGE) -> list[ListedGroup]:
        """Return a page, and note when it came."""
        page = super().groups(kind, start, top)
        self.last_response = time.monotonic()
        return page


def _pace(connection_string: str, per_second: float) -> BulkPace | None:
    """Return the app's own budget, in a table of its own; ``None`` for no limit."""
    if per_second >= NO_LIMIT:
        return None
    table = TableServiceClient.from_connection_string(connection_string).create_table_if_not_exists("bench")
    return BulkPace(Budget(BudgetStore(table, uuid.uuid4().hex), max_tps=per_second, poll_worth=1.0))


def main(connection_string: str, container: str, endpoint: str, key: str, per_second: str, runs: str) -> None:
    """Print a line for each run: counts, seconds of the listing and of all, CPU seconds, peak memory in bytes."""
    blobs = ContainerClient.from_connection_string(connection_string, container)
    for _ in range(int(runs)):
        pace = Noting(_pace(connection_string, float(per_second)))
        client = NotingClient(FaceClient(endpoint, KeyCredential(key), ApiVersions(_VERSION, _VERSION)), pace)
        began, cpu = time.monotonic(), time.process_time()
        manifest = SnapshotJob(client, blobs, include_user_data=True).run()
        if manifest is None or pace.first_call is None:
            raise RuntimeError("another run holds the lease")
        figures = {
            "groups": manifest.groups.count,
            "calls": manifest.calls,
            "listing_seconds": client.last_response - pace.first_call,
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
