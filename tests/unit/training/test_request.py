import base64
import json
import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from shared.training.request import (
    MAX_CORRELATION_ID_CHARS,
    FollowUp,
    Rejection,
    Request,
    parse_body,
)

from shared.face.models import GroupKind
from tests.support.builders import WATCH_ID, message

DEFAULT = GroupKind.LARGE_PERSON_GROUP
IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=64)
KINDS = st.sampled_from(list(GroupKind))
OBJECTS = st.fixed_dictionaries(
    {"groupId": IDS},
    optional={
        "kind": st.none() | KINDS.map(str),
        "trainedAfter": st.sampled_from([None, "2026-11-20T10:00:00Z", "2026-11-20T12:00:00.1234567+02:00"]),
        "train": st.none() | st.booleans(),
        "correlationId": st.none() | st.text(max_size=MAX_CORRELATION_ID_CHARS),
    },
)
FOLLOW_UPS = st.builds(FollowUp, st.just(WATCH_ID), KINDS, IDS, st.integers(min_value=0, max_value=2**31 - 2))
VALID = (
    IDS
    | st.builds("{}/{}".format, KINDS, IDS)
    | OBJECTS.map(json.dumps)
    | OBJECTS.map(lambda found: json.dumps(found, ensure_ascii=False, indent=2))
    | FOLLOW_UPS.map(lambda found: found.body)
)


LOOKS_LIKE_AN_ID = re.compile(rb"[a-z0-9-_]{1,64}")


def parsed(body: str | bytes) -> Request | FollowUp | Rejection:
    return parse_body(body.encode() if isinstance(body, str) else body, DEFAULT)


def reason(body: str | bytes) -> str:
    found = parsed(body)
    assert isinstance(found, Rejection), found
    return found.reason


def as_base64(body: str) -> bytes:
    return base64.b64encode(body.encode())


@pytest.mark.parametrize("default", list(GroupKind))
def test_a_bare_id_is_of_the_default_kind(default: GroupKind) -> None:
    assert parse_body(b"my-group_7", default) == Request("my-group_7", default)


@pytest.mark.parametrize("kind", list(GroupKind))
def test_a_kind_may_stand_before_the_id(kind: GroupKind) -> None:
    assert parsed(f"{kind}/my-group") == Request("my-group", kind)


def test_an_object_may_say_everything() -> None:
    body = {
        "groupId": "my-group",
        "kind": "personGroup",
        "trainedAfter": "2026-11-20T10:00:00Z",
        "train": True,
        "correlationId": "order 7",
    }
    assert parsed(json.dumps(body)) == Request(
        "my-group", GroupKind.PERSON_GROUP, trained_after="2026-11-20T10:00:00Z", train=True, correlation_id="order 7"
    )


def test_all_but_the_id_may_be_absent_or_null() -> None:
    alone = Request("my-group", DEFAULT)
    assert parsed('{"groupId": "my-group"}') == alone
    nothing = {"kind": None, "trainedAfter": None, "train": None, "correlationId": None}
    assert parsed(json.dumps({"groupId": "my-group", **nothing})) == alone


@pytest.mark.parametrize("group_id", ["a", "-", "_", "0", "a" * 64, "train", "personGroup".lower(), "null", "abcd"])
def test_every_id_that_the_service_takes_is_taken(group_id: str) -> None:
    assert parsed(group_id) == Request(group_id, DEFAULT)


@given(
    VALID, st.sampled_from(["", "\ufeff", " ", "\r\n", "\ufeff \n", "\n\t\ufeff"]), st.sampled_from(["", " ", "\r\n"])
)
def test_a_byte_order_mark_and_white_space_around_a_body_say_nothing(body: str, before: str, after: str) -> None:
    assert parsed(before + body + after) == parsed(body)


@given(VALID)
@example("abcd")
@example('{"groupId": "my-group", "correlationId": "\ufeff"}')
def test_base64_of_a_body_means_the_same(body: str) -> None:
    encoded = as_base64(body)
    # An ID may be Base64 of another one; it is then taken as it is.
    assume(not LOOKS_LIKE_AN_ID.fullmatch(encoded))
    assert not isinstance(parsed(body), Rejection)
    assert parsed(encoded) == parsed(body)


@given(VALID, st.sampled_from(["\ufeff", " ", "\r\n"]))
def test_base64_may_be_wrapped_in_lines_and_hold_a_byte_order_mark(body: str, before: str) -> None:
    encoded = base64.encodebytes((before + body).encode())
    assume(not LOOKS_LIKE_AN_ID.fullmatch(encoded.strip()))
    assert parsed(encoded) == parsed(body)


def test_an_id_that_is_base64_of_another_is_taken_as_it_is() -> None:
    assert as_base64("r70") == b"cjcw"
    assert parsed("cjcw") == Request("cjcw", DEFAULT)


@given(st.binary() | st.text().map(str.encode) | st.text('{}[]":,/=- \n' + "aeinrt019").map(str.encode))
def test_no_body_raises(body: bytes) -> None:
    assert isinstance(parsed(body), (Request, FollowUp, Rejection))


@given(VALID, st.randoms(use_true_random=False))
def test_no_damaged_body_raises_and_none_names_an_id_that_the_service_would_not_take(
    body: str, lots: random.Random
) -> None:
    damaged = bytearray(body.encode())
    for _ in range(lots.randint(1, 4)):
        at = lots.randrange(len(damaged) + 1)
        damaged[at : at + lots.randint(0, 2)] = bytes(
            lots.choices(b'{}[]":,\\/ \x00\xff\xed\xa0\x80aZ0-', k=lots.randint(0, 2))
        )
    found = parsed(bytes(damaged))
    if isinstance(found, (Request, FollowUp)):
        assert 1 <= len(found.group_id) <= 64
        assert set(found.group_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "body",
    [
        "",
        " \n",
        "\ufeff",
        "My-Group",
        "my group",
        "my.group",
        "a" * 65,
        "größe",
        "grup٣",
        "my-group\nother",
        "my-group\x00",
        '"my-group"',
        "[]",
        "my-group,other-group",
        "<QueueMessage>",
    ],
)
def test_a_body_that_is_no_id_is_rejected_with_what_is_allowed(body: str) -> None:
    told = reason(body)
    assert told.startswith(repr(body.strip().strip("\ufeff")[:80]))
    assert told.endswith("is no group ID; allowed are 1 to 64 of the characters a to z, 0 to 9, hyphen and underscore")


@pytest.mark.parametrize(
    "kind", ["", "PersonGroup", "persongroups", "dynamicPersonGroup", " personGroup", "personGroup "]
)
def test_a_kind_that_is_none_is_rejected_with_those_that_are(kind: str) -> None:
    told = f"{kind!r} is no kind of group; allowed are personGroup, largePersonGroup, largeFaceList"
    assert reason(json.dumps({"groupId": "my-group", "kind": kind})) == told
    if kind.strip() == kind:
        assert reason(f"{kind}/my-group") == told


@pytest.mark.parametrize("body", ["personGroup/", "personGroup/a/b", "personGroup/ a", "/", "personGroup/My-Group"])
def test_a_kind_before_no_id_is_rejected(body: str) -> None:
    assert "is no " in reason(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", "the body begins as a JSON object but is none"),
        ('{"groupId": "a"', "the body begins as a JSON object but is none"),
        ('{"groupId": "a"} {}', "the body begins as a JSON object but is none"),
        ("{'groupId': 'a'}", "the body begins as a JSON object but is none"),
        ('{"groupId": "a",}', "the body begins as a JSON object but is none"),
        ('{"groupId": "\\ud800"}', "the body begins as a JSON object but is none"),
        ('{"groupId": "a", "correlationId": "\\udc00x"}', "the body begins as a JSON object but is none"),
        ("{}", "missing required field `groupId`"),
        ('{"groupId": null}', "Expected `str`, got `null` - at `$.groupId`"),
        ('{"groupId": 7}', "Expected `str`, got `int` - at `$.groupId`"),
        ('{"groupId": ["a"]}', "Expected `str`, got `array` - at `$.groupId`"),
        ('{"groupId": "A"}', "'A' is no group ID"),
        ('{"groupId": ""}', "'' is no group ID"),
        ('{"groupId": "a\\u0000"}', "is no group ID"),
        ('{"groupId": "personGroup/a"}', "'personGroup/a' is no group ID"),
        ('{"groupId": "a", "kind": 1}', "$.kind"),
        ('{"groupId": "a", "train": "true"}', "Expected `bool | null`, got `str` - at `$.train`"),
        ('{"groupId": "a", "train": 1}', "$.train"),
        ('{"groupId": "a", "trainedAfter": 1700000000}', "$.trainedAfter"),
        ('{"groupId": "a", "trainedAfter": ""}', "trainedAfter: '' is not an RFC 3339 timestamp with an offset"),
        ('{"groupId": "a", "trainedAfter": "2026-11-20"}', "trainedAfter: '2026-11-20' is not an RFC 3339 timestamp"),
        ('{"groupId": "a", "trainedAfter": "2026-11-20T10:00:00"}', "is not an RFC 3339 timestamp with an offset"),
        ('{"groupId": "a", "trainedAfter": "2026-02-30T10:00:00Z"}', "is not an RFC 3339 timestamp with an offset"),
        ('{"groupId": "a", "correlationId": 5}', "$.correlationId"),
        ('{"groupId": "a", "correlationId": {}}', "$.correlationId"),
        ('{"groupId": "a", "group": "b"}', "unknown field `group`"),
        ('{"groupId": "a", "groupid": "b"}', "unknown field `groupid`"),
        ('{"groupId": "a", "id": "b"}', "unknown field `id`"),
        ('{"groupId": "a", "dequeueCount": "b"}', "unknown field `dequeueCount`"),
        ('{"groupId": "a", "step": 0}', "unknown field `step`"),
        ('{"groupId": "a", "watchId": null}', "the JSON object is no request"),
    ],
)
def test_an_object_that_is_no_request_is_rejected_with_what_is_wrong(body: str, told: str) -> None:
    assert told in reason(body)
    assert told in reason(as_base64(body))


def test_a_correlation_id_has_a_longest_length() -> None:
    longest = "\N{GRINNING FACE}" * MAX_CORRELATION_ID_CHARS
    found = parsed(json.dumps({"groupId": "a", "correlationId": longest}))
    assert isinstance(found, Request)
    assert found.correlation_id == longest
    assert reason(json.dumps({"groupId": "a", "correlationId": longest + "x"})) == (
        "correlationId has 257 characters; allowed are 256"
    )


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_json_that_is_nested_too_deeply_is_rejected(depth: int) -> None:
    assert "deep" in reason('{"groupId": "a", "x": ' + "[" * depth + "]" * depth + "}") or depth == 1_000
    assert isinstance(parsed('{"a":' * depth), Rejection)


@pytest.mark.parametrize("number", ["9" * 5_000, "-1e999", "1e-999999999"])
def test_a_number_of_any_size_is_rejected(number: str) -> None:
    assert isinstance(parsed(f'{{"groupId": {number}}}'), Rejection)
    assert isinstance(
        parsed(f'{{"watchId": "{WATCH_ID}", "kind": "personGroup", "groupId": "a", "step": {number}}}'), Rejection
    )


@pytest.mark.parametrize("body", [b"\xff\xfem\x00y\x00", b"caf\xe9", b"\xed\xa0\x80", b"\x80" * 65_536])
def test_bytes_that_are_no_utf_8_are_rejected_with_the_forms_that_may_be_sent(body: bytes) -> None:
    assert reason(body) == "the body is no UTF-8 text; send an ID, KIND/ID, or a JSON object with groupId"


@pytest.mark.parametrize("inner", ['{\n  "groupId": "My Group"\n}', '{"groupId": "My Group"}', "My Group"])
def test_base64_of_what_is_no_request_is_told_by_what_it_holds(inner: str) -> None:
    assert reason(as_base64(inner)).startswith("read as Base64: 'My Group' is no group ID")


@pytest.mark.parametrize("body", ["MyGroups", "ABCD", "Zm9v!", "Zm9", "====", "_w=="])
def test_what_only_looks_like_base64_is_told_by_what_it_is(body: str) -> None:
    assert reason(body).startswith(f"{body!r} is no group ID")


def test_a_reason_is_short_however_long_the_body_is() -> None:
    for body in (
        "x" * 65_536 + "!",
        '{"groupId": "' + "X" * 60_000 + '"}',
        '{"' + "k" * 60_000 + '": 1}',
        "{" * 65_536,
    ):
        assert len(reason(body)) < 400


@given(FOLLOW_UPS)
def test_a_follow_up_is_read_as_it_was_sent(follow_up: FollowUp) -> None:
    assert parsed(follow_up.body) == follow_up
    assert set(json.loads(follow_up.body)) == {"watchId", "kind", "groupId", "step"}


@pytest.mark.parametrize(
    "changes",
    [
        {"watchId": ""},
        {"watchId": "x"},
        {"watchId": f"{WATCH_ID}\n"},
        {"watchId": f"{WATCH_ID}'"},
        {"watchId": "20261120T100000Z-" + "a" * 65},
        {"watchId": 5},
        {"step": -1},
        {"step": 2**31 - 1},
        {"step": 10**30},
        {"step": 1.5},
        {"step": "1"},
        {"kind": "PersonGroup"},
        {"groupId": "My Group"},
        {"groupId": "a' or 'a' eq 'a"},
        {"groupId": "a", "more": 1},
    ],
)
def test_a_follow_up_that_is_not_of_the_apps_own_is_rejected(changes: dict[str, object]) -> None:
    body = {"watchId": WATCH_ID, "kind": "personGroup", "groupId": "my-group", "step": 3, **changes}
    assert isinstance(parsed(json.dumps(body)), Rejection)


def test_a_watch_is_named_after_its_message_in_utc() -> None:
    local = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert message("my-group", message_id="a1", inserted_at=local).watch_id == "20261120T100000Z-a1"


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - bounds are naive
    st.timedeltas(timedelta(seconds=1), timedelta(days=900)),
)
def test_a_later_request_has_the_greater_watch_id(first: datetime, later: timedelta) -> None:
    earlier = message("a", message_id="ffff", inserted_at=first.replace(tzinfo=UTC))
    newer = message("a", message_id="0000", inserted_at=first.replace(tzinfo=UTC) + later)
    assert newer.watch_id > earlier.watch_id
