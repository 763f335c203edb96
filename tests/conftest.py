"""What every kind of test shares."""

from collections.abc import Iterator

import pytest

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
