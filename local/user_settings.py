"""The settings that a user has put into ``local.settings.json``, as far as the stack leaves them to users."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from local.functions_host import ROOT, read_sample_settings
from local.host.local_settings import read_local_settings

# The stack has a storage of its own.
_OF_THE_STACK = ("AzureWebJobsStorage", "DataStorage")


class UserSettings(msgspec.Struct, frozen=True):
    """A user's settings."""

    values: Mapping[str, str]
    ignored: list[str]  # the names of those that the stack does not take

    @property
    def has_face(self) -> bool:
        """Whether they name a Face resource, which then takes the emulator's place."""
        return "FACE_ENDPOINT" in self.values


def read_user_settings(directory: Path = ROOT) -> UserSettings:
    """Return the settings in the folder's ``local.settings.json``, none where there is no such file.

    What stands there as the sample has it is left to the stack, so the sample's placeholder is no Face resource.

    Raises:
        SettingError: the file is malformed, or has what the stand-in host does not know.
    """
    sample = read_sample_settings()
    values = read_local_settings(directory, environment={}).values
    changed = {name: value for name, value in values.items() if value and value != sample.get(name)}
    ignored = [name for name in changed if name.partition("__")[0] in _OF_THE_STACK]
    if "FACE_ENDPOINT" not in changed:
        ignored += [name for name in ("FACE_KEY", "FACE_TOKEN_SCOPE") if name in changed]
    return UserSettings({name: value for name, value in changed.items() if name not in ignored}, ignored)
