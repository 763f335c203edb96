"""Give the reason of every role that the app is granted. DATA and HOST stand for the two storage accounts."""

_BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
_TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
_TABLE_READER = "76199698-9eea-4c19-bc75-cec21354c6b6"
_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
_FACE_READER = "b59867f0-fa02-499b-be73-45a86b5b3e1c"
_FACE_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"

_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_FACE = "Microsoft.CognitiveServices/accounts/*"

REASONS: dict[tuple[str, str], tuple[str, bool | None]] = {
    (f"{_ACCOUNTS}/HOST/blobServices/default/containers/azure-webjobs-hosts", _BLOB_CONTRIBUTOR): (
        "the host's locks are leases on blobs, and its timers note there when they last ran",
        None,
    ),
    (f"{_ACCOUNTS}/HOST/blobServices/default/containers/azure-webjobs-secrets", _BLOB_CONTRIBUTOR): (
        "the host makes and keeps the keys of its admin address there",
        None,
    ),
    (f"{_ACCOUNTS}/HOST/blobServices/default/containers/app-package", _BLOB_CONTRIBUTOR): (
        "the deployment service puts the package there under this identity, and the host starts from it",
        None,
    ),
    (f"{_ACCOUNTS}/HOST", _TABLE_CONTRIBUTOR): (
        "the host makes a table of diagnostic events each month, whose name cannot be known; the account is its own",
        None,
    ),
    (f"{_ACCOUNTS}/DATA/queueServices/default/queues/training-watch", _QUEUE_CONTRIBUTOR): (
        "the host receives, renews (which a message processor may not) and deletes; the app puts and takes back",
        None,
    ),
    (f"{_ACCOUNTS}/DATA/queueServices/default/queues/training-watch-poison", _QUEUE_CONTRIBUTOR): (
        "the host puts what it gave up, receives it again, and deletes it",
        None,
    ),
    (f"{_ACCOUNTS}/DATA/queueServices/default/queues/training-results", _QUEUE_CONTRIBUTOR): (
        "the app makes the queue where it is missing, which a message sender may not, and puts events",
        None,
    ),
    (f"{_ACCOUNTS}/DATA/tableServices/default/tables/trainingwatches", _TABLE_CONTRIBUTOR): (
        "the app makes, changes and removes the records of watches",
        None,
    ),
    (f"{_ACCOUNTS}/DATA", _TABLE_READER): (
        "the app asks which tables there are before it makes one; the account has no other than its own",
        None,
    ),
    (f"{_ACCOUNTS}/DATA/blobServices/default/containers/face-snapshots", _BLOB_CONTRIBUTOR): (
        "the app writes snapshots, leases a lock blob, and reads the snapshot before",
        None,
    ),
    ("Microsoft.Insights/components/*", _METRICS_PUBLISHER): ("telemetry is accepted from Entra identities only", None),
    (_FACE, _FACE_READER): ("the app reads groups and the status of their trainings", False),
    (_FACE, _FACE_USER): ("starting a training takes this role; it reads as well", True),
}
"""Role by place: why, and whether only where trainings may be started (``None``: always)."""
