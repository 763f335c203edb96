"""``local.settings.json`` and the environment: the app settings, as ``func start`` reads them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from local.host import strict
from local.host.errors import SettingError

_REFERENCE = re.compile(r"%([^%]+)%")


class _Host(msgspec.Struct, frozen=True, rename="pascal"):
    local_http_port: int | None = None


class _LocalSettings(msgspec.Struct, frozen=True, rename="pascal"):
    is_encrypted: bool = False
    values: dict[str, str] = {}
    host: _Host = _Host()


class LocalSettings(msgspec.Struct, frozen=True):
    """The app settings, and the port that the file asks for."""

    values: Mapping[str, str]
    port: int | None


def read_local_settings(app_directory: Path, environment: Mapping[str, str]) -> LocalSettings:
    """Return the ``Values`` of the app's ``local.settings.json``, if it exists; the environment wins over them.

    Raises:
        SettingError: the file is malformed, or has a setting that the stand-in does not know.
    """
    path = app_directory / "local.settings.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        data = {}
    except ValueError as error:
        raise SettingError(f"{path} is not JSON: {error}.") from None
    return parse_local_settings(data, environment)


def parse_local_settings(data: object, environment: Mapping[str, str]) -> LocalSettings:
    """Return the settings that a ``local.settings.json`` and the environment make.

    Raises:
        SettingError: they are malformed, or the stand-in does not know one.
    """
    try:
        parsed = strict.convert(data, _LocalSettings, "local.settings.json")
    except strict.UnknownNameError as error:
        raise SettingError(f"{error} The stand-in rejects what it would otherwise ignore.") from None
    except msgspec.ValidationError as error:
        raise SettingError(f"local.settings.json: {error}.") from None
    if parsed.is_encrypted:
        raise SettingError(
            "local.settings.json is encrypted, which the stand-in cannot read. Run 'func settings decrypt'."
        )
    values = {**parsed.values, **environment}
    if (runtime := values.get("FUNCTIONS_WORKER_RUNTIME", "python")) != "python":
        raise SettingError(f"FUNCTIONS_WORKER_RUNTIME is '{runtime}'; the stand-in runs python alone.")
    return LocalSettings(values, parsed.host.local_http_port)


def expand(text: str, settings: Mapping[str, str]) -> str:
    """Replace each ``%NAME%`` by the app setting of that name.

    Raises:
        SettingError: a setting does not exist.
    """

    def value_of(match: re.Match[str]) -> str:
        try:
            return settings[match[1]]
        except KeyError:
            raise SettingError(f"'%{match[1]}%' names no app setting. Set {match[1]} in local.settings.json.") from None

    return _REFERENCE.sub(value_of, text)
