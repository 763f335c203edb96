"""What a restore goes by: a snapshot's groups beside the members of the copy that knows them best."""

from collections.abc import Iterator

from azure.storage.blob import ContainerClient

from shared.face.page import ListedKind
from shared.snapshots.changes import side_by_side
from shared.snapshots.comparison import read_lines
from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.listing.members import Members, read_members
from shared.snapshots.members import LAYOUT
from shared.snapshots.restore.plan import Wanted
from shared.snapshots.stored.archive import Archive
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.manifest import Manifest, MembersManifest


class RestoreSource:
    """A snapshot to restore from, and the members of its groups where there is a copy of them."""

    def __init__(self, groups: ContainerClient, members: ContainerClient, manifest: Manifest) -> None:
        self._groups = Archive(groups, manifest.layout)
        self._members = Archive(members, LAYOUT)
        self.manifest = manifest
        self.members = _best_members(members, manifest)

    def __call__(self) -> Iterator[tuple[str, Wanted]]:
        """Yield the groups, ordered by ID.

        Raises:
            CorruptSnapshot: where a blob is not what its manifest says.
        """
        copied = read_lines(self._members, self.members) if self.members else iter(())
        for group_id, line, members_line in side_by_side(read_lines(self._groups, self.manifest), copied):
            if line is not None:
                listed = _read(members_line) if members_line else None
                persons = tuple(listed.person_ids) if listed else None
                yield group_id, Wanted(line, persons, listed.listed_at if listed else None)


def _read(line: bytes) -> Members:
    try:
        return read_members(line)
    except (ValueError, RecursionError):
        raise CorruptSnapshot("a line is not a group's members") from None


def _best_members(container: ContainerClient, manifest: Manifest) -> MembersManifest | None:
    """Return the first copy that was made of this snapshot or a later one, else the last before it."""
    if manifest.kind is not ListedKind.DYNAMIC_PERSON_GROUP or not container.exists():
        return None
    catalog = Catalog(container, LAYOUT, MembersManifest)
    best = None
    for snapshot_id in reversed(catalog.ids()):
        try:
            copy = catalog.manifest(snapshot_id)
        except CorruptSnapshot:
            continue
        if copy is None or copy.source != manifest.source:
            continue
        if best is not None and copy.groups_snapshot < manifest.snapshot_id:
            break
        best = copy
    return best
