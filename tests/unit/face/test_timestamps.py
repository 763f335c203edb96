from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.face.timestamps import format_utc, parse_instant

MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001 - hypothesis asks for naive bounds
FRACTIONS = st.text("0123456789", max_size=12)
OFFSETS = st.integers(min_value=-23 * 60 - 59, max_value=23 * 60 + 59)


def written(moment: datetime, fraction: str, offset: int) -> str:
    """Write a moment (its whole seconds, as UTC) in the local time of an offset in minutes."""
    local = moment.replace(microsecond=0, tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset)))
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    dot = f".{fraction}" if fraction else ""
    return f"{local:%Y-%m-%dT%H:%M:%S}{dot}{sign}{minutes // 60:02}:{minutes % 60:02}"


def exact(moment: datetime, fraction: str) -> Fraction:
    """Return the same moment as an exact number of seconds."""
    whole = moment.replace(microsecond=0, tzinfo=UTC) - datetime(1, 1, 1, tzinfo=UTC)
    return whole // timedelta(seconds=1) + Fraction(int(fraction or "0"), 10 ** len(fraction))


@given(st.tuples(MOMENTS, FRACTIONS, OFFSETS), st.tuples(MOMENTS, FRACTIONS, OFFSETS), st.booleans())
def test_instants_order_like_exact_fractions_whatever_their_offsets(
    one: tuple[datetime, str, int], other: tuple[datetime, str, int], same_second: bool
) -> None:
    if same_second:
        other = (one[0], other[1], other[2])
    first, second = parse_instant(written(*one)), parse_instant(written(*other))
    assert (first < second) == (exact(*one[:2]) < exact(*other[:2]))
    assert (first == second) == (exact(*one[:2]) == exact(*other[:2]))


def test_seven_digits_are_told_apart() -> None:
    assert parse_instant("2024-09-03T15:55:58.8061602Z") < parse_instant("2024-09-03T15:55:58.8061603Z")


def test_trailing_zeros_of_a_fraction_say_nothing() -> None:
    assert parse_instant("2024-09-03T15:55:58.50Z") == parse_instant("2024-09-03T15:55:58.5000000Z")
    assert parse_instant("2024-09-03T15:55:58.000Z") == parse_instant("2024-09-03T15:55:58Z")


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2026-11-20t10:00:00z", "2026-11-20T10:00:00Z"),
        ("2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00Z"),
        ("2026-11-20T10:00:00-00:00", "2026-11-20T10:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+23:59"),
        ("9999-12-31T23:59:59.999-23:59", "9999-12-31T23:59:59.999-23:59"),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, same_as: str) -> None:
    assert parse_instant(text) == parse_instant(same_as)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-11-20 10:00:00Z",
        "2026-11-20T10:00Z",
        "2026-11-20T10:00:00.Z",
        "2026-11-20T10:00:00,5Z",
        "2026-11-20T10:00:00+0200",
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00+10:60",
        "2026-13-20T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2025-02-29T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:00:61Z",
        "2026-11-20T10:00:00Z\n",
        " 2026-11-20T10:00:00Z",
        "12026-11-20T10:00:00Z",
        "٢٠٢٦-11-20T10:00:00Z",
        "2026-11-20T10:00:00." + "1" * 101 + "Z",
    ],
)
def test_anything_else_is_refused_with_what_was_found_and_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is not an RFC 3339 timestamp with an offset") as told:
        parse_instant(text)
    assert repr(text[:64]) in str(told.value)
    assert len(str(told.value)) < 200


@given(st.text())
def test_no_text_raises_anything_but_a_value_error(text: str) -> None:
    try:
        parse_instant(text)
    except ValueError:
        return


def test_a_moment_is_written_in_utc_to_the_millisecond() -> None:
    moment = datetime(2026, 11, 20, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_utc(moment) == "2026-11-20T10:00:00.123Z"
