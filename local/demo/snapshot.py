"""The second job: a snapshot of many dynamic groups, its manifest, and a group that is brought back from it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.connection import write_connection
from local.snapshot_check import Json, find_problems, read_ids, read_pointer
from local.stack import Stack

GROUPS = 25_000
PAGES = 25
USER_DATA_CHARACTERS = 60
DEADLINE_SECONDS = 40.0
POLL_SECONDS = 0.2
FUNCTION = "snapshot_groups"


def show_snapshot(stack: Stack, console: Console) -> list[str]:
    """Have a snapshot made of many groups, show its progress and its manifest; return what is not as expected."""
    stack.face.control.fill(GROUPS, user_data=USER_DATA_CHARACTERS)
    stack.invoke(FUNCTION)
    pointer = _follow(stack, console)
    if pointer is None:
        return [f"no snapshot was published within {DEADLINE_SECONDS:g} s"]
    container = stack.storage.snapshot_container
    problems = find_problems(container, pointer)
    stored = len(read_ids(container, pointer))
    if stored != GROUPS:
        problems.append(f"{stored} groups are stored, expected {GROUPS}")
    console.print(_draw(pointer, verified=not problems))
    return problems


def show_restore(stack: Stack, console: Console) -> list[str]:
    """Delete a group, show it by the command line, and bring it back; return what is not as expected."""
    (deleted,) = stack.face.control.change(removed=1).removed
    console.print(f"The group {deleted} is deleted by mistake.")
    problems = []
    with TemporaryDirectory(prefix="face-group-ops-") as folder:
        # That of the checkout may be another stack's.
        connection_file = Path(folder) / "connection.json"
        write_connection(stack.connection, connection_file)
        face_ops = partial(_face_ops, console, {**os.environ, "FACE_OPS_CONNECTION": str(connection_file)})
        if f"- {deleted}" not in face_ops("diff", "latest", "now"):
            problems.append("face-ops diff does not show the deleted group")
        face_ops("restore", "latest", "--group", deleted, "--apply", "--yes")
        if face_ops("diff", "latest", "now").strip():
            problems.append("the deleted group is not back")
    return problems


def _face_ops(console: Console, environment: Mapping[str, str], *arguments: str) -> str:
    console.print(f"$ script/face-ops --local {' '.join(arguments)}", style="bold")
    command = [sys.executable, "-m", "cli", "--local", *arguments]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    console.print(done.stdout, end="", markup=False)
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("0 added"))


def _follow(stack: Stack, console: Console) -> Json | None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    columns = (TextColumn("listed"), BarColumn(), MofNCompleteColumn(), TextColumn("pages"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=PAGES)
        said = 0
        while time.monotonic() < deadline:
            pages = _count_pages(stack)
            progress.update(task, completed=pages)
            if not console.is_terminal and pages >= min(said + 5, PAGES) > said:
                said = pages
                console.print(f"listed {pages} of {PAGES} pages")
            if pointer := read_pointer(stack.storage.snapshot_container):
                return pointer
            time.sleep(POLL_SECONDS)
    return None


def _count_pages(stack: Stack) -> int:
    counts = stack.face.control.statistics().requests.get("dynamicPersonGroup.list", {})
    # The last page is asked for to learn that there is nothing behind it.
    return min(counts.get("200", 0), PAGES)


def _draw(pointer: Json, *, verified: bool) -> Table:
    manifest = pointer["manifest"]
    groups = manifest["groups"]
    table = Table(
        title=f"dynamic-person-groups/manifests/{pointer['snapshotId']}.json", title_justify="left", show_header=False
    )
    for name in ("snapshotId", "startedAt", "finishedAt", "apiVersion", "includesUserData", "calls", "throttled"):
        table.add_row(name, str(manifest[name]))
    table.add_row("groups", f"{groups['count']} in {len(groups['parts'])} parts, {groups['size']} bytes")
    table.add_row("sha256", groups["sha256"])
    table.add_row(
        "read again",
        "[green]counts, order, sizes, checksum and every part hold[/]" if verified else "[red]does not hold[/]",
    )
    return table
