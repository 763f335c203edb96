"""The groups and requests that paths name."""

import re

from shared.api.responses import Problem
from shared.face.models import GroupKind
from shared.training.messages import Group, is_group_id

_REQUEST_ID = re.compile(r"\d{8}T\d{6}Z-[0-9A-Za-z-]{1,64}", re.ASCII)


def read_group(kind: str, group_id: str) -> Group:
    """Return the group that a path names.

    Raises:
        Problem: the kind or the ID is not valid.
    """
    if kind not in list(GroupKind):
        expected = ", ".join(GroupKind)
        raise Problem(400, "Invalid group", f"{kind[:80]!r} is not a kind of group; expected one of {expected}")
    if not is_group_id(group_id):
        raise Problem(
            400,
            "Invalid group",
            f"{group_id[:80]!r} is not a valid group ID; "
            "expected 1 to 64 of the characters a to z, 0 to 9, hyphen and underscore",
        )
    return Group(GroupKind(kind), group_id)


def read_request_id(text: str) -> str:
    """Return the request ID that a path names.

    Raises:
        Problem: it is not valid.
    """
    if not _REQUEST_ID.fullmatch(text):
        raise Problem(
            400,
            "Invalid request ID",
            f"{text[:100]!r} is not a valid request ID; expected the form 20261120T100000Z-<message ID>",
        )
    return text
