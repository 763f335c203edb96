"""Runs the demo: ``script/demo``."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from rich.console import Console

from local.connection import CONNECTION_FILE
from local.demo.cases import GRACE_SECONDS
from local.demo.expected import find_problems
from local.demo.real import show_resource
from local.demo.snapshot import GROUPS, show_restore, show_snapshot
from local.demo.watches import show_watches
from local.functions_host import HostKind
from local.host.errors import SettingError
from local.server import START_ERRORS, add_host_argument, describe, hold, print_user_settings
from local.signals import ending_on_signals
from local.stack import Stack, start_stack
from local.user_settings import read_user_settings

PLAIN_WIDTH = 120
SETTINGS = {"WATCH_GRACE_SECONDS": str(GRACE_SECONDS), "WATCH_MAX_DELAY_SECONDS": "3"}


def main() -> int:
    """Return 0 where every outcome was as expected, 1 where one was not or the stack did not come up."""
    arguments = _read_arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    began = time.monotonic()
    try:
        settings = _user_settings(console) if arguments.face else SETTINGS
        with (
            ending_on_signals(),
            start_stack(
                host_kind=HostKind(arguments.host),
                settings=settings,
                usual_ports=arguments.keep,
                connection_file=CONNECTION_FILE,
            ) as stack,
        ):
            console.print(f"The stack is up ({arguments.host} host), after {time.monotonic() - began:.0f} s.")
            problems = show_resource(stack, console, arguments.groups) if arguments.face else _show(stack, console)
            _conclude(problems, stack, console, time.monotonic() - began)
            if arguments.keep:
                console.print(describe(stack), markup=False, soft_wrap=True)
                with suppress(KeyboardInterrupt):
                    hold(stack)
            return 1 if problems else 0
    except KeyboardInterrupt:
        return 130  # as a shell has it
    except START_ERRORS as error:
        print(error, file=sys.stderr)
        return 1


def _user_settings(console: Console) -> Mapping[str, str]:
    user = read_user_settings()
    print_user_settings(user, console)
    if not user.has_face:
        raise SettingError(
            "Found no FACE_ENDPOINT of yours in local.settings.json. Copy local.settings.sample.json to it, and set "
            "FACE_ENDPOINT and FACE_KEY (or leave the key empty, and log in with az)."
        )
    return user.values


def _show(stack: Stack, console: Console) -> list[str]:
    console.rule("1. Watching trainings", align="left")
    watching = show_watches(stack, console)
    problems = find_problems(watching.enqueued, watching.events, stack.face.endpoint)
    calls = stack.face.control.statistics().train_calls
    expected = {f"largePersonGroup/{group}": {"202": 1} for group in ("auditors", "new-hires")}
    if calls != expected:
        problems.append(f"expected one train call each for auditors and new-hires, found {calls}")
    console.rule(f"2. A snapshot of {GROUPS} dynamic person groups", align="left")
    problems += show_snapshot(stack, console)
    console.rule("3. A group that is brought back", align="left")
    return problems + show_restore(stack, console)


def _conclude(problems: Sequence[str], stack: Stack, console: Console, seconds: float) -> None:
    for problem in problems:
        console.print(f"not as expected: {problem}", style="red", markup=False, soft_wrap=True)
    if problems:
        console.print(f"The log of all parts: {stack.logs.path}", soft_wrap=True)
    else:
        console.print(f"Every outcome was as expected, after {seconds:.0f} s.", style="green")


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("script/demo", description="Show both jobs at work, and check every outcome.")
    add_host_argument(parser)
    parser.add_argument("--keep", action="store_true", help="leave the stack up, and print what to try")
    parser.add_argument(
        "--face", action="store_true", help="use the Face resource and the settings of local.settings.json; only reads"
    )
    parser.add_argument("groups", nargs="*", metavar="KIND/ID", help="with --face: groups whose trainings to watch")
    arguments = parser.parse_args()
    if arguments.groups and not arguments.face:
        parser.error("groups are watched with --face alone; without it the demo has groups of its own")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
