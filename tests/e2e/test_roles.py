"""The roles that are granted are those that the app, its host and the command line use: no fewer, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.e2e.whole_run import APP, OPERATOR, Recorded, record
from tests.integration.infra.roles import BUILT_IN, CUSTOM, FACES, REASONS, Grant
from tests.support.permissions import BLOBS, QUEUES, TABLES, face_permission, place, storage_permissions

# The run takes less than a minute on an idle machine.
pytestmark = pytest.mark.timeout(300)

WHO = {APP: "app", OPERATOR: "operator"}
# These roles are about neither storage nor the Face service.
ELSEWHERE = {"Metrics Publisher", "Event Sender"}
type Actions = Mapping[str, set[str]]
"""The actions of each role."""

ACTIONS: Actions = {**CUSTOM, **BUILT_IN}
GRANTS = [reason.grant for reason in REASONS if reason.grant.role not in ELSEWHERE]


@dataclass(frozen=True, order=True)
class Use:
    """An action that somebody takes somewhere."""

    who: str
    where: str
    action: str


@dataclass(frozen=True)
class Unused:
    """Actions that a role grants, that a run does not use, and the reason for granting them all the same."""

    where: str  # a pattern
    role: str
    actions: str  # a pattern
    why: str


EXCEPTIONS = (
    Unused("*/queues/*", "queue worker", f"{QUEUES}/messages/read", "Azure peeks, to scale"),
    Unused("*/queues/training-watch*", "queue worker", f"{QUEUES}/messages/write", "the host renews after 5 minutes"),
    Unused("*-poison", "queue sender", f"{QUEUES}/read", "Azure's host asks whether the queue is there"),
    Unused("*/face-members", "snapshot keeper", f"{BLOBS}/blobs/delete", "only what a run that died has left"),
    Unused("*/azure-webjobs-hosts", "Blob Contributor", "*", "built in; Azure's host keeps its locks there too"),
    Unused("*/azure-webjobs-secrets", "Blob Contributor", "*", "the keys of Azure's host; here they are in a file"),
    Unused("*/app-package", "Blob Contributor", "*", "Azure's deployment; here the app runs from its folder"),
    Unused("*/HOST", "Blob Reader", "*", "Azure's host lists the containers to check its storage"),
    Unused("*/HOST", "Table Contributor", "*", "diagnostic events of Azure's host"),
    Unused("*/event-dead-letters", "Blob Contributor", "*", "Event Grid writes them, by the topic's identity"),
    Unused("*/DATA/*", "Blob Reader", f"{BLOBS}/read", "built in"),
    Unused("*/DATA/*", "Blob Reader", "*/generateUserDelegationKey/action", "built in"),
    Unused("*/DATA/*", "Table Contributor", f"{TABLES}/[rwd]*", "built in: none that writes rows has less"),
    Unused("*/DATA/*", "Table Contributor", f"{TABLES}/entities/[au]*/action", "built in: parts of entities/write"),
)


@pytest.fixture(scope="module")
def uses(tmp_path_factory: pytest.TempPathFactory) -> set[Use]:
    return set(uses_of(record(tmp_path_factory.mktemp("run"))))


def uses_of(recorded: Recorded) -> list[Use]:
    return [
        *(
            Use(WHO[agent], place(call), action)
            for agent, calls in recorded.storage.items()
            for call in calls
            for action in storage_permissions(call)
        ),
        *(
            Use(WHO[agent], FACES, face_permission(operation))
            for agent, operations in recorded.face.items()
            for operation in operations
        ),
    ]


def test_all_that_is_used_is_granted(uses: set[Use]) -> None:
    assert refused(uses, ACTIONS) == []


def test_all_that_is_granted_is_used_or_has_a_reason(uses: set[Use]) -> None:
    left, excused = unused(uses, ACTIONS)
    assert left == []
    assert set(EXCEPTIONS) - excused == set(), "no longer needed"


@pytest.mark.parametrize("role", CUSTOM)
def test_an_action_less_or_more_is_found(uses: set[Use], role: str) -> None:
    action = max(action for action in CUSTOM[role] if any(fnmatchcase(use.action, action) for use in uses))
    assert {use.action for use in refused(uses, {**ACTIONS, role: CUSTOM[role] - {action}})} == {action}
    more = f"{QUEUES}/delete"
    left, _ = unused(uses, {**ACTIONS, role: CUSTOM[role] | {more}})
    assert {action for _, action in left} == {more}


def refused(uses: set[Use], actions: Actions) -> list[Use]:
    """Return the uses that no grant allows."""
    return [
        use
        for use in sorted(uses)
        if not any(allows(grant, one, use) for grant in GRANTS for one in actions[grant.role])
    ]


def unused(uses: set[Use], actions: Actions) -> tuple[list[tuple[Grant, str]], set[Unused]]:
    """Return what is granted, not used and not excepted, and the exceptions that were needed."""
    never = [
        (grant, action)
        for grant in GRANTS
        for action in sorted(actions[grant.role])
        if not any(allows(grant, action, use) for use in uses)
    ]
    needed = {one for one in EXCEPTIONS if any(excuses(one, *each) for each in never)}
    return [each for each in never if not any(excuses(one, *each) for one in EXCEPTIONS)], needed


def allows(grant: Grant, action: str, use: Use) -> bool:
    """Return whether an action that a role has, perhaps a pattern, allows a use."""
    covers = use.where == grant.where or use.where.startswith(f"{grant.where}/")
    return grant.who == use.who and covers and fnmatchcase(use.action, action)


def excuses(exception: Unused, grant: Grant, action: str) -> bool:
    return (
        grant.role == exception.role
        and fnmatchcase(grant.where, exception.where)
        and fnmatchcase(action, exception.actions)
    )
