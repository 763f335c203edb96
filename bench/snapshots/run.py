"""Make snapshots in this process, as the app does, and print what each took as a line of JSON.

Usage: run.py CONNECTION_STRING CONTAINER ENDPOINT KEY REQUESTS_PER_SECOND RUNS
"""

import json
import resource
import sys
import time

from azure.storage.blob import ContainerClient

from shared.face.budget import RequestBudget
from shared.face.client import ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.snapshots.snapshot import SnapshotJob

_KIB = 1024
_VERSION = "v1.2-preview.1"


class NotingBudget(RequestBudget):
    """Note the moments of the first call and of the last answer."""

    first_call: float | None = None
    last_answer = 0.0

    def wait_for_slot(self, patience: float) -> float:
        """Note when the first call is made."""
        slot = super().wait_for_slot(patience)
        self.first_call = slot if self.first_call is None else self.first_call
        return slot

    def answered(self) -> None:
        """Note when an answer has come."""
        self.last_answer = time.monotonic()
        super().answered()


def main(connection_string: str, container: str, endpoint: str, key: str, per_second: str, runs: str) -> None:
    """Print a line for each run: counts, seconds of the listing and of all, CPU seconds, peak memory in bytes."""
    blobs = ContainerClient.from_connection_string(connection_string, container)
    for _ in range(int(runs)):
        budget = NotingBudget(float(per_second))
        client = FaceClient(endpoint, KeyCredential(key), ApiVersions(_VERSION, _VERSION), budget=budget)
        began, cpu = time.monotonic(), time.process_time()
        manifest = SnapshotJob(client, blobs, include_user_data=True).run()
        if manifest is None or budget.first_call is None:
            raise RuntimeError("another run holds the lease")
        figures = {
            "groups": manifest.groups.count,
            "calls": manifest.calls,
            "listing_seconds": budget.last_answer - budget.first_call,
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
