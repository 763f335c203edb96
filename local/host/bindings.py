"""The triggers and bindings that the host knows, read from the worker's indexing."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from local.host import strict
from local.host.errors import BindingError, SettingError
from local.host.local_settings import expand


class _Binding(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    name: str
    type: str
    direction: Literal["IN", "OUT"]
    data_type: Literal["UNDEFINED", "STRING", "BINARY"] = "UNDEFINED"


class QueueTrigger(_Binding, frozen=True, kw_only=True):
    """A trigger for each message of a queue."""

    queue_name: str
    connection: str = ""


class TimerTrigger(_Binding, frozen=True, kw_only=True):
    """A trigger at the times of an NCRONTAB schedule, UTC."""

    schedule: str
    run_on_startup: bool = False
    use_monitor: bool = True


class HttpTrigger(_Binding, frozen=True, kw_only=True):
    """A trigger for each request to a route."""

    route: str | None = None  # the function's name where there is none
    methods: list[str] | None = None  # None: all
    auth_level: Literal["ANONYMOUS", "FUNCTION", "ADMIN"] = "FUNCTION"


class HttpOutput(_Binding, frozen=True, kw_only=True):
    """An output that makes the function's return value the response."""


class QueueOutput(_Binding, frozen=True, kw_only=True):
    """An output that sends messages to a queue."""

    queue_name: str
    connection: str = ""


type Trigger = QueueTrigger | TimerTrigger | HttpTrigger
type Output = HttpOutput | QueueOutput

_TRIGGERS: Mapping[str, type[QueueTrigger] | type[TimerTrigger] | type[HttpTrigger]] = {
    "queueTrigger": QueueTrigger,
    "timerTrigger": TimerTrigger,
    "httpTrigger": HttpTrigger,
}
_OUTPUTS: Mapping[str, type[HttpOutput] | type[QueueOutput]] = {"http": HttpOutput, "queue": QueueOutput}


class Bindings(msgspec.Struct, frozen=True):
    """A function's one trigger and its outputs."""

    trigger: Trigger
    outputs: Sequence[Output]


def parse_bindings(function_name: str, raw_bindings: Sequence[str], settings: Mapping[str, str]) -> Bindings:
    """Return the bindings of a function from their JSON texts, with each ``%NAME%`` replaced by that app setting.

    Raises:
        BindingError: the host does not know a binding, or a value in it.
    """
    triggers: list[Trigger] = []
    outputs: list[Output] = []
    for raw in raw_bindings:
        data = json.loads(raw)
        kind = data.get("type")
        where = f"function '{function_name}', binding '{data.get('name')}' ({kind})"
        try:
            expanded = {
                name: expand(value, settings) if isinstance(value, str) else value for name, value in data.items()
            }
            if kind in _TRIGGERS:
                triggers.append(strict.convert(expanded, _TRIGGERS[kind], where))
            elif kind in _OUTPUTS and data.get("direction") == "OUT":
                outputs.append(strict.convert(expanded, _OUTPUTS[kind], where))
            else:
                known = ", ".join((*_TRIGGERS, *(f"{name} (out)" for name in _OUTPUTS)))
                raise BindingError(f"{where}: the stand-in does not know this binding. Known: {known}. Run it in func.")
        except (strict.UnknownNameError, msgspec.ValidationError, SettingError) as error:
            raise BindingError(f"{where}: {error}") from None
    if len(triggers) != 1:
        raise BindingError(f"function '{function_name}': found {len(triggers)} triggers; expected one.")
    return Bindings(triggers[0], outputs)
