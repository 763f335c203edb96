"""The demo's table on terminals of every width."""

from io import StringIO

import pytest
from rich.console import Console

from local.demo.cases import Case, make_cases
from local.demo.watch_table import Row, draw

CASES = make_cases("2026-11-20T10:00:00Z")


def lines(rows: list[Row], width: int) -> list[str]:
    """Return the table's lines on a terminal of so many columns."""
    console = Console(width=width, file=StringIO(), force_terminal=False)
    console.print(draw(rows, width))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 110, 120, 200])
def test_every_outcome_is_whole_in_a_line_of_its_own(width: int) -> None:
    rows = [Row(case, 12, "LargePersonGroupNotTrained", None, case.expected) for case in CASES]
    drawn = lines(rows, width)
    assert max(map(len, drawn)) <= width
    told = [
        line.split()[-1] for line in drawn if line.split() and line.split()[-1] in {case.expected for case in CASES}
    ]
    assert told == [case.expected for case in CASES]


def test_at_80_columns_groups_and_responses_are_whole() -> None:
    case = Case("never trained", "untrained", "notTrained", "largePersonGroup/night-shift")
    text = "\n".join(lines([Row(case, 12, "LargePersonGroupNotTrained", None, "notTrained")], 80))
    assert "largePersonGroup/night-shift" in text
    assert "LargePersonGroupNotTrained" in text


def test_a_wide_terminal_shows_the_form_and_the_next_poll() -> None:
    text = "\n".join(lines([Row(CASES[0], 1, "running", 3.2)], 120))
    assert CASES[0].form in text
    assert "3 s" in text
