"""What Azurite's debug log says of the calls that it got."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINE = re.compile(r"^\S+ (\S+) \w+: (.*)$")
_REQUEST = re.compile(r"\w+ContextMiddleware: RequestMethod=\w+ RequestURL=(\S+) RequestHeaders:(\{.*\}) ClientIP=")
_OPERATION = re.compile(r"DispatchMiddleware: Operation=(\w+)")
_BATCH = re.compile(r'TableHandler:batch\(\) Raw request string is "(.*)"')
_NEW_TABLE = re.compile(r'HandlerMiddleware: DeserializedParameters=\{.*"tableName":"(\w+)"')
_IN_BATCH = re.compile(r"(POST|PUT|PATCH|MERGE|DELETE) http://[^/]+/\w+/(\w+)")


@dataclass(frozen=True)
class Call:
    """One call of the storage service."""

    operation: str  # as Azurite names it, such as ``Messages_Enqueue``; a transaction is one call for each of its parts
    resource: str  # the queue, table or container; empty for the account
    caller: str  # its user agent
    with_tags: bool  # whether it sets or reads a blob's tags beside what it is for


def read_calls(log: Path) -> Iterator[Call]:
    """Yield the calls in the order of their ends."""
    asked: dict[str, tuple[str, dict[str, str]]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        parts = _LINE.match(line)
        if not parts:
            continue
        request_id, text = parts.groups()
        if request := _REQUEST.match(text):
            asked[request_id] = (request[1], json.loads(request[2]))
        elif (operation := _OPERATION.match(text)) and operation[1] not in ("Table_Batch", "Table_Create"):
            yield _call(operation[1], *asked[request_id])
        elif batch := _BATCH.match(text):
            yield from _in_batch(batch[1], asked[request_id][1])
        elif new := _NEW_TABLE.match(text):
            yield Call("Table_Create", new[1], asked[request_id][1]["user-agent"], with_tags=False)


def _call(operation: str, url: str, headers: dict[str, str]) -> Call:
    address = urlsplit(url)
    resource = unquote(address.path).split("/", 3)[2].partition("(")[0]
    with_tags = "x-ms-tags" in headers or "tags" in address.query
    return Call(operation, "" if resource == "Tables" else resource, headers["user-agent"], with_tags)


def _in_batch(body: str, headers: dict[str, str]) -> Iterable[Call]:
    verbs = {"POST": "Table_InsertEntity", "DELETE": "Table_DeleteEntity"}
    for verb, table in _IN_BATCH.findall(body):
        yield Call(verbs.get(verb, "Table_UpdateEntity"), table, headers["user-agent"], with_tags=False)
