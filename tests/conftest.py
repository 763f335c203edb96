"""What every kind of test shares."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # not ours

from local.azurite import Azurite, start_azurite

TESTS = Path(__file__).parent
# Explorations and long fights with a dying process: script/test --quick leaves them out.
EXHAUSTIVE = (
    TESTS / "unit/protocol",
    TESTS / "integration/test_snapshot_killed.py",
    TESTS / "integration/test_members_killed.py",
    TESTS / "integration/test_restore_killed.py",
)
# Its last test asks what the others have seen.
IN_ONE_PROCESS = ("tests/integration/test_http.py",)


class OneByOne(LoadScopeScheduling):  # type: ignore[misc] # likewise
    """Gives each test to the next free process, but those of some files to one process, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in IN_ONE_PROCESS else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne | None:
    """Schedule the tests, unless the command line names another way. (``loadgroup`` groups nothing with pytest 9.2.)"""
    return OneByOne(config, log) if config.getoption("dist") == "load" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that take long; to count their lines would make them take longer still."""
    for item in items:
        if any(item.path.is_relative_to(place) for place in EXHAUSTIVE):
            item.add_marker(pytest.mark.exhaustive)
            item.add_marker(pytest.mark.no_cover)


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
