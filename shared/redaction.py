"""What may be said of an error, in a log or to the host: nothing that the service, a sender or a library wrote.

The text of the app's own errors is its own words, by rule. Of any other error only its class is said, and where it was
raised; of the storage's also the status and the code.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from azure.core.exceptions import AzureError, HttpResponseError

_APP = Path(__file__).parents[1]
_MAX_FRAMES = 12


class StorageFault(Exception):
    """The app's own storage failed: the host has to deliver the message again, or to run the timer again."""


class UnforeseenError(Exception):
    """An error that nothing in the app handles, without its own text."""


def describe(error: BaseException) -> str:
    """Return what may be logged of an error."""
    if type(error).__module__.partition(".")[0] == "shared":
        return f"{type(error).__name__}: {error}"
    if isinstance(error, AzureError):
        return _storage_words(error)
    return f"{type(error).__name__} at {_place(error)}"


@contextmanager
def redact_errors() -> Iterator[None]:
    """Let only errors pass whose text and trace the host may log: they are all that it shows.

    Raises:
        StorageFault: an SDK raised an error. Its text and its chain hold addresses, and so group IDs.
        UnforeseenError: anything else that is not the app's own.
    """
    try:
        yield
    except AzureError as error:
        raise StorageFault(
            f"the app's storage failed ({_storage_words(error)}); expected the account of DataStorage to be up and to "
            "grant the app its roles"
        ) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "shared":
            raise error from None  # without the errors that led to it
        raise UnforeseenError(describe(error)) from None


def _storage_words(error: AzureError) -> str:
    words = [type(error).__name__]
    if isinstance(error, HttpResponseError):
        words.append(str(error.status_code))
    code = getattr(error, "error_code", None)
    if isinstance(code, Enum):  # one that the SDK knows, not a text of the response
        words.append(str(code.value))
    return " ".join(words)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    return " > ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in frames) or "an unknown place"


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_APP)) if path.is_relative_to(_APP) else path.name
