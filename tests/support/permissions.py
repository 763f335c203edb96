"""Which permission each operation of storage and of the Face service needs.

Storage: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory and
https://learn.microsoft.com/azure/storage/common/authorize-data-access. Face:
https://learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning#microsoftcognitiveservices.
"""

from collections.abc import Iterator, Mapping

from shared.face.page import ListedKind
from tests.support.azurite_log import Call

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
FACE = "Microsoft.CognitiveServices/accounts/Face"

_CONTAINER = {"Create": "write", "GetProperties": "read", "ListBlobFlatSegment": "blobs/read"}
_BLOB = {
    **dict.fromkeys(("Download", "GetProperties"), "read"),
    **dict.fromkeys(("AcquireLease", "RenewLease", "ReleaseLease", "BreakLease", "SetMetadata"), "write"),
    "SetTags": "tags/write",
    "Delete": "delete",
}
_BLOCK_BLOB = {
    **dict.fromkeys(("Upload", "StageBlock", "CommitBlockList"), "write"),
    "GetBlockList": "read",
}
_QUEUE = {"Create": "write", "GetProperties": "read"}
_MESSAGES = {"Enqueue": "add/action", "Dequeue": "process/action", "Peek": "read"}
_MESSAGE = {"Delete": "process/action", "Update": "write"}
_TABLE = {
    "Create": "write",
    "Query": "read",
    **dict.fromkeys(("QueryEntities", "QueryEntitiesWithPartitionAndRowKey"), "entities/read"),
    **dict.fromkeys(("InsertEntity", "UpdateEntity", "MergeEntity"), "entities/write"),
    "DeleteEntity": "entities/delete",
}
_STORAGE: Mapping[str, str] = {
    f"{group}_{operation}": f"{prefix}/{action}"
    for group, prefix, actions in (
        ("Container", BLOBS, _CONTAINER),
        ("Blob", f"{BLOBS}/blobs", _BLOB),
        ("BlockBlob", f"{BLOBS}/blobs", _BLOCK_BLOB),
        ("Queue", QUEUES, _QUEUE),
        ("Messages", f"{QUEUES}/messages", _MESSAGES),
        ("MessageId", f"{QUEUES}/messages", _MESSAGE),
        ("Table", TABLES, _TABLE),
    )
    for operation, action in actions.items()
}

_FACE = {
    **dict.fromkeys(("list", "get"), "read"),
    **dict.fromkeys(("create", "update"), "write"),
    "delete": "delete",
    "persons": "persons/read",
    "training": "training/read",
    "train": "train/action",
}


def storage_permissions(call: Call) -> Iterator[str]:
    """Yield the actions that a call of the storage needs, as roles name them."""
    yield _STORAGE[call.operation]
    if call.with_tags and call.operation != "Blob_SetTags":
        yield f"{BLOBS}/blobs/tags/{'read' if call.operation == 'Container_ListBlobFlatSegment' else 'write'}"


def place(call: Call) -> str:
    """Return the resource that a call is about, as ``roles.py`` writes it."""
    service = _STORAGE[call.operation].split("/")[2]
    account = "HOST" if call.resource.startswith("azure-webjobs-") else "DATA"
    whole = f"Microsoft.Storage/storageAccounts/{account}"
    part = {"blobServices": "containers", "queueServices": "queues", "tableServices": "tables"}[service]
    return f"{whole}/{service}/default/{part}/{call.resource}" if call.resource else whole


def face_permission(operation: str) -> str:
    """Return the action that an operation of the emulator needs, such as ``largePersonGroup.train``."""
    kind, _, verb = operation.partition(".")
    if kind == "operation":
        return f"{FACE}/operations/read"
    return f"{FACE}/{ListedKind(kind).path}/{_FACE[verb]}"
