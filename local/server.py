"""Runs the stack alone, for people who develop: ``script/server``."""

import argparse
import sys
import time
from typing import NoReturn

from rich.console import Console

from local.connection import CONNECTION_FILE
from local.functions_host import HostKind, default_host_kind
from local.host.errors import SettingError
from local.processes import ChildError
from local.signals import ending_on_signals
from local.stack import Stack, start_stack
from local.to_try import what_to_try
from local.user_settings import UserSettings, read_user_settings
from local.workspace import NotWritableError

POLL_SECONDS = 0.2

# What keeps the stack from running, each with a message for people.
START_ERRORS = (ChildError, FileNotFoundError, NotWritableError, SettingError)


def main() -> int:
    """Run until Ctrl-C (exit status 0), or until a part ends by itself or does not come up (1)."""
    arguments = _read_arguments()
    console = Console(highlight=False)
    try:
        user = read_user_settings()
        print_user_settings(user, console)
        with (
            ending_on_signals(),
            start_stack(
                host_kind=HostKind(arguments.host),
                settings=user.values,
                usual_ports=True,
                connection_file=CONNECTION_FILE,
                console=console,
            ) as stack,
        ):
            console.print(describe(stack), markup=False, soft_wrap=True)
            hold(stack)
    except KeyboardInterrupt:
        return 0
    except START_ERRORS as error:
        print(error, file=sys.stderr)
        return 1


def print_user_settings(user: UserSettings, console: Console) -> None:
    """Say which settings of ``local.settings.json`` are taken, and which are not."""
    if user.values:
        console.print(f"From local.settings.json: {', '.join(user.values)}", markup=False)
    if user.ignored:
        reason = "the stack has a storage of its own, and a key only counts beside its FACE_ENDPOINT"
        console.print(f"Not taken from local.settings.json: {', '.join(user.ignored)} ({reason})", markup=False)


def describe(stack: Stack) -> str:
    """Return where the parts of the stack listen, and what to try with them."""
    ports, host = stack.azurite.ports, stack.host
    face = stack.face.endpoint if stack.has_emulator else f"{stack.settings['FACE_ENDPOINT']} (local.settings.json)"
    return f"""
The stack is up ({host.kind.value} host). Ctrl-C ends it, and its data with it.

  Functions host      {host.endpoint}
  Face {"emulator      " if stack.has_emulator else "service       "} {face}
  Azurite             blob {ports.blob}, queue {ports.queue}, table {ports.table}
  Keys and tokens     {CONNECTION_FILE}
  Log                 {stack.logs.path}

{what_to_try(stack)}"""


def hold(stack: Stack) -> NoReturn:
    """Wait until Ctrl-C.

    Raises:
        ChildError: a part ended by itself.
    """
    while True:
        for child in stack.children:
            if child.process.poll() is not None:
                raise child.failure("it was to run until Ctrl-C")
        time.sleep(POLL_SECONDS)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "script/server",
        description="Run the app on this machine. Settings of local.settings.json are taken, also a FACE_ENDPOINT with "
        "its FACE_KEY (or the login of az); without one the Face emulator runs.",
    )
    add_host_argument(parser)
    return parser.parse_args()


def add_host_argument(parser: argparse.ArgumentParser) -> None:
    """Let the command line choose the host."""
    parser.add_argument(
        "--host",
        choices=[kind.value for kind in HostKind],
        default=default_host_kind().value,
        help="Core Tools' func, or the stand-in (default: func where it is on PATH)",
    )


if __name__ == "__main__":
    sys.exit(main())
