import json
import os
import subprocess
import sys

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator

NOT_OF_A_POLL = (
    "azure.eventgrid",
    "azure.identity",
    "azure.storage.blob",
    "shared.api",
    "shared.snapshots",
)

PROGRAM = """
import json, sys
from datetime import UTC, datetime
from shared import wiring
from shared.training.messages import Message

wiring.watcher().handle(Message("00000000-0000-4000-8000-000000000000", datetime.now(UTC), b"late-imports"))
print(json.dumps(sorted(sys.modules)))
"""


def test_a_process_imports_for_its_first_poll_only_what_a_poll_needs(
    azurite: Azurite, face_emulator: FaceEmulator
) -> None:
    face_emulator.control.group("largePersonGroup", "late-imports", train=True)
    environment = {
        **os.environ,
        "AzureWebJobsStorage": azurite.connection_string,
        "DataStorage": azurite.connection_string,
        "FACE_ENDPOINT": face_emulator.endpoint,
        "FACE_KEY": face_emulator.key,
    }
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    imported = json.loads(done.stdout)
    assert "shared.training.step" in imported
    assert [name for name in imported if name.startswith(NOT_OF_A_POLL)] == []
