"""The worker's message classes, which it gets as a namespace. Here they only keep their keywords.

In production they are the classes of ``azure_functions_worker.protos`` (FunctionRpc.proto), filled from gRPC.
"""

from types import SimpleNamespace
from typing import Any


class Message:
    """A message with the fields that it was made with."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class TypedData(Message):
    """A value under the name of its type: ``string``, ``bytes``, ``json``, ``http``."""

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        """Return the name of the type."""
        return next(iter(self.__dict__), None)


class ParameterBinding(Message):
    """A value for, or from, one binding."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        """Return which field holds the value; shared memory is not used."""
        return "data"


class StatusResult(Message):
    """How a request ended."""

    Failure = 0
    Success = 1
    Cancelled = 2


class RpcHttpCookie(Message):
    """A cookie that a response sets."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


_PLAIN = (
    *("FunctionEnvironmentReloadResponse", "FunctionLoadResponse", "FunctionMetadataResponse", "InvocationResponse"),
    *("NullableBool", "NullableDouble", "NullableString", "NullableTimestamp"),
    *("RpcException", "RpcFunctionMetadata", "RpcHttp", "RpcRetryOptions"),
    *("Timestamp", "WorkerInitResponse", "WorkerMetadata"),
)

PROTOS = SimpleNamespace(
    BindingInfo=type("BindingInfo", (Message,), {"in": 0, "out": 1, "inout": 2}),
    ParameterBinding=ParameterBinding,
    RpcHttpCookie=RpcHttpCookie,
    StatusResult=StatusResult,
    TypedData=TypedData,
    **{name: type(name, (Message,), {}) for name in _PLAIN},
)
