"""The constraints of route parameters (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints)."""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from local.host.errors import BindingError

MAX_INT = 2**31
MAX_LONG = 2**63

type Fits = Callable[[str], bool]


def parse_constraint(text: str, template: str) -> Fits:
    """Return the test of a constraint, like ``int`` or ``length(1,64)``.

    Raises:
        BindingError: the stand-in does not know the constraint of the route ``template``.
    """
    name, _, rest = text.partition("(")
    arguments = rest.removesuffix(")")
    try:
        if not rest and name in _PLAIN:
            return _PLAIN[name]
        if rest and name == "regex":
            return _matches(arguments)
        if rest and name in _WITH_NUMBERS:
            return _WITH_NUMBERS[name](*(int(argument) for argument in arguments.split(",")))
    except (TypeError, ValueError, re.error):
        raise BindingError(f"route '{template}': the arguments of '{text}' cannot be read.") from None
    known = ", ".join((*_PLAIN, *(f"{name}()" for name in ("regex", *_WITH_NUMBERS))))
    raise BindingError(f"route '{template}': the stand-in does not know the constraint '{text}'. Known: {known}.")


def _is_integer(limit: int) -> Fits:
    return lambda value: _whole(value) is not None and -limit <= int(value) < limit


def _whole(value: str) -> int | None:
    return int(value) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", value, re.ASCII) else None


def _is_number(value: str) -> bool:
    return (
        re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", value, re.ASCII | re.IGNORECASE) is not None
    )


def _is_decimal(value: str) -> bool:
    return _is_number(value) and "e" not in value.lower()


def _is_guid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return not value.lower().startswith("urn:")


def _matches(pattern: str) -> Fits:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: compiled.search(value) is not None


def _has_length(least: int, most: int | None = None) -> Fits:
    return lambda value: least <= len(value) <= (least if most is None else most)


def _is_within(least: int, most: int) -> Fits:
    return lambda value: (number := _whole(value)) is not None and least <= number <= most


_PLAIN: Mapping[str, Fits] = {
    "alpha": lambda value: re.fullmatch("[a-z]*", value, re.ASCII | re.IGNORECASE) is not None,
    "bool": lambda value: value.lower() in ("true", "false"),
    "decimal": _is_decimal,
    "double": _is_number,
    "float": _is_number,
    "guid": _is_guid,
    "int": _is_integer(MAX_INT),
    "long": _is_integer(MAX_LONG),
    "required": bool,
}
_WITH_NUMBERS: Mapping[str, Callable[..., Fits]] = {
    "length": _has_length,
    "max": lambda most: _is_within(-MAX_LONG, most),
    "maxlength": lambda most: _has_length(0, most),
    "min": lambda least: _is_within(least, MAX_LONG),
    "minlength": lambda least: lambda value: len(value) >= least,
    "range": _is_within,
}
