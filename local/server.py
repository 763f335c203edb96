"""Runs the stack alone, for people who develop: ``script/server``."""

import argparse
import sys
import time
from typing import NoReturn

from rich.console import Console

from local.functions_host import HostKind, default_host_kind
from local.processes import ChildError
from local.signals import ending_on_signals
from local.stack import Stack, start_stack

POLL_SECONDS = 0.2


def main() -> int:
    """Run until Ctrl-C (exit status 0), or until a part ends by itself or does not come up (1)."""
    arguments = _read_arguments()
    console = Console(highlight=False)
    try:
        with (
            ending_on_signals(),
            start_stack(host_kind=HostKind(arguments.host), usual_ports=True, console=console) as stack,
        ):
            console.print(describe(stack), markup=False, soft_wrap=True)
            hold(stack)
    except KeyboardInterrupt:
        return 0
    except (ChildError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1


def describe(stack: Stack) -> str:
    """Return where the parts of the stack listen, and what to try with them."""
    connection, ports, face, host = stack.azurite.connection_string, stack.azurite.ports, stack.face, stack.host
    snapshot = f"{host.endpoint}/admin/functions/snapshot_dynamic_person_groups"
    return f"""
The stack is up ({host.kind.value} host). Ctrl-C ends it, and its data with it.

  Functions host      {host.endpoint}
  Face emulator       {face.endpoint}   key {face.key}
  Azurite             blob {ports.blob}, queue {ports.queue}, table {ports.table}
  Log                 {stack.logs.path}

To try, in another terminal:

  export AZURE_STORAGE_CONNECTION_STRING='{connection}'

  # a group whose training takes 10 seconds, and a watch for it
  curl -X PUT {face.endpoint}/_emulator/plans -d '{{"plan": {{"duration": 10}}}}'
  curl -X PUT {face.endpoint}/_emulator/groups -d '{{"kind": "largePersonGroup", "groupId": "my-group", "train": true}}'
  az storage message put --queue-name training-watch --content my-group

  # how it ended
  az storage message get --queue-name training-results --query '[].content' --output tsv

  # 1000 dynamic groups, and a snapshot of them
  curl {face.endpoint}/_emulator/fill -d '{{"count": 1000}}'
  curl {snapshot} -H 'Content-Type: application/json' -d '{{"input": ""}}'
  az storage blob list --container-name face-snapshots --query '[].name'
"""


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
    parser = argparse.ArgumentParser("script/server", description="Run the app on this machine, with no Azure.")
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
