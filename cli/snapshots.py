"""The commands that read snapshots, and the one that has one taken."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Column, Table

from cli.connect import Target, target
from cli.output import OTHER_OUTCOME, Json, bar, err, fail, out, print_json
from shared.face.page import ListedKind
from shared.snapshots.changes import changes_between
from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.jobs import SnapshotRequest
from shared.snapshots.library import LATEST, Library
from shared.snapshots.stored.layout import Layout
from shared.snapshots.stored.manifest import Manifest
from shared.snapshots.stored.run import read_status

NOW = "now"
_POLL_SECONDS = 1.0

Kind = Annotated[ListedKind, typer.Option(help="The kind of groups.")]
SnapshotId = Annotated[str, typer.Argument(help="A snapshot's ID, or latest.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (snapshots, verify, diff, find, snapshot):
        app.command()(command)


def snapshots(context: typer.Context, kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP, as_json: Json = False) -> None:
    """List the snapshots, newest first."""
    manifests = list(_library(target(context), kind).manifests())
    if as_json:
        for each in manifests:
            print_json({"unreadable": str(each)} if isinstance(each, CorruptSnapshot) else each)
        return
    table = Table(Column("snapshot", no_wrap=True), "groups", "added", "removed", "changed", "MiB")
    for each in manifests:
        table.add_row(*([str(each)] if isinstance(each, CorruptSnapshot) else _row(each)))
    out.print(table)


def verify(
    context: typer.Context,
    snapshot_id: SnapshotId = LATEST,
    kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP,
    as_json: Json = False,
) -> None:
    """Read a snapshot whole, and hold it to its manifest: order, counts, sizes, checksum."""
    library = _library(target(context), kind)
    manifest = _manifest(library, snapshot_id)
    with bar("groups", manifest.groups.count) as advance:
        for pair in library.lines(manifest):
            advance(pair)
    if as_json:
        print_json({"snapshotId": manifest.snapshot_id, "groups": manifest.groups.count, "holds": True})
    else:
        out.print(f"{manifest.snapshot_id} holds: {manifest.groups.count:,} groups, as its manifest says")


def diff(
    context: typer.Context,
    before: SnapshotId,
    after: Annotated[str, typer.Argument(help="A snapshot's ID, latest, or now: the service as it is.")] = NOW,
    kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP,
    as_json: Json = False,
) -> None:
    """Tell what changed from one snapshot to another, or to the service as it is."""
    where = target(context)
    library = _library(where, kind)
    old = _manifest(library, before)
    if after == NOW:
        changes = changes_between(library.lines(old), _live(where, kind), with_user_data=old.includes_user_data)
    else:
        changes = library.diff(old, _manifest(library, after))
    counts: Counter[str] = Counter()
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for change in changes:
        counts[change.change] += 1
        if as_json:
            print_json(change)
        else:
            out.print(f"{signs[change.change]} {change.group_id}", highlight=False, markup=False)
    if not as_json:
        err.print(f"{counts['added']} added, {counts['removed']} removed, {counts['changed']} changed")


def find(
    context: typer.Context,
    group_id: Annotated[str, typer.Argument(help="A group's ID.")],
    snapshot_id: Annotated[str, typer.Option("--snapshot", help="A snapshot's ID, or latest.")] = LATEST,
    kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP,
) -> None:
    """Print a group as a snapshot has it: JSON, by two small reads."""
    library = _library(target(context), kind)
    manifest = _manifest(library, snapshot_id)
    line = library.find(manifest, group_id)
    if line is None:
        raise fail(f"the snapshot {manifest.snapshot_id} does not have this group", OTHER_OUTCOME)
    print_json(msgspec.Raw(line))


def snapshot(
    context: typer.Context,
    kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP,
    wait: Annotated[bool, typer.Option(help="Wait until the snapshot is published.")] = True,
    as_json: Json = False,
) -> None:
    """Have the app take a snapshot now."""
    storage = target(context).storage
    library = Library(storage.snapshot_container, kind)
    run = storage.snapshot_container.get_blob_client(Layout(kind, "groups").run)
    if read_status(run).running:
        raise fail("a snapshot is already being taken", OTHER_OUTCOME)
    newest = library.get()
    asked = datetime.now(UTC)
    storage.snapshot_requests_queue.send_message(msgspec.json.encode(SnapshotRequest(kind)).decode())
    if not wait:
        err.print("asked for; face-ops snapshots shows it once it is published")
        return
    with bar("groups", None) as advance:
        while (published := library.get()) is None or (newest and published.snapshot_id == newest.snapshot_id):
            status = read_status(run)
            if status.progress and not status.running and status.changed_at and status.changed_at > asked:
                raise fail("the run failed; the app takes it up again, see its log", OTHER_OUTCOME)
            advance()
            time.sleep(_POLL_SECONDS)
    if as_json:
        print_json(published)
    else:
        out.print(f"{published.snapshot_id}: {published.groups.count:,} groups")


def manifest_of(where: Target, kind: ListedKind, snapshot_id: str) -> Manifest:
    """Return a snapshot's manifest, or end the program."""
    return _manifest(_library(where, kind), snapshot_id)


def _library(where: Target, kind: ListedKind) -> Library:
    return Library(where.storage.snapshot_container, kind)


def _manifest(library: Library, snapshot_id: str) -> Manifest:
    try:
        manifest = library.get(snapshot_id)
    except ValueError as error:
        raise fail(str(error), OTHER_OUTCOME) from None
    if manifest is None:
        raise fail(f"there is no snapshot {snapshot_id}; face-ops snapshots lists them", OTHER_OUTCOME)
    return manifest


def _row(manifest: Manifest) -> list[str]:
    changes: Any = manifest.changes
    counts = [str(getattr(changes, name)) if changes else "" for name in ("added", "removed", "changed")]
    size = f"{manifest.groups.size / 2**20:,.1f}"
    return [manifest.snapshot_id, f"{manifest.groups.count:,}", *counts, size]


def _live(where: Target, kind: ListedKind) -> Iterator[tuple[str, bytes]]:
    start = ""
    while page := where.groups_client.groups(kind, start):
        for group in page:
            if group.group_id <= start:
                raise CorruptSnapshot("the service does not list in ordinal order, so it cannot be compared with")
            start = group.group_id
            yield group.group_id, group.body
