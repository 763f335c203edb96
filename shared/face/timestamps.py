"""RFC 3339 timestamps, read exactly: the service writes seven fraction digits, ``datetime`` keeps six."""

import re
from datetime import UTC, datetime

import msgspec

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,100}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)


class Instant(msgspec.Struct, frozen=True, order=True):
    """An exact moment. Instants compare as their fields do."""

    seconds: int  # since the beginning of the year 1, UTC
    fraction: str = ""  # the digits after the second, without trailing zeros

    def seconds_since(self, earlier: "Instant") -> float:
        """Return the seconds from an earlier moment to this one, exact to the microsecond."""
        return self.seconds - earlier.seconds + float(f"0.{self.fraction}") - float(f"0.{earlier.fraction}")


def parse_instant(text: str) -> Instant:
    """Return the moment that an RFC 3339 timestamp names.

    Raises:
        ValueError: the text is anything else.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(_problem(text))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = match.groups()[6:]
    offset = 0
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError(_problem(text))
        offset = (int(offset_hours) * 3600 + int(offset_minutes) * 60) * (1 if sign == "+" else -1)
    leap = second == 60
    try:
        local = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        raise ValueError(_problem(text)) from None
    second_of_day = local.hour * 3600 + local.minute * 60 + local.second + leap
    return Instant(local.toordinal() * 86_400 + second_of_day - offset, (fraction or "").rstrip("0"))


def instant_of(moment: datetime) -> Instant:
    """Return a moment in UTC as an ``Instant``."""
    return parse_instant(moment.astimezone(UTC).isoformat())


def format_utc(moment: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC, to the millisecond, such as ``2026-11-20T10:00:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _problem(text: str) -> str:
    return f"{text[:64]!r} is not an RFC 3339 timestamp with an offset; expected a form such as 2026-11-20T10:00:00Z"
