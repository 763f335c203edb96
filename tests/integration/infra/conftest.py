"""One compiler, and what it made of each case, for all tests of the infrastructure."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.integration.infra.cases import Case, Outcome, work_out
from tests.integration.infra.tools import bicep
from tests.support.arm.compiler import Bicep, start_bicep


@pytest.fixture(scope="session")
def compiler() -> Iterator[Bicep]:
    """Run one compiler."""
    with start_bicep(bicep()) as compiler:
        yield compiler


@pytest.fixture(scope="session")
def outcome(compiler: Bicep) -> Callable[[Case], Outcome]:
    """Return what works out a case, each once."""
    return cache(lambda case: work_out(compiler, case))
