"""What every kind of test shares."""

from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter

from local.azurite import Azurite, start_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Run one Azurite, in memory and on free ports, for the tests of this process."""
    with start_azurite() as running:
        yield running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run the asynchronous tests on asyncio."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print how many schedules of the protocol were explored, also by other processes, which hand their numbers on."""
    counts = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "schedules"
    ]
    if counts:
        terminalreporter.write_line(f"protocol: {sum(counts):,} schedules explored in {len(counts)} tests")
