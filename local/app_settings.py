"""The app's settings on this machine."""

import json
from pathlib import Path

from local.face_emulator.process import FaceEmulator

ROOT = Path(__file__).parent.parent


def read_sample_settings() -> dict[str, str]:
    """Return the app's settings as ``local.settings.sample.json`` has them."""
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    values: dict[str, str] = sample["Values"]
    return values


def app_settings(connection_string: str, face: FaceEmulator) -> dict[str, str]:
    """Return the app's settings for these parts; what does not depend on them is the sample's."""
    return read_sample_settings() | storage_settings(connection_string) | face_settings(face)


def storage_settings(connection_string: str) -> dict[str, str]:
    """Return the app's settings for this storage."""
    return {"AzureWebJobsStorage": connection_string, "DataStorage": connection_string}


def face_settings(face: FaceEmulator) -> dict[str, str]:
    """Return the app's settings for this Face service."""
    return {"FACE_ENDPOINT": face.endpoint, "FACE_KEY": face.key}
