"""What the command line prints: tables and bars for people, JSON for programs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SERVICE_TROUBLE, WRONG_USAGE, FAILED, TIMED_OUT, OTHER_OUTCOME = 1, 2, 3, 4, 5
"""Exit codes beside 0, which says that what was asked came true."""

STOPPED = 130
"""The exit code after Ctrl-C, as shells have it."""

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def fail(message: str, code: int) -> typer.Exit:
    """Print a message, and return the exception that ends the program with the code."""
    err.print(message, style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(code)


def confirm(question: str) -> None:
    """Ask on the terminal, and end the program unless the user agrees.

    Raises:
        typer.Exit: where the user does not agree, or nobody is there to be asked.
    """
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise fail("nothing was changed; expected the answer y, or --yes", OTHER_OUTCOME)


@contextmanager
def bar(label: str, total: int | None) -> Iterator[Any]:
    """Show a bar on a terminal while the block runs; give the function that moves it on by one."""
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda *_: progress.advance(task)
