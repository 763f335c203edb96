"""Points in time as the service writes them."""

from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000


def timestamp(nanoseconds: int, digits: int = 7) -> str:
    """Return a point in time (nanoseconds since 1970, UTC) in RFC 3339 with that many fraction digits, cut off."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    fraction = f"{rest:09d}"[:digits]
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"
