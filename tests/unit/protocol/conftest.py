"""Say at the end how many schedules were explored."""

from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter

from tests.unit.protocol.explorer import Schedule, explore


@pytest.fixture
def explored(record_property: Callable[[str, object], None]) -> Callable[[Callable[[Schedule], None]], int]:
    """Explore a scenario, and have the number of its schedules told at the end of the run."""

    def run(scenario: Callable[[Schedule], None]) -> int:
        schedules = explore(scenario)
        record_property("schedules", schedules)
        return schedules

    return run


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the sum over all tests, also of those that ran in other processes."""
    counts = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "schedules"
    ]
    if counts:
        terminalreporter.write_line(f"protocol: {sum(counts):,} schedules explored in {len(counts)} tests")
