"""Read RFC 3339 timestamps exactly: the service writes seven fraction digits, ``datetime`` keeps six."""

import re
from datetime import UTC, datetime

import msgspec

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,100}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)


class Instant(msgspec.Struct, frozen=True, order=True):
    """Hold a moment exactly: ``seconds`` from the year 1 on in UTC, and the digits of the ``fraction``.

    Trailing zeros are not kept, so moments compare as their fields do.
    """

    seconds: int
    fraction: str = ""

    def seconds_since(self, earlier: "Instant") -> float:
        """Return the seconds from an earlier moment to this one, exact to the microsecond."""
        return self.seconds - earlier.seconds + float(f"0.{self.fraction}") - float(f"0.{earlier.fraction}")


def parse_instant(text: str) -> Instant:
    """Return the moment that an RFC 3339 timestamp with an offset names.

    Raises:
        ValueError: for anything else, with what was found and what is expected.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(_refusal(text))
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = found.groups()[6:]
    offset = 0
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError(_refusal(text))
        offset = (int(offset_hours) * 3600 + int(offset_minutes) * 60) * (1 if sign == "+" else -1)
    leap = second == 60
    try:
        local = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        raise ValueError(_refusal(text)) from None
    of_day = local.hour * 3600 + local.minute * 60 + local.second + leap
    return Instant(local.toordinal() * 86_400 + of_day - offset, (fraction or "").rstrip("0"))


def instant_of(moment: datetime) -> Instant:
    """Return a moment in UTC as an ``Instant``."""
    return parse_instant(moment.astimezone(UTC).isoformat())


def format_utc(moment: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC, to the millisecond, as in ``2026-11-20T10:00:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(text: str) -> str:
    return f"{text[:64]!r} is no RFC 3339 timestamp with an offset, as 2026-11-20T10:00:00Z is"
