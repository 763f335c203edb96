"""The usual TCP ports, where they are free."""

import socket

from local.azurite import USUAL_PORTS, Ports
from local.processes import free_port

USUAL_HOST_PORT = 7071


def azurite_ports() -> Ports:
    """Return Azurite's usual ports where all three are free, else none."""
    usual = USUAL_PORTS
    return usual if all(map(_is_free, (usual.blob, usual.queue, usual.table))) else Ports()


def host_port() -> int:
    """Return the port on which ``func start`` listens where it is free, else one that is."""
    return USUAL_HOST_PORT if _is_free(USUAL_HOST_PORT) else free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As servers do it: a connection that has just ended does not count as taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
