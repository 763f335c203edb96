"""``python -m local.host``: run a Functions app as ``func start`` does, without Core Tools."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from local.host.errors import HostError, SettingError
from local.host.host import Host, load_host
from local.host.host_json import HostSettings, read_host_json
from local.host.keys import Keys, new_keys, read_keys, write_keys
from local.host.local_settings import LocalSettings, read_local_settings
from local.host.logs import configure_logs
from local.host.web import build_web_app
from local.host.worker import Worker, runtime_version

ROOT = Path(__file__).parents[2]
USUAL_PORT = 7071
# Seconds that running functions get when the host ends.
DRAIN_SECONDS = 8.0
# Calls to the storage service at once; its client keeps as many connections.
STORAGE_THREADS = 10
DEFAULT_MAX_BODY = 100 * 1024 * 1024

log = logging.getLogger("local.host")


def main() -> None:
    """Run the host until SIGINT or SIGTERM, with exit status 0, or end with 1 where it cannot run the app."""
    arguments = _parse_arguments()
    directory = arguments.app.resolve()
    keys_file = arguments.keys and arguments.keys.resolve()
    try:
        local_settings = read_local_settings(directory, os.environ)
        settings = read_host_json(directory, local_settings.values)
        os.environ.update(local_settings.values)
        os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        _enter(directory)
        # The port is taken first: a function that runs on start-up must not run where the host cannot.
        with _listen(_choose_port(arguments.port, local_settings)) as listening:
            still_running = asyncio.run(_run(directory, settings, local_settings, listening, keys_file))
    except HostError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    if still_running:
        # A thread that runs a sync function cannot be ended, and would be waited for.
        log.warning("Left running functions behind: %s", ", ".join(still_running))
        sys.stderr.flush()
        os._exit(0)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), help="the app's folder (default: this one)")
    parser.add_argument(
        "--keys", type=Path, help="ask for the keys in this file, which is made where missing (default: ask for none)"
    )
    parser.add_argument("--port", type=int, help=f"the port on 127.0.0.1 (default: {USUAL_PORT}; 0 takes a free one)")
    return parser.parse_args()


def _enter(directory: Path) -> None:
    """Change to the app's folder, and keep the app from importing what lies beside the host."""
    os.chdir(directory)
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != ROOT]


def _choose_port(argument: int | None, local_settings: LocalSettings) -> int:
    if argument is not None:
        return argument
    return USUAL_PORT if local_settings.port is None else local_settings.port


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise HostError(
            f"Port {port} cannot be listened on: {error.strerror}. Choose another by --port, or 0."
        ) from None


async def _run(
    directory: Path,
    settings: HostSettings,
    local_settings: LocalSettings,
    listening: socket.socket,
    keys_file: Path | None,
) -> list[str]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(STORAGE_THREADS, "storage"))
    worker = Worker()
    debug = local_settings.values.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in ("1", "true")
    configure_logs(settings.log_levels, worker.running_function, debug=debug)
    _say(f"This is a stand-in for Azure Functions Core Tools. It drives azure-functions-runtime {runtime_version()}.")
    host = await load_host(directory, worker, settings, local_settings.values)
    app = build_web_app(
        host.functions,
        host.invocations,
        route_prefix=settings.route_prefix,
        max_body=_max_body(local_settings.values),
        keys=_prepare_keys(keys_file, host) if keys_file else None,
    )
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    # The server handles these signals while it runs, and raises them again when it has ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    host.start()
    _announce(host, listening)
    await server.serve([listening])
    return await host.stop(DRAIN_SECONDS)


def _prepare_keys(path: Path, host: Host) -> Keys:
    keys = read_keys(path) if path.exists() else new_keys()
    keys = keys.with_functions(function.name for function in host.functions)
    write_keys(path, keys)
    return keys


def _max_body(settings: Mapping[str, str]) -> int:
    """Return the most bytes of a request's body.

    https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
    """
    text = settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or str(DEFAULT_MAX_BODY)
    if not text.isdecimal():
        raise SettingError(f"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is '{text}'; expected a number of bytes.")
    return int(text)


def _announce(host: Host, listening: socket.socket) -> None:
    for function in host.functions:
        disabled = " (disabled)" if function.is_disabled else ""
        _say(f"  {function.name}: {function.bindings.trigger.type}{disabled}")
    _say(f"Listening on http://127.0.0.1:{listening.getsockname()[1]}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
