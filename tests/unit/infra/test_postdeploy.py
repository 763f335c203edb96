"""The smoke test passes where the app works, and says what is wrong where it does not."""

import ast
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.hooks.azure import CannotAsk
from infra.hooks.postdeploy import NotProven, caller, credentials, main, prove
from infra.hooks.preprovision import knobs

ROOT = Path(__file__).parents[3]

PATH = "/api/groups/largePersonGroup/smoke/requests/20261124T100000Z-1"


def ended(outcome: str, error: object = None) -> dict[str, Any]:
    """Return what the app answers of a request that has ended."""
    return {"state": "ended", "event": {"data": {"outcome": outcome, "error": error}}}


NOT_FOUND = ended("notFound")

type Reply = tuple[int, object]


@contextmanager
def app(*ends: Reply, accepted: int = 202, health: Reply = (200, {"training": "ok"})) -> Iterator[str]:
    """Respond as the app does; the request's state goes through ``ends``, and stays at the last."""
    left = list(ends)

    class App(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers.get("x-functions-key") == "key" or self.headers.get("Authorization") == "Bearer token"
            self._send((accepted if key else 401, {"location": PATH}))

        def do_GET(self) -> None:
            if self.path == "/api/health":
                self._send(health)
            else:
                self._send(left.pop(0) if len(left) > 1 else left[0])

        def _send(self, reply: Reply) -> None:
            body = json.dumps(reply[1]).encode()
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing of each call."""

    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


KEY = {"x-functions-key": "key"}


def test_an_app_that_works_passes_and_shows_its_health(capsys: pytest.CaptureFixture[str]) -> None:
    with app((200, {"state": "queued"}), (200, {"state": "open"}), (200, NOT_FOUND)) as address:
        prove(caller(address, KEY), seconds=10, pause=0.01)
    said = capsys.readouterr().out
    assert "ended as notFound" in said
    assert '"training": "ok"' in said


def test_a_request_that_does_not_end_fails_with_the_health_as_the_reason() -> None:
    unhealthy = (503, {"face": "403 UnsupportedFeature"})
    with app((200, {"state": "open"}), health=unhealthy) as address, pytest.raises(NotProven) as failure:
        prove(caller(address, KEY), seconds=0.05, pause=0.01)
    assert "UnsupportedFeature" in str(failure.value)
    assert "https://aka.ms/facerecognition" in str(failure.value)


def test_an_unsound_health_fails_though_the_request_has_ended() -> None:
    unhealthy = (503, {"checks": [{"name": "snapshots", "healthy": False, "reason": "403"}]})
    with app((200, NOT_FOUND), health=unhealthy) as address, pytest.raises(NotProven, match=r"(?s)503.*snapshots"):
        prove(caller(address, KEY), seconds=0.05, pause=0.01)


def test_another_outcome_fails() -> None:
    rejected = ended("rejected", {"message": "not a valid group ID"})
    with app((200, rejected)) as address, pytest.raises(NotProven, match=r"rejected, expected notFound: not a valid"):
        prove(caller(address, KEY), seconds=10, pause=0.01)


def test_an_app_that_refuses_the_call_says_that_roles_take_time() -> None:
    with (
        app((200, NOT_FOUND)) as address,
        pytest.raises(NotProven, match=r"refuses the call \(401\).*Roles newly granted"),
    ):
        prove(caller(address, {}), seconds=0.05, pause=0.01)


def test_an_app_that_is_not_there_fails() -> None:
    with app((200, NOT_FOUND)) as address:
        pass
    with pytest.raises(NotProven, match="cannot be reached"):
        prove(caller(address, KEY), seconds=0.05, pause=0.01)


def test_the_key_or_a_token_opens_the_functions() -> None:
    def ask(*words: str) -> Any:
        return {"functionKeys": {"default": "key"}} if words[0] == "functionapp" else {"accessToken": "token"}

    names = {"AZURE_FUNCTION_APP_NAME": "app", "AZURE_RESOURCE_GROUP": "group"}
    assert credentials(names, ask) == KEY
    assert credentials({**names, "ENTRA_CLIENT_ID": "e1"}, ask) == {"Authorization": "Bearer token"}


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({"NETWORK_ISOLATION": "true"}, 0, "skipped"),
        ({}, 1, "FUNCTION_APP_URL"),
        (
            {"FUNCTION_APP_URL": "http://x", "AZURE_FUNCTION_APP_NAME": "app", "AZURE_RESOURCE_GROUP": "group"},
            1,
            "no az on PATH",
        ),
    ],
)
def test_what_it_cannot_do_it_says(
    environment: dict[str, str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*_: str) -> Any:
        raise CannotAsk("found no az on PATH")

    assert main(environment, ask) == code
    said = capsys.readouterr()
    assert says in said.out + said.err


def test_what_it_reads_is_an_output_or_a_parameter_of_the_deployment() -> None:
    read = set(re.findall(r'environment(?:\.get\(|\[)"(\w+)"', (ROOT / "infra/hooks/postdeploy.py").read_text()))
    given = re.findall(r"^output (\w+) ", (ROOT / "infra/main.bicep").read_text(), re.MULTILINE)
    asked_by_azd = {"AZURE_RESOURCE_GROUP"}
    assert read - {*given, *knobs()} == asked_by_azd


@pytest.mark.parametrize("name", ["preprovision", "postdeploy"])
def test_azd_runs_it_on_every_system(name: str) -> None:
    hook = re.search(rf"^  {name}:\n((?:    .*\n)+)", (ROOT / "azure.yaml").read_text(), re.MULTILINE)
    assert hook
    forms = re.findall(r"^    (\w+): \{ shell: (\w+), run: (.+), interactive: true \}$", hook[1], re.MULTILINE)
    # On Windows Python is "python", elsewhere "python3"; pwsh runs a program by its bare name as sh does.
    assert forms == [
        ("posix", "sh", f"python3 -m infra.hooks.{name}"),
        ("windows", "pwsh", f"python -m infra.hooks.{name}"),
    ]
    assert (ROOT / f"infra/hooks/{name}.py").is_file()


def test_the_hooks_run_on_the_python_that_the_docs_ask_for() -> None:
    (minor,) = re.findall(r"Python 3\.(\d+) or newer", (ROOT / "docs/deploying.md").read_text())
    for hook in (ROOT / "infra/hooks").glob("*.py"):
        ast.parse(hook.read_text(), feature_version=(3, int(minor)))
