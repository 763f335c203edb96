"""The keys that HTTP triggers and the admin addresses ask for.

https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from local.host.errors import SettingError
from local.private_file import write_private

HEADER = "x-functions-key"
QUERY_PARAMETER = "code"

type Level = Literal["ANONYMOUS", "FUNCTION", "ADMIN"]


class Keys(msgspec.Struct, frozen=True, rename="camel"):
    """The keys of an app."""

    master_key: str  # opens everything
    function_keys: Mapping[str, str]  # the host's own, by name: each opens every function
    functions: Mapping[str, Mapping[str, str]] = {}  # by function and by name: each opens that function

    def level_of(self, key: str, function_name: str | None = None) -> Level:
        """Return what a key opens, at a function or at an address of the host's own."""
        if _same(key, self.master_key):
            return "ADMIN"
        of_function = self.functions.get(function_name or "", {})
        return (
            "FUNCTION"
            if any(_same(key, own) for own in (*self.function_keys.values(), *of_function.values()))
            else "ANONYMOUS"
        )

    def with_functions(self, names: Iterable[str]) -> "Keys":
        """Return these keys, with a key of its own for each function that had none."""
        functions = {name: self.functions.get(name) or {"default": _new_key()} for name in names}
        return Keys(self.master_key, self.function_keys, functions)


def is_open(required: Level, given: Level) -> bool:
    """Return whether a key's level opens what requires a level (``AuthUtility`` in Azure/azure-functions-host)."""
    return required == "ANONYMOUS" or given in ("ADMIN", required)


def new_keys() -> Keys:
    """Return new keys of an app whose functions are not known yet."""
    return Keys(_new_key(), {"default": _new_key()})


def read_keys(path: Path) -> Keys:
    """Return the keys in a file.

    Raises:
        SettingError: the file does not hold keys.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingError(
            f"{path} does not hold the host's keys ({error}). Remove it to have new ones made."
        ) from None


def write_keys(path: Path, keys: Keys) -> None:
    """Keep the keys in a file that only its owner can read."""
    write_private(path, msgspec.json.encode(keys))


def _new_key() -> str:
    return secrets.token_urlsafe(40)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
