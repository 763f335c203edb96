"""How to reach a running stack: a file for the command line, in the checkout."""

from pathlib import Path

import msgspec

from local.private_file import write_private
from local.workspace import make_folder

ROOT = Path(__file__).parent.parent
CONNECTION_FILE = ROOT / ".stack/connection.json"


class Connection(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The addresses and the secrets of a running stack."""

    address: str  # of the Functions host
    connection_string: str  # of Azurite
    face_endpoint: str
    face_key: str
    face_control_token: str | None  # of the emulator's control API; None where the Face service is a real one
    master_key: str | None  # of the Functions host; None, as for the other keys, where it asks for none (func)
    function_key: str | None  # opens every function
    function_keys: dict[str, str]  # by function: opens that one


def read_connection(path: Path = CONNECTION_FILE) -> Connection:
    """Return how to reach the running stack.

    Raises:
        FileNotFoundError: no stack runs that writes this file.
        msgspec.MsgspecError: the file does not hold a connection.
    """
    return msgspec.json.decode(path.read_bytes(), type=Connection)


def write_connection(connection: Connection, path: Path = CONNECTION_FILE) -> None:
    """Write how to reach the running stack, for its owner alone.

    Raises:
        NotWritableError: the file's folder cannot be written to.
    """
    make_folder(path.parent)
    write_private(path, _encode(connection))


def remove_connection(connection: Connection, path: Path = CONNECTION_FILE) -> None:
    """Remove the file, unless another stack has written its own meanwhile."""
    if path.exists() and path.read_bytes() == _encode(connection):
        path.unlink()


def _encode(connection: Connection) -> bytes:
    return msgspec.json.format(msgspec.json.encode(connection)) + b"\n"
