"""The faults that the emulator can have, and the lots that decide which request gets which."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated, Literal

import msgspec

Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, tag_field="fault"):
    """A fault and the requests that get it."""

    rate: Rate = 1.0  # the share of the matching requests
    operation: str = "*"  # a shell pattern of operations' names: `*.training`, `dynamicPersonGroup.list`
    remaining: Count | None = None  # how many requests still get it; None: no limit


class ErrorResponse(Fault, frozen=True, tag="errorResponse"):
    """An error in the service's form, by default a 500."""

    status: int = 500
    code: str = "InternalServerError"
    message: str = "Internal server error."


class Throttled(Fault, frozen=True, tag="throttled"):
    """A 429 beside the emulator's own limit."""

    retry_after: int | None = None  # seconds; None leaves the header out
    as_date: bool = False  # write the header as a date
    form: Literal["service", "gateway"] = "service"
    message: str = "Rate limit is exceeded. Try again in 26 seconds."


class Latency(Fault, frozen=True, tag="latency"):
    """A pause before the request is read."""

    seconds: Seconds


class Hang(Fault, frozen=True, tag="hang"):
    """No response, until the client gives up or the connection is cut after so many seconds."""

    seconds: Seconds = 300.0


class Cut(Fault, frozen=True, tag="cut"):
    """A cut connection: before the request is read, after it was carried out, or in the middle of the body."""

    when: Literal["before", "after", "body"] = "before"


class Html(Fault, frozen=True, tag="html"):
    """A page of HTML, as a proxy on the way sends it."""

    status: int = 502


class BrokenJson(Fault, frozen=True, tag="brokenJson"):
    """A body that lacks its second half, with a length that fits."""


class Redirect(Fault, frozen=True, tag="redirect"):
    """A 302 to elsewhere."""

    location: str = "http://127.0.0.1:9/elsewhere"


class PageOutOfOrder(Fault, frozen=True, tag="pageOutOfOrder"):
    """A page of a listing whose items come in another order."""


class PageRepeated(Fault, frozen=True, tag="pageRepeated"):
    """A listing that ignores the cursor, so that the first page comes again."""


AnyFault = (
    ErrorResponse | Throttled | Latency | Hang | Cut | Html | BrokenJson | Redirect | PageOutOfOrder | PageRepeated
)


class Lots:
    """The lots that decide which request gets which faults: the same ones for the same seed and requests."""

    def __init__(self, faults: Sequence[AnyFault] = (), seed: int = 0) -> None:
        self._faults = list(faults)
        self._remaining = [fault.remaining for fault in faults]
        self._random = Random(seed)  # noqa: S311 - it has to be repeatable, not secret

    def draw(self, operation: str) -> list[AnyFault]:
        """Return the faults of one request of that operation, and take them off what remains."""
        return [fault for index, fault in enumerate(self._faults) if self._falls_on(index, operation)]

    def _falls_on(self, index: int, operation: str) -> bool:
        fault, remaining = self._faults[index], self._remaining[index]
        if remaining == 0 or not fnmatchcase(operation, fault.operation) or self._random.random() >= fault.rate:
            return False
        if remaining is not None:
            self._remaining[index] = remaining - 1
        return True
