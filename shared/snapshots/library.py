"""The published copies of one kind, read: which there are, whether they hold, what changed, and where a group is."""

from collections import deque
from collections.abc import Iterator

from azure.storage.blob import ContainerClient

from shared.face.page import ListedKind
from shared.snapshots.changes import Change, changes_between
from shared.snapshots.comparison import read_lines
from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.listing.lines import group_id_reader
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.gzip_members import unpack
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.manifest import Manifest

LATEST = "latest"


class Library:
    """The snapshots of one kind in their container; every method raises ``AzureError`` where the storage fails."""

    def __init__(self, container: ContainerClient, kind: ListedKind) -> None:
        layout = Layout(kind, "groups")
        self._archive = Archive(container, layout)
        self._catalog = Catalog(container, layout, Manifest)

    def manifests(self) -> Iterator[Manifest | CorruptSnapshot]:
        """Yield all manifests, newest first, and in place of one that cannot be read the reason."""
        for snapshot_id in reversed(self._catalog.ids()):
            try:
                if manifest := self._catalog.manifest(snapshot_id):
                    yield manifest
            except CorruptSnapshot as error:
                yield error

    def get(self, snapshot_id: str = LATEST) -> Manifest | None:
        """Return a snapshot's manifest, or that of the newest; ``None`` where there is none.

        Raises:
            CorruptSnapshot: where it cannot be read.
        """
        return self._catalog.newest().manifest if snapshot_id == LATEST else self._catalog.manifest(snapshot_id)

    def lines(self, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
        """Yield a snapshot's groups, each with its ID.

        Raises:
            CorruptSnapshot: where the blob is not what the manifest says.
        """
        return read_lines(self._archive, manifest)

    def verify(self, manifest: Manifest) -> None:
        """Read a snapshot whole.

        Raises:
            CorruptSnapshot: where it is not what its manifest says.
        """
        deque(self.lines(manifest), maxlen=0)

    def diff(self, before: Manifest, after: Manifest) -> Iterator[Change]:
        """Yield what changed between two snapshots, ordered by ID."""
        with_user_data = before.includes_user_data and after.includes_user_data
        return changes_between(self.lines(before), self.lines(after), with_user_data=with_user_data)

    def find(self, manifest: Manifest, group_id: str) -> bytes | None:
        """Return a group's line, ``None`` where the snapshot does not have it: one small read.

        Raises:
            CorruptSnapshot: where what is read is not gzip, or not lines of groups.
        """
        read_id = group_id_reader(manifest.kind)
        for part in manifest.groups.parts:
            if part.first_id <= group_id <= part.last_id:
                stored = self._archive.read_range(manifest.snapshot_id, part.offset, part.length)
                lines = [line for member in unpack([stored]) for line in member.lines]
                try:
                    return next((line for line in lines if read_id(line) == group_id), None)
                except ValueError:
                    raise CorruptSnapshot("a stored line does not hold the ID that it should") from None
        return None
