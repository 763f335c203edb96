"""A listing in virtual time: pages that take so long, within so many calls a second, and nothing that really waits."""

import heapq
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from shared.snapshots.listing.by_ranges import FIRST_CALLS, WORKERS
from shared.snapshots.listing.coverage import Call, Coverage
from shared.snapshots.listing.splitting import Splitter

TOP = 1_000
_TICK = 0.05  # seconds after which another guess may be worth its call


class Listed(msgspec.Struct, frozen=True):
    """What a listing took."""

    calls: int
    seconds: float  # from the first call to the last response


def simulate(ids: Sequence[str], starts: Sequence[str], *, per_second: float | None, latency: float) -> Listed:
    """List the IDs, and return what that took; ``per_second`` None is no limit."""
    coverage = Coverage(Splitter(TOP, starts))
    under_way: list[tuple[float, int, Call]] = []
    now = next_slot = last = 0.0
    calls = listed = 0
    while not coverage.finished or under_way:
        most = WORKERS if starts or listed else FIRST_CALLS
        while len(under_way) < most and next_slot <= now:
            oldest = min((ended - latency for ended, _, _ in under_way), default=now)
            known = latency if listed else now - oldest
            call = coverage.next_call(known)
            if call is None:
                break
            slot = max(now, next_slot)
            next_slot = slot + (1 / per_second if per_second else 0.0)
            calls += 1
            heapq.heappush(under_way, (slot + latency, calls, call))
        moments = [ended for ended, _, _ in under_way[:1]]
        if len(under_way) < most:
            moments.append(next_slot if next_slot > now else now + _TICK)
        now = min(moments)
        while under_way and under_way[0][0] <= now:
            _, _, call = heapq.heappop(under_way)
            first = bisect_right(ids, call.after)
            kept = coverage.page_arrived(call, ids[first : first + TOP])
            listed += kept.end - kept.begin
            last = now
    assert listed == len(ids)
    return Listed(calls, last)
