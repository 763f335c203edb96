"""The body of ``POST /api/requests``: one request, or an array of them."""

import msgspec

from shared.api.responses import Problem
from shared.face.models import GroupKind
from shared.training.messages import Encoding, FollowUp, Rejection, Request, parse_body

MAX_REQUESTS = 1000
MAX_BODY_BYTES = 4 * 1024 * 1024


def read_requests(body: bytes, default_kind: GroupKind) -> tuple[list[Request], bool]:
    """Return the requests, and whether it was a single one rather than an array.

    Raises:
        Problem: the body is too long, is not JSON, or has an item that is not a request: then none is taken.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, "Too much", f"the body has {len(body)} bytes; expected at most {MAX_BODY_BYTES}")
    try:
        # Each item stays as it is, so that each is read by the rules of a queue message.
        whole = msgspec.json.decode(body, type=msgspec.Raw)
        single = not bytes(whole).startswith(b"[")
        items = [whole] if single else msgspec.json.decode(body, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        detail = "the body is not JSON; expected a request's object, or an array of them"
        raise Problem(400, "Invalid JSON", detail) from None
    if not 1 <= len(items) <= MAX_REQUESTS:
        raise Problem(400, "Invalid array", f"the array has {len(items)} requests; expected 1 to {MAX_REQUESTS}")
    parsed = [_parse(bytes(item), default_kind) for item in items]
    errors = [
        {"index": index, "reason": each.reason} for index, each in enumerate(parsed) if isinstance(each, Rejection)
    ]
    if errors:
        detail = f"{len(errors)} of {len(items)} requests are not valid, so none was sent; errors says why"
        raise Problem(400, "Invalid request", detail, errors=errors)
    return [each for each in parsed if isinstance(each, Request)], single


def _parse(item: bytes, default_kind: GroupKind) -> Request | Rejection:
    if item.startswith(b'"'):
        try:
            item = msgspec.json.decode(item, type=str).encode()
        except ValueError:  # such as one half of a surrogate pair
            return Rejection("the text is not valid Unicode; expected an ID, or KIND/ID")
    elif not item.startswith(b"{"):
        # The text of a number may be a valid ID.
        return Rejection(f"found {_name(item)}; expected an object with groupId, or a text: an ID, or KIND/ID")
    parsed = parse_body(item, default_kind, Encoding.NONE)
    if isinstance(parsed, FollowUp):
        return Rejection("an object with the field step is a message of the app's own; expected one without it")
    return parsed


def _name(item: bytes) -> str:
    names = {b"[": "an array", b"t": "true", b"f": "false", b"n": "null"}
    return names.get(item[:1], "a number")
