"""The whole stack, once for each host that there is."""

import shutil
from collections.abc import Iterator

import pytest

from local.functions_host import HostKind
from local.stack import Stack, start_stack
from tests.e2e.inbox import Inbox

# A watch ends within seconds, and the host polls its queues more often than in Azure.
SETTINGS = {
    "WATCH_GRACE_SECONDS": "1",
    "WATCH_MAX_DELAY_SECONDS": "1",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500",
}


@pytest.fixture(scope="session", params=[pytest.param(kind, id=kind.value) for kind in HostKind])
def host_kind(request: pytest.FixtureRequest) -> HostKind:
    """Return each kind of host in turn."""
    kind: HostKind = request.param
    if kind is HostKind.FUNC and not shutil.which("func"):
        pytest.skip("func (Azure Functions Core Tools 4) is not on PATH")
    return kind


@pytest.fixture(scope="session")
def shared_stack(host_kind: HostKind) -> Iterator[Stack]:
    """Run one stack for all tests that leave it running."""
    with start_stack(host_kind=host_kind, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="session")
def shared_inbox(shared_stack: Stack) -> Inbox:
    """Gather the events of the shared stack, whoever waits for them."""
    return Inbox(shared_stack)


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Return the shared stack, its Face service without groups, plans and faults."""
    shared_stack.face.control.reset()
    return shared_stack


@pytest.fixture
def inbox(shared_inbox: Inbox) -> Inbox:
    """Return what gathers the events of the shared stack."""
    return shared_inbox
