import traceback

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.storage.queue import StorageErrorCode

from shared.face.errors import (
    GroupNotFound,
)
from shared.face.responses import error_from_response
from shared.redaction import StorageFault, UnforeseenError, describe, redact_errors

SECRET = "a-name-that-nobody-may-read"


def seen_by_host(error: Exception) -> Exception:
    """Return what leaves a function that raises an error because of another one."""

    @redact_errors()
    def function() -> None:
        raise error from KeyError(SECRET)

    with pytest.raises(Exception, match=r".") as raised:
        function()
    return raised.value


def refused_by_storage(code: object) -> HttpResponseError:
    error = HttpResponseError(SECRET)
    error.status_code = 403
    error.error_code = code  # type: ignore[attr-defined] # as the storage SDKs set it
    return error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (GroupNotFound("the group is gone", message=SECRET), GroupNotFound, "the group is gone"),
        (error_from_response(404, {"x-ms-error-code": SECRET}, b""), None, "the Face service responded 404"),
        (ServiceRequestError(SECRET), StorageFault, "ServiceRequestError"),
        (refused_by_storage(StorageErrorCode.AUTHORIZATION_FAILURE), StorageFault, "403 AuthorizationFailure"),
        (refused_by_storage(SECRET), StorageFault, "HttpResponseError 403"),
        (ValueError(SECRET), UnforeseenError, "ValueError at "),
        (msgspec.ValidationError(SECRET), UnforeseenError, "ValidationError at "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_host_sees_our_own_words_alone(error: Exception, kind: type[Exception] | None, text: str) -> None:
    seen = seen_by_host(error)
    assert isinstance(seen, kind or type(error))
    assert text in str(seen)
    assert SECRET not in "".join(traceback.format_exception(seen))


def test_an_error_that_nobody_foresaw_says_where_it_was_raised() -> None:
    assert "tests/unit/test_redaction.py:" in str(seen_by_host(ZeroDivisionError()))


def test_an_error_that_is_logged_is_described_without_its_text() -> None:
    assert describe(GroupNotFound("the group is gone")) == "GroupNotFound: the group is gone"
    assert describe(refused_by_storage(SECRET)) == "HttpResponseError 403"
    assert describe(ValueError(SECRET)) == "ValueError at an unknown place"
