"""Explore, and hand on how many schedules there were."""

from collections.abc import Callable

import pytest

from tests.unit.protocol.explorer import Schedule, explore


@pytest.fixture
def explored(record_property: Callable[[str, object], None]) -> Callable[[Callable[[Schedule], None]], int]:
    """Explore a scenario, and have the number of its schedules told at the end of the run."""

    def run(scenario: Callable[[Schedule], None]) -> int:
        schedules = explore(scenario)
        record_property("schedules", schedules)
        return schedules

    return run
