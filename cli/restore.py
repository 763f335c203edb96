"""The command that brings groups back from a snapshot."""

from collections import Counter
from typing import Annotated

import typer

from cli.connect import target
from cli.output import STOPPED, Json, bar, confirm, err, fail, out, print_json
from cli.snapshots import Kind, SnapshotId, manifest_of
from shared.face.page import ListedKind
from shared.snapshots.restore.plan import Action, Lost, Options
from shared.snapshots.restore.restore import Restore
from shared.snapshots.restore.source import RestoreSource
from shared.snapshots.stored.manifest import Manifest, MembersManifest

_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(restore)


def restore(
    context: typer.Context,
    snapshot_id: SnapshotId,
    group: Annotated[list[str] | None, typer.Option("--group", help="Only this group; may be given again.")] = None,
    kind: Kind = ListedKind.DYNAMIC_PERSON_GROUP,
    apply: Annotated[bool, typer.Option("--apply", help="Carry the plan out.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also delete groups and remove persons that the snapshot does not have.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Show what would bring groups back from a snapshot, and with --apply do it.

    Stopped at any point, the same command goes on with what is left. Face templates cannot be exported, so what a
    group of persons or faces contained cannot be brought back; the plan lists it.
    """
    where = target(context)
    manifest = manifest_of(where, kind, snapshot_id)
    source = RestoreSource(where.storage.snapshot_container, where.storage.members_container, manifest)
    options = Options(kind, manifest.includes_user_data, prune)
    job = Restore(where.groups_client, source, options, chosen=set(group) if group else None)
    plan = job.plan()
    actions = [each for each in plan if isinstance(each, Action)]
    lost = [each for each in plan if isinstance(each, Lost)]
    _show(manifest, source.members, actions, lost, as_json=as_json)
    if not apply or not actions:
        return
    if not yes:
        confirm(f"Make these {len(actions)} calls?")
    try:
        with bar("calls", len(actions)) as advance:
            job.apply(actions, advance)
        for each in job.lost:
            _say_lost(each, as_json=as_json)
        job.verify()
    except KeyboardInterrupt:
        raise fail("stopped; run the same command again: it goes on with what is left", STOPPED) from None
    err.print(f"restored and verified: {len(actions)} calls")


def _show(
    manifest: Manifest, members: MembersManifest | None, actions: list[Action], lost: list[Lost], *, as_json: bool
) -> None:
    if as_json:
        for action in actions:
            print_json(
                {
                    "verb": action.verb,
                    "groupId": action.group_id,
                    "persons": len(action.persons),
                    "listedAt": action.listed_at,
                }
            )
        for each in lost:
            _say_lost(each, as_json=True)
        return
    counts = Counter(action.verb for action in actions)
    out.print(f"from snapshot {manifest.snapshot_id}, taken {manifest.started_at}")
    if members:
        out.print(f"members from {members.snapshot_id}: listed between {members.started_at} and the runs before it")
    for verb, count in counts.items():
        out.print(f"  {verb}: {count}")
        for action in [action for action in actions if action.verb == verb][:_SHOWN]:
            listed = f", as listed {action.listed_at}" if action.listed_at else ""
            persons = f" ({len(action.persons)} persons{listed})" if action.persons else ""
            out.print(f"    {action.group_id}{persons}", highlight=False, markup=False)
    for each in lost[:_SHOWN]:
        _say_lost(each, as_json=False)
    if len(lost) > _SHOWN:
        out.print(f"  and {len(lost) - _SHOWN} more; --json lists all")
    if not actions:
        out.print("nothing is to be done: the service is as the snapshot")


def _say_lost(lost: Lost, *, as_json: bool) -> None:
    if as_json:
        print_json({"cannotBringBack": lost.reason, "groupId": lost.group_id})
    else:
        out.print(f"  cannot bring back of {lost.group_id}: {lost.reason}", highlight=False, markup=False)
