"""Build the errors that the storage's clients raise."""

from azure.core.exceptions import HttpResponseError


def failed_with[E: HttpResponseError](kind: type[E], code: str, status: int, *, index: int | None = None) -> E:
    """Return the error that the client raises where the service refuses a request."""
    error = kind(message=code if index is None else f"{index}:{code}")
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]
    return error
