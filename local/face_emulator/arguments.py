"""Reads a request's arguments and rejects wrong ones as the service does."""

import re

import msgspec
from starlette.requests import Request

from local.face_emulator.errors import ServiceError, bad_argument

MAX_ID = 64
MAX_NAME = 128
MAX_TOP = 1000
MAX_USER_DATA = 16_384
RECOGNITION_MODELS = ("recognition_01", "recognition_02", "recognition_03", "recognition_04")

_ID = re.compile(r"[a-z0-9-_]{1,64}", re.ASCII)


class GroupBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a creation or an update of a group of any kind."""

    name: str | None = None
    user_data: str | None = None
    recognition_model: str = "recognition_01"
    add_person_ids: list[str] | None = None
    remove_person_ids: list[str] | None = None


def read_page(request: Request) -> tuple[str, int]:
    """Return a listing's ``start`` and ``top``.

    Raises:
        ServiceError: one is out of its range.
    """
    start = request.query_params.get("start", "")
    if len(start) > MAX_ID:
        raise bad_argument("'start' is too long.")
    top = request.query_params.get("top", str(MAX_TOP))
    if not (top.isascii() and top.isdecimal() and 1 <= int(top) <= MAX_TOP):
        raise bad_argument("'top' is invalid.")
    return start, int(top)


def read_id(request: Request, error: ServiceError) -> str:
    """Return the group's ID in the path.

    Raises:
        ServiceError: ``error``, where the ID is not valid.
    """
    group_id: str = request.path_params["group_id"]
    if not _ID.fullmatch(group_id):
        raise error
    return group_id


async def read_creation(request: Request) -> GroupBody:
    """Return the body of a creation.

    Raises:
        ServiceError: it is not valid.
    """
    body = _valid(await _read_body(request))
    if not body.name:
        raise bad_argument("'name' is empty.")
    return body


async def read_update(request: Request) -> GroupBody:
    """Return the body of an update.

    Raises:
        ServiceError: it is not valid, or changes nothing.
    """
    body = _valid(await _read_body(request))
    if not (body.name or body.user_data or body.add_person_ids or body.remove_person_ids):
        raise bad_argument("Both 'name' and 'userData' are empty.")
    return body


async def _read_body(request: Request) -> GroupBody:
    try:
        return msgspec.json.decode(await request.body(), type=GroupBody)
    except msgspec.ValidationError as error:
        raise bad_argument("Request body is invalid.") from error
    except msgspec.DecodeError as error:
        raise bad_argument("JSON parsing error.") from error


def _valid(body: GroupBody) -> GroupBody:
    if len(body.name or "") > MAX_NAME:
        raise bad_argument("'name' is too long.")
    if len(body.user_data or "") > MAX_USER_DATA:
        raise bad_argument("'userData' is too long.")
    if body.recognition_model not in RECOGNITION_MODELS:
        raise bad_argument("'recognitionModel' is invalid.")
    return body
