"""What every kind of test shares."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # not ours

from local.azurite import Azurite, start_azurite

TESTS = Path(__file__).parent
# Explorations and simulations.
COMPUTING = (
    TESTS / "unit/protocol",
    TESTS / "unit/bench",
    TESTS / "unit/budget/test_simulated.py",
    TESTS / "unit/snapshots/listing/test_speed.py",
)
# Fights with a process that dies at each call, and crowds: they go over the same lines again and again.
FIGHTS = (
    *(TESTS / "integration").glob("test_*_killed.py"),
    TESTS / "integration/test_watch_shared.py",
)
# Whose lines are not counted: that would make them take longer still.
NOT_COUNTED = (*COMPUTING, *FIGHTS)
# What computes, compilations, the whole stack, and long fights with a dying process: script/test --quick
# leaves them out.
EXHAUSTIVE = (
    *NOT_COUNTED,
    TESTS / "hostile",
    TESTS / "integration/infra",
    *(TESTS / "integration").glob("test_docs_*.py"),
    *(TESTS / "integration").glob("*face_ops*.py"),
    *(TESTS / "integration").glob("test_host_*.py"),
    TESTS / "integration/test_http.py",
    *(TESTS / "integration").glob("test_restore*.py"),
    *(TESTS / "integration").glob("test_snapshot_*.py"),
    TESTS / "integration/test_telemetry.py",
    *(TESTS / "integration").glob("test_watch_*.py"),
)
# What the tests of these files share takes long to make, or is what all of them have seen.
IN_ONE_PROCESS = (
    "tests/e2e/test_package.py",
    "tests/e2e/test_page.py",
    "tests/e2e/test_roles.py",
    "tests/hostile/test_face_service.py",
    "tests/integration/infra/test_checkov.py",
    "tests/integration/infra/test_queries.py",
    "tests/integration/test_face_ops_watches.py",
    "tests/integration/test_http.py",
)


class FromBothEnds(LoadScopeScheduling):  # type: ignore[misc] # likewise
    """Gives one process the next test, and the others the last: the first tests wait most, the last compute.

    The tests of some files go to one process, in their order.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in IN_ONE_PROCESS else nodeid

    def _assign_work_unit(self, node: Any) -> None:
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FromBothEnds | None:
    """Schedule the tests, unless the command line names another way. (``loadgroup`` groups nothing with pytest 9.2.)"""
    config.option.loadscopereorder = False
    return FromBothEnds(config, log) if config.getoption("dist") == "load" else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop the coverage that pytest-cov 7.1 starts in a worker before it knows that it is one.

    It would run beside the worker's own to the end, double the time, and ignore ``no_cover``.
    """
    if hasattr(session.config, "workerinput") and (coverage := session.config.pluginmanager.getplugin("_cov")):
        coverage.cov_controller.cov.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that take long, and those whose lines are not counted."""
    for path, group in groupby(items, key=lambda item: item.path):
        marks = [
            mark
            for mark, places in ((pytest.mark.exhaustive, EXHAUSTIVE), (pytest.mark.no_cover, NOT_COUNTED))
            if any(path.is_relative_to(place) for place in places)
        ]
        for item in group:
            for mark in marks:
                item.add_marker(mark)


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
