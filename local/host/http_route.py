"""Route templates of HTTP triggers, as ASP.NET Core's routing reads them for the host.

https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

import msgspec

from local.host.errors import BindingError
from local.host.route_constraints import parse_constraint

# Addresses of the host's own.
RESERVED = ("admin", "runtime")

_PARAMETER = re.compile(
    r"(?P<catch_all>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^=?]*)*)(?P<default>=.*)?(?P<optional>\?)?"
)
# A constraint's arguments may hold colons.
_CONSTRAINT = re.compile(r":(\w+(?:\(.*?\)(?=:|$))?)")


class _Parameter(msgspec.Struct, frozen=True):
    """A segment that stands for a value."""

    name: str
    constraints: Sequence[Callable[[str], bool]]
    default: str | None
    optional: bool
    catch_all: bool  # takes the rest of the path

    @property
    def can_be_missing(self) -> bool:
        """Whether the path may end before it."""
        return self.optional or self.default is not None or self.catch_all

    def accepts(self, value: str) -> bool:
        """Return whether it can have a value, which is empty where the path ends before it."""
        return all(fits(value) for fits in self.constraints) if value else self.can_be_missing


class HttpRoute:
    """A route template: literal segments, ``{name}``, ``{name:int}``, ``{name?}``, ``{name=default}``, ``{*rest}``."""

    def __init__(self, template: str) -> None:
        """Read a template.

        Raises:
            BindingError: the template is malformed, or has what the stand-in does not know.
        """
        self.template = template.strip("/")
        self._segments = [_parse_segment(segment, template) for segment in _split(self.template)]
        parameters = [segment for segment in self._segments if isinstance(segment, _Parameter)]
        if len({parameter.name.lower() for parameter in parameters}) < len(parameters):
            raise BindingError(f"route '{template}': expected each parameter once.")
        if any(parameter.catch_all for parameter in parameters[:-1]) or self._has_gap():
            raise BindingError(f"route '{template}': expected a parameter that can be missing at the end alone.")
        if self._segments and self._segments[0] in RESERVED:
            raise BindingError(
                f"route '{template}': found an address of the host's own; expected another than {RESERVED}."
            )

    def match(self, raw_path: str) -> Mapping[str, str] | None:
        """Return the parameters' values in a path as it was sent, percent-encoded; None where it does not match.

        Literals are compared without case, and a slash at the end does not count. Optional parameters that are
        missing are left out.
        """
        path = [_decode(part) for part in raw_path.removeprefix("/").removesuffix("/").split("/")]
        path = [] if path == [""] else path
        values: dict[str, str] = {}
        for index, segment in enumerate(self._segments):
            if isinstance(segment, str):
                if [part.lower() for part in path[index : index + 1]] != [segment]:
                    return None
                continue
            value = "/".join(path[index:] if segment.catch_all else path[index : index + 1]) or segment.default or ""
            if not segment.accepts(value):
                return None
            if value:
                values[segment.name] = value
        return None if len(path) > len(self._segments) and not self._takes_the_rest() else values

    def _has_gap(self) -> bool:
        missing = [isinstance(segment, _Parameter) and segment.can_be_missing for segment in self._segments]
        return missing != sorted(missing)

    def _takes_the_rest(self) -> bool:
        return bool(self._segments) and isinstance(last := self._segments[-1], _Parameter) and last.catch_all


def _split(template: str) -> list[str]:
    """Return the segments; a slash within braces is a part of a constraint."""
    return re.findall(r"(?:\{(?:\{\{|\}\}|[^{}])*\}|[^/{}])+|(?<=/)(?=/)|[{}]", template)


def _parse_segment(segment: str, template: str) -> str | _Parameter:
    if "{" not in segment and "}" not in segment:
        if not segment or "?" in segment:
            raise BindingError(f"route '{template}': expected segments that are not empty and have no '?'.")
        return segment.lower()
    inner = segment[1:-1].replace("{{", "{").replace("}}", "}")
    match = _PARAMETER.fullmatch(inner) if segment[0] == "{" and segment[-1] == "}" else None
    if match is None:
        raise BindingError(
            f"route '{template}': found '{segment}'; the stand-in knows literal segments and whole ones in braces."
        )
    texts = _CONSTRAINT.findall(match["constraints"])
    if "".join(f":{text}" for text in texts) != match["constraints"]:
        raise BindingError(f"route '{template}': the constraints of '{segment}' cannot be read.")
    return _Parameter(
        name=match["name"],
        constraints=[parse_constraint(text, template) for text in texts],
        default=match["default"] and match["default"][1:],
        optional=match["optional"] is not None,
        catch_all=bool(match["catch_all"]),
    )


def _decode(part: str) -> str:
    # The host's server leaves an encoded slash as it is.
    return unquote(re.sub("%2f", lambda slash: "%25" + slash[0][1:], part, flags=re.IGNORECASE))
