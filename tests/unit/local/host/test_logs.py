import logging

import pytest

from local.host.logs import level_of


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
