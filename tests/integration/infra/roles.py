"""The reason of every role that the template grants. DATA and HOST stand for the two storage accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.permissions import BLOBS, FACE, QUEUES, TABLES

_IDS = {
    "Blob Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Blob Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Queue Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Table Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Face Reader": "b59867f0-fa02-499b-be73-45a86b5b3e1c",
    "Face Contributor": "b5b0c71d-aca9-4081-aee2-9b1bb335fc1a",
    "Event Sender": "d5a91429-5739-47e2-a06b-3470a27159e7",
}
NAMES: Mapping[str, str] = {role_id: name for name, role_id in _IDS.items()}
"""Built-in roles by their IDs: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles."""

_USER_KEY = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"

CUSTOM: Mapping[str, set[str]] = {
    "queue worker": {
        f"{QUEUES}/read",  # how long the queue is, by which the platform scales
        f"{QUEUES}/write",  # make it where it is missing
        f"{QUEUES}/messages/read",  # peek, by which the platform scales
        f"{QUEUES}/messages/write",  # renew
        f"{QUEUES}/messages/add/action",  # put
        f"{QUEUES}/messages/process/action",  # receive and delete
    },
    "queue sender": {f"{QUEUES}/read", f"{QUEUES}/write", f"{QUEUES}/messages/add/action"},
    "record keeper": {
        f"{TABLES}/write",  # make it where it is missing
        f"{TABLES}/entities/read",
        f"{TABLES}/entities/write",  # insert, update and upsert, also in transactions
        f"{TABLES}/entities/delete",
    },
    "snapshot keeper": {
        f"{BLOBS}/read",
        f"{BLOBS}/write",  # make it where it is missing
        f"{BLOBS}/blobs/read",
        f"{BLOBS}/blobs/write",  # blocks, the commit, leases
        f"{BLOBS}/blobs/delete",  # what a run that died has left
        f"{BLOBS}/blobs/tags/write",  # the tag by which superseded snapshots are removed
    },
    "trainer": {f"{FACE}/{kind}/train/action" for kind in ("persongroups", "largepersongroups", "largefacelists")},
}
"""The actions of each custom role, of management and on data; those that are not plain say what for."""

BUILT_IN: Mapping[str, set[str]] = {
    "Blob Contributor": {
        *(f"{BLOBS}/{action}" for action in ("delete", "read", "write")),
        *(f"{BLOBS}/blobs/{action}" for action in ("delete", "read", "write", "move/action", "add/action")),
        _USER_KEY,
    },
    "Blob Reader": {f"{BLOBS}/read", f"{BLOBS}/blobs/read", _USER_KEY},
    "Queue Message Sender": {f"{QUEUES}/messages/add/action"},
    "Table Contributor": {
        *(f"{TABLES}/{action}" for action in ("read", "write", "delete")),
        *(f"{TABLES}/entities/{action}" for action in ("read", "write", "delete", "add/action", "update/action")),
    },
    "Face Reader": {"Microsoft.CognitiveServices/*/read"},
    "Face Contributor": {f"{FACE}/*"},
}
"""The actions of the built-in roles on storage and on Face, from the page that ``NAMES`` names."""


@dataclass(frozen=True)
class Grant:
    """One role that somebody has somewhere."""

    who: str  # app, topic or operator
    where: str
    role: str


@dataclass(frozen=True)
class Reason:
    """Why a role is granted."""

    grant: Grant
    why: str
    when: str | None = None  # the parameter that has to be set; None: always


_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_HOST_BLOBS = f"{_ACCOUNTS}/HOST/blobServices/default/containers"
_DATA_BLOBS = f"{_ACCOUNTS}/DATA/blobServices/default/containers"
_DATA_QUEUES = f"{_ACCOUNTS}/DATA/queueServices/default/queues"
_DATA_TABLES = f"{_ACCOUNTS}/DATA/tableServices/default/tables"
FACES = "Microsoft.CognitiveServices/accounts/*"


def _app(where: str, role: str, why: str, when: str | None = None) -> Reason:
    return Reason(Grant("app", where, role), why, when)


def _operator(where: str, role: str, why: str) -> Reason:
    return Reason(Grant("operator", where, role), why, "operatorPrincipalId")


REASONS = (
    _app(f"{_HOST_BLOBS}/azure-webjobs-hosts", "Blob Contributor", "locks of the host; when its timers last ran"),
    _app(f"{_HOST_BLOBS}/azure-webjobs-secrets", "Blob Contributor", "the host makes and keeps its keys there"),
    _app(f"{_HOST_BLOBS}/app-package", "Blob Contributor", "the package is put there, and the host starts from it"),
    _app(f"{_ACCOUNTS}/HOST", "Blob Reader", "the host checks its storage by listing the containers"),
    _app(f"{_ACCOUNTS}/HOST", "Table Contributor", "each month a table of diagnostic events, whose name nobody knows"),
    _app(f"{_DATA_QUEUES}/training-watch", "queue worker", "requests and follow-ups"),
    _app(
        f"{_DATA_QUEUES}/training-watch-poison", "queue worker", "the host puts here what it gave up, and the app reads"
    ),
    _app(f"{_DATA_QUEUES}/snapshot-requests", "queue worker", "snapshots that are asked for"),
    _app(f"{_DATA_QUEUES}/snapshot-requests-poison", "queue sender", "the host puts here what it gave up"),
    _app(f"{_DATA_QUEUES}/training-results", "queue sender", "events"),
    _app(f"{_DATA_TABLES}/trainingwatches", "record keeper", "records of watches"),
    _app(f"{_DATA_BLOBS}/face-snapshots", "snapshot keeper", "snapshots"),
    _app(f"{_DATA_BLOBS}/face-members", "snapshot keeper", "members of groups"),
    _app("Microsoft.Insights/components/*", "Metrics Publisher", "telemetry is accepted from identities only"),
    _app(FACES, "Face Reader", "groups and the status of their trainings"),
    _app(FACES, "trainer", "trainings that the app starts", "allowTraining"),
    _app("Microsoft.EventGrid/topics/*", "Event Sender", "events", "eventTopic"),
    Reason(Grant("topic", f"{_DATA_BLOBS}/event-dead-letters", "Blob Contributor"), "what nobody takes", "eventTopic"),
    _operator(f"{_DATA_QUEUES}/training-watch", "Queue Message Sender", "face-ops watch"),
    _operator(f"{_DATA_QUEUES}/snapshot-requests", "Queue Message Sender", "face-ops snapshot"),
    _operator(f"{_DATA_QUEUES}/training-results", "Queue Message Sender", "face-ops cancel sends the event"),
    _operator(
        f"{_DATA_TABLES}/trainingwatches", "Table Contributor", "face-ops show, watches, events, replay and cancel"
    ),
    _operator(f"{_DATA_BLOBS}/face-snapshots", "Blob Reader", "face-ops verify, diff, find and restore"),
    _operator(f"{_DATA_BLOBS}/face-members", "Blob Reader", "face-ops restore"),
    _operator(FACES, "Face Contributor", "face-ops restore makes and changes groups"),
)
