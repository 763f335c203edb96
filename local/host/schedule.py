"""A timer's times: NCRONTAB, as the host's timer extension reads it, UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from local.host.errors import BindingError

_FORM = "second (may be left out), minute, hour, day, month, day of the week, like '0 */5 * * * *'"
# croniter knows more (L, #, ?, R, @daily, 7 for Sunday) than NCRONTAB does.
_PART = re.compile(r"(?:\*|(?:\d+|[a-z]{3,})(?:-(?:\d+|[a-z]{3,}))?)(?:/\d+)?", re.IGNORECASE)
_NAMES = {
    name[:3]: name
    for name in (
        *("january", "february", "march", "april", "may", "june", "july"),
        *("august", "september", "october", "november", "december"),
        *("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
    )
}


class Schedule:
    """The times of an NCRONTAB expression. Where day and day of the week are both limited, both must fit."""

    def __init__(self, expression: str) -> None:
        """Read an expression of six fields, or of five without the seconds.

        Raises:
            BindingError: it is not valid NCRONTAB, or its time never comes.
        """
        fields = expression.split()
        if len(fields) not in (5, 6) or not all(_PART.fullmatch(part) for field in fields for part in field.split(",")):
            raise BindingError(f"schedule '{expression}': expected {_FORM}.")
        if "7" in re.split(r"[,/-]", fields[-1]):
            raise BindingError(f"schedule '{expression}': days of the week are 0 (Sunday) to 6, or SUN to SAT.")
        self._expression = re.sub(r"[A-Za-z]+", lambda match: _short_name(match[0], expression), expression)
        try:
            self.next_after(datetime.now(UTC))
        except CroniterError as error:
            raise BindingError(f"schedule '{expression}': {error}. Expected {_FORM}.") from None
        self._every_minute = set(fields[1:]) == {"*"}

    def next_after(self, time: datetime) -> datetime:
        """Return the first of the schedule's times after a time."""
        times = croniter(self._expression, time, ret_type=datetime, second_at_beginning=True, day_or=False)
        following: datetime = times.get_next()
        return following

    def is_under_a_minute(self, now: datetime) -> bool:
        """Return whether its times come within the minute (``TimerSchedule.ShouldDisableScheduleMonitor``)."""
        second_time = self.next_after(self.next_after(now))
        return self._every_minute and (second_time - now).total_seconds() < 60


def _short_name(name: str, expression: str) -> str:
    short = name[:3].lower()
    if not _NAMES.get(short, "").startswith(name.lower()):
        raise BindingError(f"schedule '{expression}': '{name}' names neither a month nor a day of the week.")
    return short
