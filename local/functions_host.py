"""The Functions host as a child process: Core Tools' ``func`` where it is installed, else the stand-in."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import requests

from local import processes
from local.host.keys import HEADER, Keys, new_keys, read_keys, write_keys

ROOT = Path(__file__).parent.parent
# At its first start, func downloads the extension bundle.
START_TIMEOUT_SECONDS = 180.0
REQUEST_TIMEOUT_SECONDS = 10.0

# The variables that a program needs. The others stay away, since the host reads each as a setting.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY")
# Where the login of az is, for a Face resource that takes no key.
_AZURE_CONFIG = "AZURE_CONFIG_DIR"


class HostKind(StrEnum):
    """The programs that can host the functions."""

    FUNC = "func"
    STAND_IN = "stand-in"


def default_host_kind() -> HostKind:
    """Return ``func`` where it is on PATH, else the stand-in."""
    return HostKind.FUNC if shutil.which("func") else HostKind.STAND_IN


@dataclass(frozen=True)
class FunctionsHost:
    """A running host."""

    kind: HostKind
    endpoint: str
    child: processes.Child
    keys: Keys | None = None  # None where it asks for none

    def invoke(self, function_name: str, text: str = "") -> None:
        """Have a function run once, with ``text`` as its trigger's input; the host does not wait for its end.

        See https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http.

        Raises:
            requests.RequestException: the host does not respond, or rejects the call.
        """
        address = f"{self.endpoint}/admin/functions/{function_name}"
        with _session(self.keys) as session:
            session.post(address, json={"input": text}, timeout=REQUEST_TIMEOUT_SECONDS).raise_for_status()


@contextmanager
def start_functions_host(
    kind: HostKind,
    settings: Mapping[str, str],
    *,
    port: int = 0,
    keys_file: Path | None = None,
    on_line: Callable[[str], None] = processes.ignore_line,
) -> Iterator[FunctionsHost]:
    """Run the app in a host on the loopback interface until the block is left; port 0 takes a free one.

    The stand-in asks for the keys in ``keys_file``, which are made where missing; without one, and in func, it asks for
    none. ``settings`` are the app's and go through the host's environment, where they win over ``local.settings.json``.

    Raises:
        FileNotFoundError: the program is not installed.
        ChildError: it does not come up.
    """
    port = port or processes.free_port()
    if kind is HostKind.FUNC:
        keys_file = None
    elif keys_file and not keys_file.exists():
        write_keys(keys_file, new_keys())
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    inherited[_AZURE_CONFIG] = os.environ.get(_AZURE_CONFIG, str(Path.home() / ".azure"))
    # Storage and the Face service are on this machine; what else func fetches may need the proxy.
    environment = {**inherited, "NO_PROXY": "127.0.0.1", **_surroundings(kind), **settings}
    with processes.start(
        _command(kind, port, keys_file), name="host", cwd=ROOT, environment=environment, on_line=on_line
    ) as child:
        host = FunctionsHost(kind, f"http://127.0.0.1:{port}", child, read_keys(keys_file) if keys_file else None)
        _wait_until_running(host)
        # The host has added the keys of its functions.
        yield replace(host, keys=read_keys(keys_file) if keys_file else None)


def read_sample_settings() -> dict[str, str]:
    """Return the app's settings as ``local.settings.sample.json`` has them."""
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    values: dict[str, str] = sample["Values"]
    return values


def _command(kind: HostKind, port: int, keys_file: Path | None) -> list[str]:
    if kind is HostKind.STAND_IN:
        keys = ["--keys", str(keys_file)] if keys_file else []
        return [sys.executable, "-m", "local.host", "--port", str(port), *keys]
    program = shutil.which("func")
    if program is None:
        raise FileNotFoundError(
            "Found no func on PATH. Install Azure Functions Core Tools 4 "
            "(https://learn.microsoft.com/azure/azure-functions/functions-run-local), or take the stand-in host."
        )
    return [program, "start", "--port", str(port)]


def _surroundings(kind: HostKind) -> dict[str, str]:
    if kind is HostKind.STAND_IN:
        return {"PYTHONUNBUFFERED": "1"}
    # func keeps the extension bundle and its own settings in the home folder, and runs the Python of the environment.
    home = ROOT / ".local/func"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "VIRTUAL_ENV": sys.prefix,
        "PATH": os.pathsep.join((f"{sys.prefix}/bin", os.environ.get("PATH", os.defpath))),
        "FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT": "1",
    }


def _wait_until_running(host: FunctionsHost) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    with _session(host.keys) as session:
        while not _is_running(session, host.endpoint):
            if host.child.process.poll() is not None or time.monotonic() > deadline:
                raise host.child.failure(f"waited up to {START_TIMEOUT_SECONDS:g} s for it to run the app")
            time.sleep(0.1)


def _is_running(session: requests.Session, endpoint: str) -> bool:
    try:
        response = session.get(f"{endpoint}/admin/host/status", timeout=REQUEST_TIMEOUT_SECONDS)
    except requests.RequestException:
        return False
    return response.ok and response.json().get("state") == "Running"


def _session(keys: Keys | None) -> requests.Session:
    session = requests.Session()
    if keys:
        session.headers[HEADER] = keys.master_key
    session.trust_env = False  # no proxy lies on the way to ourselves
    return session
