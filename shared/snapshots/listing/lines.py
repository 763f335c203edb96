"""Read and cut the lines of a snapshot: each is one group, the service's object as it came."""

import msgspec


class _Identified(msgspec.Struct):
    group_id: str = msgspec.field(name="dynamicPersonGroupId")


_identified = msgspec.json.Decoder(_Identified)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def id_of(line: bytes) -> str:
    """Return the group's ID; raise ``ValueError`` where the line is no group."""
    return _identified.decode(line).group_id


def without_user_data(line: bytes) -> bytes:
    """Return the group without its ``userData``, its other fields as they came."""
    fields = _fields.decode(line)
    if fields.pop("userData", None) is None:
        return line
    return msgspec.json.encode(fields)
