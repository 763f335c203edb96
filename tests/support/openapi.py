"""The OpenAPI document of the HTTP functions, as a check of what they respond."""

import json
import re
from pathlib import Path
from typing import Any

import referencing
from jsonschema import Draft202012Validator
from referencing.jsonschema import DRAFT202012

PATH = Path(__file__).parents[2] / "shared/api/openapi.json"
METHODS = ("get", "post", "delete")

type Seen = tuple[str, str, str]
"""An operation and a status: method, path, status."""


class Document:
    """The document, which notes what was checked."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
        self.seen: set[Seen] = set()
        resource = DRAFT202012.create_resource(self.content)
        self._registry: Any = referencing.Registry().with_resource("urn:document", resource)

    def documented(self) -> set[Seen]:
        """Return each status of each operation."""
        return {
            (method, path, status)
            for path, operations in self.content["paths"].items()
            for method in METHODS
            for status in operations.get(method, {"responses": {}})["responses"]
        }

    def check(self, method: str, path: str, status: int, content_type: str, body: bytes) -> None:
        """Raise AssertionError where a response, to a path below ``/api``, is not as documented."""
        template = next(
            each for each in self.content["paths"] if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]*", re.escape(each)), path)
        )
        responses = self.content["paths"][template][method.lower()]["responses"]
        assert str(status) in responses, f"{method} {template}: the status {status} is not documented"
        self.seen.add((method.lower(), template, str(status)))
        media = self._resolved(responses[str(status)]).get("content")
        if media is None:
            assert not body
            return
        media_type = content_type.partition(";")[0]
        assert media_type in media, f"{method} {template}: {status} is {content_type}"
        if media_type.endswith("json"):
            self._validate(media[media_type]["schema"], json.loads(body))

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        reference = node.get("$ref")
        if reference is None:
            return node
        found = self.content
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        return found

    def _validate(self, schema: dict[str, Any], instance: Any) -> None:
        text = json.dumps(schema).replace('"#/', '"urn:document#/')
        Draft202012Validator(json.loads(text), registry=self._registry).validate(instance)
