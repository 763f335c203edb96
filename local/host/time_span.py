"""Times as .NET writes them."""

import re
from datetime import timedelta

from local.host.errors import SettingError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")


def parse_time_span(text: str, name: str) -> float:
    """Return the seconds of a .NET TimeSpan, ``[d.]hh:mm[:ss[.fffffff]]``.

    Raises:
        SettingError: the text, the value of the setting ``name``, is not a TimeSpan.
    """
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise SettingError(f"{name} is '{text}'; expected [days.]hours:minutes:seconds, like 00:00:30 or 1.12:00:00.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise SettingError(
            f"{name} is '{text}'; expected at most 23 hours, 59 minutes, 59 seconds: write days as 1.00:00:00."
        )
    fraction = float(f"0.{match[5] or 0}")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds() + fraction
