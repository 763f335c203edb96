"""Tell the host that the app's storage failed, in words that its log may keep."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError


class StorageFault(Exception):
    """The app's own storage failed, so the host has to deliver the message again, or to run the timer again."""


@contextmanager
def redact_storage_errors() -> Iterator[None]:
    """Raise ``StorageFault`` in place of an SDK's error, whose text and trace hold addresses, and so group IDs."""
    try:
        yield
    except AzureError as error:
        status = f" {error.status_code}" if isinstance(error, HttpResponseError) else ""
        code = getattr(error, "error_code", None)
        raise StorageFault(
            f"the app's storage failed: {type(error).__name__}{status}{f', {code}' if code else ''}; "
            "look whether the DataStorage account is up and grants the app its roles"
        ) from None
