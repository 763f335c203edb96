"""Runs the Face emulator: ``python -m local.face_emulator --port 8800 --key anything``."""

import argparse
import ipaddress
import os
import secrets
import socket
from contextlib import suppress

import uvicorn

from local.face_emulator.app import make_app
from local.face_emulator.connection import CuttableProtocol
from local.face_emulator.control_api import TOKEN_VARIABLE
from local.face_emulator.state import State

KEEP_ALIVE_SECONDS = 240  # as Azure's load balancers; a shorter one would cut idle connections of clients' pools


def main() -> None:
    """Serve until a signal comes."""
    arguments = _read_arguments()
    with socket.create_server((arguments.host, arguments.port)) as listener:
        # asyncio leaves it off where a socket's protocol is not named, and each response then waits 40 ms for an ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = listener.getsockname()[:2]
        # The socket takes connections from here on, so whoever reads this line can connect.
        print(f"Face emulator listening on http://{host}:{port}", flush=True)
        token = os.environ.get(TOKEN_VARIABLE)
        if not token:
            token = secrets.token_urlsafe(32)
            print(f"Token of the control API: {token}", flush=True)
        _serve(State(token, arguments.key, arguments.requests_per_second), listener)


def _serve(state: State, listener: socket.socket) -> None:
    config = uvicorn.Config(
        make_app(state),
        http=CuttableProtocol,
        lifespan="off",
        log_level="warning",
        access_log=False,  # addresses hold groups' IDs
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has ended
        uvicorn.Server(config).run(sockets=[listener])


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m local.face_emulator", description="An emulator of Azure AI Face.")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="a loopback address (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--key", help="the key to ask for; any where it is left out")
    parser.add_argument("--requests-per-second", type=float, help="answer 429 beyond; no limit where it is left out")
    return parser.parse_args()


def _loopback(host: str) -> str:
    try:
        loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise argparse.ArgumentTypeError(f"found {host!r}; the emulator listens on 127.0.0.0/8 alone")
    return host


if __name__ == "__main__":
    main()
