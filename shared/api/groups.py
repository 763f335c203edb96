"""The groups and requests that paths name."""

from shared.api.responses import Problem
from shared.training import messages, rows
from shared.training.messages import Group


def read_group(kind: str, group_id: str) -> Group:
    """Return the group that a path names.

    Raises:
        Problem: the kind or the ID is not valid.
    """
    try:
        return messages.read_group(kind, group_id)
    except ValueError as error:
        raise Problem(400, "Invalid group", str(error)) from None


def read_request_id(text: str) -> str:
    """Return the request ID that a path names.

    Raises:
        Problem: it is not valid.
    """
    if not rows.is_request_id(text):
        raise Problem(
            400,
            "Invalid request ID",
            f"{text[:100]!r} is not a valid request ID; expected the form 20261120T100000Z-<message ID>",
        )
    return text
