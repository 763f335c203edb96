"""Talk to one Bicep compiler for many files: it takes seconds to start, and less than one for a file.

The protocol is JSON-RPC with headers as in the language server protocol (``src/Bicep.Cli/Rpc`` in Azure/bicep).
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.support.arm.deployment import RESOURCE_GROUP, SUBSCRIPTION


class Bicep:
    """A running compiler."""

    def __init__(self, to: IO[bytes], out_of: IO[bytes]) -> None:
        self._to, self._out_of = to, out_of
        self._calls = 0

    def snapshot(self, parameters: Path) -> dict[str, Any]:
        """Return what a deployment with a ``.bicepparam`` file would make."""
        place = {"subscriptionId": SUBSCRIPTION, "resourceGroup": RESOURCE_GROUP, "location": "westeurope"}
        response = self._call("bicep/getSnapshot", path=str(parameters), metadata=place)
        snapshot: dict[str, Any] = json.loads(response["snapshot"])
        assert snapshot["diagnostics"] == []
        return snapshot

    def parameters(self, parameters: Path) -> dict[str, Any]:
        """Return the values in a ``.bicepparam`` file."""
        response = self._call("bicep/compileParams", path=str(parameters), parameterOverrides={})
        values = json.loads(response["parameters"])["parameters"]
        return {name: value["value"] for name, value in values.items()}

    def _call(self, method: str, **arguments: object) -> Any:
        self._calls += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._calls, "method": method, "params": arguments}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()
        length = 0
        while line := self._out_of.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        response = json.loads(self._out_of.read(length))
        assert "error" not in response, response["error"]["message"]
        return response["result"]


@contextmanager
def start_bicep(program: str) -> Iterator[Bicep]:
    """Run a compiler until the block is left."""
    command = [program, "jsonrpc", "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - of PATH
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Bicep(process.stdin, process.stdout)
        finally:
            process.terminate()
