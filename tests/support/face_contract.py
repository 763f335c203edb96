"""The Face service's contract, as recorded and as specified."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import requests

DATA = Path(__file__).parent.parent / "data/face-contract"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

_FORMATS = jsonschema.FormatChecker()
_FORMATS.checks("date-time")(lambda value: bool(RFC_3339.fullmatch(str(value))))


def read_recording(name: str) -> list[dict[str, Any]]:
    """Return the entries of a recording: ``request``, ``status``, and where kept ``headers`` and ``body``."""
    entries: list[dict[str, Any]] = json.loads((DATA / f"recordings/{name}.json").read_text())["entries"]
    return entries


class Specification:
    """The OpenAPI subset, and which of its operations were seen."""

    def __init__(self) -> None:
        self._document = json.loads((DATA / "openapi/Face.v1.2-preview.1.subset.json").read_text())
        self._definitions = deepcopy(self._document["definitions"])
        # The recordings leave it out until a training has succeeded, though it is specified as required.
        self._definitions["TrainingResult"]["required"].remove("lastSuccessfulTrainingDateTime")
        self.operations = {
            (method.upper(), path): operation
            for path, operations in self._document["paths"].items()
            for method, operation in operations.items()
        }
        self.seen: set[tuple[str, str]] = set()

    def check(self, response: requests.Response, *_: object, **__: object) -> None:
        """Check a response; a hook for ``requests``.

        Raises:
            ValidationError: its body is not as specified.
            AssertionError: something else is not.
        """
        method, path = response.request.method or "", response.request.path_url.split("?")[0]
        path = path.removeprefix("/face/v1.2-preview.1")
        operations = [key for key in self.operations if key[0] == method and _matches(key[1], path)]
        assert len(operations) == 1, f"{method} {path} is not specified"
        self.seen.add(operations[0])
        specified = self.operations[operations[0]]["responses"]
        self._check_as(specified.get(str(response.status_code), specified["default"]), response)

    def _check_as(self, specified: dict[str, Any], response: requests.Response) -> None:
        missing = {name.lower() for name in specified.get("headers", {})} - {name.lower() for name in response.headers}
        assert not missing, f"{response.status_code} without the headers {missing}"
        if schema := specified.get("schema"):
            whole = {**schema, "definitions": self._definitions}
            jsonschema.Draft4Validator(whole, format_checker=_FORMATS).validate(response.json())
        else:
            assert response.content == b""


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None
