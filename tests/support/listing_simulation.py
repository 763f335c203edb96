"""A listing in virtual time: pages that take so long, within so many calls a second, and nothing that really waits."""

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from random import Random

import msgspec

from shared.snapshots.listing.by_ranges import FIRST_CALLS, WORKERS
from shared.snapshots.listing.coverage import Call, Coverage
from shared.snapshots.listing.splitting import Splitter

TOP = 1_000
_TICK = 0.05  # seconds after which another guess may be worth its call
_LATE_SECONDS = (0.005, 0.05)
"""How much longer than its latency a page takes on real parts: a thread, a connection, the parsing."""
_LEARN_SECONDS = (0.0, 0.02)
"""How long after a page has come the listing learns of it, there."""


class Listed(msgspec.Struct, frozen=True):
    """What a listing took."""

    calls: int
    seconds: float  # from the first call to the last response


def simulate(
    ids: Sequence[str],
    starts: Sequence[str],
    *,
    per_second: float | None,
    latency: float,
    jitter: Random | None = None,
) -> Listed:
    """List the IDs, and return what that took; ``per_second`` None is no limit.

    With ``jitter`` the pages are late, and come in another order than that of their calls, as on real parts.
    """
    coverage = Coverage(Splitter(TOP, starts))
    under_way: list[tuple[float, int, float, Call]] = []  # when the listing learns of the page, and when that came
    begun: dict[int, float] = {}
    now = next_slot = last = 0.0
    calls = listed = 0
    while not coverage.finished or under_way:
        most = WORKERS if starts or listed else FIRST_CALLS
        while len(under_way) < most and next_slot <= now:
            known = latency if listed else now - min(begun.values(), default=now)
            call = coverage.next_call(known)
            if call is None:
                break
            next_slot = now + (1 / per_second if per_second else 0.0)
            calls += 1
            begun[calls] = now
            came = now + latency + (jitter.uniform(*_LATE_SECONDS) if jitter else 0.0)
            learnt = came + (jitter.uniform(*_LEARN_SECONDS) if jitter else 0.0)
            heapq.heappush(under_way, (learnt, calls, came, call))
        moments = [learnt for learnt, _, _, _ in under_way[:1]]
        if len(under_way) < most:
            moments.append(next_slot if next_slot > now else now + _TICK)
        now = min(moments)
        while under_way and under_way[0][0] <= now:
            _, number, came, call = heapq.heappop(under_way)
            del begun[number]
            first = bisect_right(ids, call.after)
            kept = coverage.page_arrived(call, ids[first : first + TOP])
            listed += kept.end - kept.begin
            last = max(last, came)
    assert listed == len(ids)
    return Listed(calls, last)
