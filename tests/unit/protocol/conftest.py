"""Explore, and hand on how many schedules there were."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.protocol.explorer import Schedule, explore


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder as exhaustive."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture
def explored(record_property: Callable[[str, object], None]) -> Callable[[Callable[[Schedule], None]], int]:
    """Explore a scenario, and have the number of its schedules told at the end of the run."""

    def run(scenario: Callable[[Schedule], None]) -> int:
        schedules = explore(scenario)
        record_property("schedules", schedules)
        return schedules

    return run
