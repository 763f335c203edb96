"""The resource's limit of requests per second."""

import math


class TokenBucket:
    """Lets `rate` requests a second pass, and as many at once after a pause. None lets all pass.

    Gateways count so: https://learn.microsoft.com/azure/api-management/rate-limit-policy (v2 tiers).
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = max(rate or 0.0, 1.0)
        self._filled_at = -math.inf

    def take(self, now: float) -> float:
        """Let a request pass at `now` (seconds, any clock): return 0, or the seconds until one would be let."""
        if self._rate is None:
            return 0.0
        capacity = max(self._rate, 1.0)
        self._tokens = min(capacity, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate
