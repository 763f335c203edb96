"""Schedules in NCRONTAB, as the Functions host's timer reads them, UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from datetime import UTC, datetime

_NAMES = (
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(tember)?|oct(ober)?|nov(ember)?|dec(ember)?"
    "|sun(day)?|mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?"
)
_VALUE = rf"(\d{{1,2}}|{_NAMES})"
_PART = rf"(\*|{_VALUE}(-{_VALUE})?)(/\d{{1,2}})?"
# Five fields leave out the seconds. croniter takes more: L, #, ?, R, H, 7 for Sunday, @daily.
_FORM = re.compile(rf"{_PART}(,{_PART})*( +{_PART}(,{_PART})*){{4,5}}", re.ASCII | re.IGNORECASE)
_SUNDAY_AS_7 = re.compile(r"(?:.*[ ,-])?7(?![0-9])[^ ]*", re.ASCII)


def next_time(schedule: str, after: datetime) -> datetime:
    """Return the first of a schedule's times after a moment.

    Raises:
        ValueError: it is not a schedule that the host's timer reads, or it never comes.
    """
    from croniter import croniter

    if not _FORM.fullmatch(schedule) or _SUNDAY_AS_7.fullmatch(schedule):
        raise ValueError("not NCRONTAB")
    short_names = re.sub(r"([A-Za-z]{3})[A-Za-z]*", r"\1", schedule)
    # Where both day and day of the week are limited, the host wants both.
    times = croniter(short_names, after, ret_type=datetime, second_at_beginning=True, day_or=False)
    following: datetime = times.get_next()
    return following


def is_schedule(text: str) -> bool:
    """Tell whether the host's timer reads a text as a schedule that comes at least once."""
    try:
        next_time(text, datetime.now(UTC))
    except ValueError:
        return False
    return True
