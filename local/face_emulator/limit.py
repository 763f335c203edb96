"""The resource's limit of requests per second."""

import math


class TokenBucket:
    """A limit of ``rate`` requests a second, and as many at once after a pause; None is no limit.

    Gateways count so: https://learn.microsoft.com/azure/api-management/rate-limit-policy (v2 tiers).
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = max(rate or 0.0, 1.0)
        self._filled_at = -math.inf

    def take(self, now: float) -> float:
        """Return 0 and let a request pass at ``now`` (seconds, any clock), or return the seconds until one may pass."""
        if self._rate is None:
            return 0.0
        capacity = max(self._rate, 1.0)
        self._tokens = min(capacity, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate
