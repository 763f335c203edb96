import logging

import pytest

from local.host.logs import fields_of, level_of


@pytest.mark.parametrize(
    ("category", "levels", "expected"),
    [
        ("Function.work.User", {}, logging.INFO),
        ("Function.work.User", {"default": "Warning"}, logging.WARNING),
        ("Function.work.User", {"default": "Warning", "Function": "Information"}, logging.INFO),
        ("Function.work.User", {"Function": "Error", "Function.work": "Debug"}, logging.DEBUG),
        ("Function.other.User", {"Function": "Error", "Function.work": "Debug"}, logging.ERROR),
        ("Host", {"Host.Results": "Information", "default": "Error"}, logging.ERROR),
        ("Host", {"host": "None"}, logging.CRITICAL + 1),
    ],
)
def test_the_longest_prefix_of_a_category_gives_its_level(category: str, levels: dict[str, str], expected: int) -> None:
    assert level_of(category, levels) == expected


def test_the_fields_of_a_record_are_shown() -> None:
    fields = {"outcome": "timedOut", "polls": 3, "error": None, "otelTraceID": "0", "function": "work"}
    assert fields_of(logging.makeLogRecord({"msg": "ended", **fields})) == " outcome=timedOut polls=3"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("two words", '"two words"'), ("a\nb", '"a\\nb"'), ("a=b", '"a=b"'), ("", '""'), ("gr\u00fcn", "gr\u00fcn")],
)
def test_a_field_stays_one_word_of_its_line(value: str, shown: str) -> None:
    assert fields_of(logging.makeLogRecord({"reason": value})) == f" reason={shown}"
