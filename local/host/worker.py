"""The production worker's own code, ``azure-functions-runtime``, driven in this process."""

import importlib.metadata
import secrets
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-untyped]  # it comes without types
import msgspec

from local.host.errors import BindingError, IndexingError
from local.host.protos import PROTOS, Message, ParameterBinding, StatusResult, TypedData

# Where the platform puts an app's packages: a folder beside the app that was deployed.
PACKAGES = ".python_packages/lib/site-packages"


class IndexedFunction(msgspec.Struct, frozen=True):
    """A function that the worker has indexed."""

    id: str
    name: str
    raw_bindings: Sequence[str]  # JSON texts


class InvocationResult(msgspec.Struct, frozen=True):
    """The end of an invocation."""

    failure: str | None = None  # what failed; None: it succeeded
    outputs: Mapping[str, TypedData] = {}  # by the bindings' names


def runtime_version() -> str:
    """Return the version of azure-functions-runtime."""
    return importlib.metadata.version("azure-functions-runtime")


class Worker:
    """The worker of this process, which can load one app."""

    def __init__(self) -> None:
        self._running: dict[str | None, str] = {}

    async def load(self, app_directory: Path) -> list[IndexedFunction]:
        """Load and index the app of a directory and return its functions.

        Call it with the app's settings in the environment.

        Raises:
            IndexingError: the app could not be loaded; the message has its own trace.
            BindingError: the stand-in does not know what the app uses.
        """
        for path in (app_directory / PACKAGES, app_directory):
            if path.is_dir():
                sys.path.insert(0, str(path))
        runtime.start_threadpool_executor()
        response = await runtime.worker_init_request(
            _request(
                properties={"protos": PROTOS, "host": "127.0.0.1"},
                worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app_directory)),
            )
        )
        _raise_for_failure(response)
        if "HttpUri" in response.capabilities:
            raise BindingError(
                "The app streams HTTP (azurefunctions-extensions-http), which the stand-in does not know."
            )
        metadata = await runtime.functions_metadata_request(_request())
        if metadata.function_metadata_results is None:
            raise IndexingError(f"Found no function_app.py in {app_directory}.")
        return [await _load_function(function) for function in metadata.function_metadata_results]

    async def invoke(
        self, function: IndexedFunction, inputs: Mapping[str, TypedData], trigger_metadata: Mapping[str, TypedData]
    ) -> InvocationResult:
        """Run a function once and return how it ended. A sync function runs in the worker's thread pool.

        Call it in a task of its own, whose context then knows the invocation.
        """
        invocation_id = str(uuid.uuid4())
        runtime.invocation_id_cv.set(invocation_id)
        self._running[invocation_id] = function.name
        try:
            response = await runtime.invocation_request(
                _invocation_request(invocation_id, function, inputs, trigger_metadata)
            )
        finally:
            del self._running[invocation_id]
        if response.result.status != StatusResult.Success:
            return InvocationResult(failure=_describe(response.result.exception))
        outputs = {binding.name: binding.data for binding in response.output_data}
        if response.return_value is not None:
            outputs["$return"] = response.return_value
        return InvocationResult(outputs=outputs)

    def running_function(self) -> str | None:
        """Return the name of the function that runs on this thread or in this task, None where none does."""
        return self._running.get(runtime.invocation_id_cv.get())


def _invocation_request(
    invocation_id: str,
    function: IndexedFunction,
    inputs: Mapping[str, TypedData],
    trigger_metadata: Mapping[str, TypedData],
) -> Message:
    trace = SimpleNamespace(
        trace_parent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01", trace_state="", attributes={}
    )
    return _request(
        invocation_request=SimpleNamespace(
            invocation_id=invocation_id,
            function_id=function.id,
            input_data=[ParameterBinding(name=name, data=data) for name, data in inputs.items()],
            trigger_metadata=trigger_metadata,
            trace_context=trace,
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
    )


async def _load_function(metadata: Any) -> IndexedFunction:
    if metadata.retry_options is not None:
        raise BindingError(f"function '{metadata.name}': the stand-in does not know retry policies. Run it in func.")
    load = SimpleNamespace(function_id=metadata.function_id)
    _raise_for_failure(await runtime.function_load_request(_request(function_load_request=load)))
    return IndexedFunction(metadata.function_id, metadata.name, metadata.raw_bindings)


def _request(properties: Mapping[str, Any] | None = None, **content: Any) -> Message:
    return Message(properties=properties, request=SimpleNamespace(**content))


def _raise_for_failure(response: Any) -> None:
    if response.result.status != StatusResult.Success:
        raise IndexingError(f"The app could not be loaded.\n{_describe(response.result.exception)}")


def _describe(exception: Any) -> str:
    return f"{exception.message}\n{exception.stack_trace}".rstrip()
