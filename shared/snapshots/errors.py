"""The errors of snapshots and restores; whatever is raised, what the pointer names stays as it was."""


class SnapshotError(Exception):
    """The root of what a run raises beside the Face service's and the storage's own errors."""


class ListingStuck(SnapshotError):
    """The service's pages bring nothing new, or never end."""


class OutOfOrder(SnapshotError):
    """The service's pages are not in the ordinal order of their IDs, so ranges of keys cannot be trusted."""


class OutOfDisk(SnapshotError):
    """The local disk has no room for the list to be sorted on it."""


class LeaseLost(SnapshotError):
    """This run may no longer write: its lease was broken or could not be renewed in time."""


class CorruptSnapshot(SnapshotError):
    """What the storage holds is not what was written or what its manifest says."""


class AlreadyPublished(SnapshotError):
    """Another run has written what this one was about to write."""


class PreviousUnreadable(CorruptSnapshot):
    """The previous snapshot is gone or not what its manifest says, so nothing can be compared with it."""


class UnsupportedStorage(SnapshotError):
    """The storage account lacks what snapshots need."""


class RestoreFailed(SnapshotError):
    """The service is not, after a restore, what the plan says."""
