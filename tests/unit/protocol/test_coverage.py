"""Coverage leaves the exploration alone: it would take twice as long."""

import sys


def test_no_line_of_an_exploration_is_counted() -> None:
    assert sys.gettrace() is None
