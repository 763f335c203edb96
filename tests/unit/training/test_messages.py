import base64
import json
import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.face.models import GroupKind
from shared.training.messages import (
    MAX_CORRELATION_ID_CHARS,
    MAX_DEQUEUE_COUNT,
    Encoding,
    FollowUp,
    Group,
    Rejection,
    Request,
    parse_body,
)
from tests.support.builders import GROUP, REQUEST_ID, TRACEPARENT, message
from tests.support.fresh import ROOT

DEFAULT = GroupKind.LARGE_PERSON_GROUP
FIELDS = "groupId, kind, trainedAfter, train, correlationId, traceparent"
IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=64)
KINDS = st.sampled_from(list(GroupKind))
OBJECTS = st.fixed_dictionaries(
    {"groupId": IDS},
    optional={
        "kind": st.none() | KINDS.map(str),
        "trainedAfter": st.sampled_from([None, "2026-11-20T10:00:00Z", "2026-11-20T12:00:00.1234567890123+02:00"]),
        "train": st.none() | st.booleans(),
        "correlationId": st.none() | st.text(max_size=MAX_CORRELATION_ID_CHARS),
        "traceparent": st.sampled_from([None, TRACEPARENT]),
    },
)
FOLLOW_UPS = st.builds(
    FollowUp,
    group=st.builds(Group, KINDS, IDS),
    step=st.integers(min_value=0, max_value=2**31),
    traceparent=st.sampled_from([None, TRACEPARENT]),
)
REQUESTS = (
    IDS
    | st.builds("{}/{}".format, KINDS, IDS)
    | OBJECTS.map(json.dumps)
    | OBJECTS.map(lambda fields: json.dumps(fields, ensure_ascii=False, indent=2))
)
VALID = REQUESTS | FOLLOW_UPS.map(lambda follow_up: follow_up.body)
LOOKS_LIKE_AN_ID = re.compile(rb"[a-z0-9-_]{1,64}")


def parsed(body: str | bytes, encoding: Encoding = Encoding.AUTO) -> Request | FollowUp | Rejection:
    return parse_body(body.encode() if isinstance(body, str) else body, DEFAULT, encoding)


def rejection(body: str | bytes, encoding: Encoding = Encoding.AUTO) -> Rejection:
    found = parsed(body, encoding)
    assert isinstance(found, Rejection), found
    return found


def reason(body: str | bytes, encoding: Encoding = Encoding.AUTO) -> str:
    return rejection(body, encoding).reason


def as_base64(body: str) -> bytes:
    return base64.b64encode(body.encode())


@pytest.mark.parametrize("default", list(GroupKind))
def test_a_bare_id_is_of_the_default_kind(default: GroupKind) -> None:
    assert parse_body(b"my-group_7", default, Encoding.AUTO) == Request(group=Group(default, "my-group_7"))


@pytest.mark.parametrize("kind", list(GroupKind))
def test_a_kind_may_stand_before_the_id(kind: GroupKind) -> None:
    assert parsed(f"{kind}/my-group") == Request(group=Group(kind, "my-group"))


def test_an_object_may_say_everything() -> None:
    body = {
        "groupId": "my-group",
        "kind": "personGroup",
        "trainedAfter": "2026-11-20T10:00:00Z",
        "train": True,
        "correlationId": "order 7",
        "traceparent": TRACEPARENT,
    }
    assert parsed(json.dumps(body)) == Request(
        group=Group(GroupKind.PERSON_GROUP, "my-group"),
        trained_after="2026-11-20T10:00:00Z",
        train=True,
        correlation_id="order 7",
        traceparent=TRACEPARENT,
    )


def test_all_but_the_id_may_be_absent_or_null() -> None:
    alone = Request(group=GROUP)
    assert parsed('{"groupId": "my-group"}') == alone
    nothing = dict.fromkeys(("kind", "trainedAfter", "train", "correlationId", "traceparent"))
    assert parsed(json.dumps({"groupId": "my-group", **nothing})) == alone


@pytest.mark.parametrize("group_id", ["a", "-", "_", "0", "a" * 64, "train", "persongroup", "null", "my-group"])
def test_every_id_that_the_service_takes_is_taken(group_id: str) -> None:
    assert parsed(group_id) == Request(group=Group(DEFAULT, group_id))


@given(
    VALID, st.sampled_from(["", "\ufeff", " ", "\r\n", "\ufeff \n", "\n\t\ufeff"]), st.sampled_from(["", " ", "\r\n"])
)
def test_a_byte_order_mark_and_white_space_around_a_body_say_nothing(body: str, before: str, after: str) -> None:
    assert parsed(before + body + after) == parsed(body)


@given(REQUESTS)
@example("abcd")
@example('{"groupId": "my-group", "correlationId": "\ufeff"}')
def test_base64_of_a_request_means_the_same(body: str) -> None:
    encoded = as_base64(body)
    assert parsed(encoded, Encoding.BASE64) == parsed(body, Encoding.NONE)
    # An ID may be Base64 of another one; it is then read as it is.
    if not LOOKS_LIKE_AN_ID.fullmatch(encoded):
        assert parsed(encoded) == parsed(body, Encoding.NONE)


@given(REQUESTS, st.sampled_from(["\ufeff", " ", "\r\n"]))
def test_base64_may_be_wrapped_in_lines_and_hold_a_byte_order_mark(body: str, before: str) -> None:
    encoded = base64.encodebytes((before + body).encode())
    assume(not LOOKS_LIKE_AN_ID.fullmatch(encoded.strip()))
    assert parsed(encoded) == parsed(encoded, Encoding.BASE64) == parsed(body, Encoding.NONE)


def test_an_id_that_is_base64_of_another_is_read_as_it_is_and_the_other_reading_is_noted() -> None:
    assert as_base64("vip") == b"dmlw"
    assert parsed("dmlw") == Request(group=Group(DEFAULT, "dmlw"), other_reading=True)
    assert parsed("dmlw", Encoding.NONE) == Request(group=Group(DEFAULT, "dmlw"))
    assert parsed("dmlw", Encoding.BASE64) == Request(group=Group(DEFAULT, "vip"))


def test_with_the_encoding_none_base64_is_not_read() -> None:
    assert "is not a valid group ID" in reason(as_base64("personGroup/my-group"), Encoding.NONE)


@pytest.mark.parametrize("body", ["my-group", "personGroup/a", '{"groupId": "my-group"}', "a", "\N{GRINNING FACE}"])
def test_with_the_encoding_base64_nothing_else_is_read(body: str) -> None:
    assert reason(body, Encoding.BASE64) == (
        "the body is not Base64 of UTF-8 text, which WATCH_MESSAGE_ENCODING expects"
    )


def test_a_body_that_is_not_base64_keeps_the_correlation_id_that_can_be_read() -> None:
    body = '{"groupId": "my-group", "correlationId": "order 7"}'
    assert rejection(body, Encoding.BASE64).correlation_id == "order 7"


@pytest.mark.parametrize("encoding", list(Encoding))
@given(follow_up=FOLLOW_UPS)
def test_a_follow_up_is_read_as_it_was_sent_however_requests_are_written(
    encoding: Encoding, follow_up: FollowUp
) -> None:
    assert parsed(follow_up.body, encoding) == follow_up


@pytest.mark.parametrize("encoding", [Encoding.AUTO, Encoding.BASE64])
def test_base64_of_a_follow_up_is_not_a_follow_up(encoding: Encoding) -> None:
    body = as_base64(FollowUp(group=GROUP, step=3).body)
    assert "has the field step, which is the app's own" in reason(body, encoding)


@given(st.binary() | st.text().map(str.encode) | st.text('{}[]":,/=- \n' + "aeinrt019").map(str.encode))
def test_no_body_raises(body: bytes) -> None:
    for encoding in Encoding:
        assert isinstance(parsed(body, encoding), (Request, FollowUp, Rejection))


@given(VALID, st.randoms(use_true_random=False))
def test_no_damaged_body_raises_and_none_names_an_id_that_the_service_would_not_take(
    body: str, lots: random.Random
) -> None:
    damaged = bytearray(body.encode())
    for _ in range(lots.randint(1, 4)):
        position = lots.randrange(len(damaged) + 1)
        damaged[position : position + lots.randint(0, 2)] = bytes(
            lots.choices(b'{}[]":,\\/ \x00\xff\xed\xa0\x80aZ0-', k=lots.randint(0, 2))
        )
    found = parsed(bytes(damaged))
    if isinstance(found, (Request, FollowUp)):
        assert re.fullmatch("[a-z0-9-_]{1,64}", found.group.group_id)


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
def test_a_body_that_is_not_an_id_is_rejected_with_what_was_expected(body: str) -> None:
    text = reason(body)
    assert text.startswith(repr(body.strip().strip("\ufeff")[:80]))
    assert text.endswith(
        "is not a valid group ID; expected 1 to 64 of the characters a to z, 0 to 9, hyphen and underscore"
    )


@pytest.mark.parametrize(
    "kind", ["", "PersonGroup", "persongroups", "dynamicPersonGroup", " personGroup", "personGroup "]
)
def test_an_unknown_kind_is_rejected_with_those_that_are_known(kind: str) -> None:
    text = f"{kind!r} is not a kind of group; expected one of personGroup, largePersonGroup, largeFaceList"
    assert reason(json.dumps({"groupId": "my-group", "kind": kind})) == text
    if kind.strip() == kind:
        assert reason(f"{kind}/my-group") == text


@pytest.mark.parametrize("body", ["personGroup/", "personGroup/a/b", "personGroup/ a", "/", "personGroup/My-Group"])
def test_a_kind_before_what_is_not_an_id_is_rejected(body: str) -> None:
    assert "is not a " in reason(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "the body begins as a JSON object but is not one"),
        ('{"groupId": "a"', "the body begins as a JSON object but is not one"),
        ('{"groupId": "a"} {}', "the body begins as a JSON object but is not one"),
        ("{'groupId': 'a'}", "the body begins as a JSON object but is not one"),
        ('{"groupId": "a",}', "the body begins as a JSON object but is not one"),
        ('{"groupId": "\\ud800"}', "the body begins as a JSON object but is not one"),
        ('{"groupId": "a", "correlationId": "\\udc00x"}', "the body begins as a JSON object but is not one"),
        ("{}", "missing required field `groupId`"),
        ('{"groupId": null}', "Expected `str`, got `null` - at `$.groupId`"),
        ('{"groupId": 7}', "Expected `str`, got `int` - at `$.groupId`"),
        ('{"groupId": ["a"]}', "Expected `str`, got `array` - at `$.groupId`"),
        ('{"groupId": "A"}', "'A' is not a valid group ID"),
        ('{"groupId": ""}', "'' is not a valid group ID"),
        ('{"groupId": "a\\u0000"}', "is not a valid group ID"),
        ('{"groupId": "personGroup/a"}', "'personGroup/a' is not a valid group ID"),
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
        ('{"groupId": "a", "traceparent": 5}', "$.traceparent"),
        ('{"groupId": "a", "traceparent": ""}', "traceparent is ''; expected the form of W3C Trace Context"),
    ],
)
def test_an_object_that_is_not_a_request_is_rejected_with_what_is_wrong(body: str, expected: str) -> None:
    assert expected in reason(body)
    assert expected in reason(as_base64(body))


@pytest.mark.parametrize("field", ["group", "groupid", "id", "dequeueCount", "watchId", "GroupId"])
def test_an_unknown_field_is_rejected_with_the_fields_that_are_known(field: str) -> None:
    text = reason(json.dumps({"groupId": "a", field: "b"}))
    assert f"unknown field `{field}`" in text
    assert text.endswith(f"expected the fields {FIELDS}")


@pytest.mark.parametrize(
    "traceparent",
    [
        TRACEPARENT.upper(),
        TRACEPARENT + "-00",
        TRACEPARENT[1:],
        "ff" + TRACEPARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACEPARENT + "\n",
    ],
)
def test_a_traceparent_of_another_form_than_w3cs_is_rejected(traceparent: str) -> None:
    assert reason(json.dumps({"groupId": "a", "traceparent": traceparent})).startswith("traceparent is ")


def test_a_correlation_id_has_a_longest_length() -> None:
    longest = "\N{GRINNING FACE}" * MAX_CORRELATION_ID_CHARS
    found = parsed(json.dumps({"groupId": "a", "correlationId": longest}))
    assert isinstance(found, Request)
    assert found.correlation_id == longest
    rejected = rejection(json.dumps({"groupId": "a", "correlationId": longest + "x"}))
    assert rejected == Rejection("correlationId has 257 characters; expected at most 256", correlation_id=longest)


@pytest.mark.parametrize(
    ("body", "correlation_id"),
    [
        ('{"groupId": "A", "correlationId": "order 7"}', "order 7"),
        ('{"correlationId": "order 7"}', "order 7"),
        ('{"groupId": "a", "more": 1, "correlationId": "order 7"}', "order 7"),
        ('{"groupId": "A", "correlationId": 7}', None),
        ('{"groupId": "A", "correlationId": null}', None),
        ('{"groupId": "A", "correlationId": "order 7"', None),
        ("My Group", None),
    ],
)
def test_a_rejection_keeps_the_correlation_id_where_it_can_be_read(body: str, correlation_id: str | None) -> None:
    assert rejection(body).correlation_id == correlation_id
    assert rejection(as_base64(body)).correlation_id == correlation_id


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_json_that_is_nested_too_deeply_is_rejected(depth: int) -> None:
    assert "deep" in reason('{"groupId": "a", "x": ' + "[" * depth + "]" * depth + "}") or depth == 1_000
    assert isinstance(parsed('{"a":' * depth), Rejection)


@pytest.mark.parametrize("number", ["9" * 5_000, "-1e999", "1e-999999999"])
def test_a_number_of_any_size_is_rejected(number: str) -> None:
    assert isinstance(parsed(f'{{"groupId": {number}}}'), Rejection)
    assert isinstance(parsed(f'{{"kind": "personGroup", "groupId": "a", "step": {number}}}'), Rejection)


@pytest.mark.parametrize("body", [b"\xff\xfem\x00y\x00", b"caf\xe9", b"\xed\xa0\x80", b"\x80" * 65_536])
def test_bytes_that_are_not_utf_8_are_rejected_with_the_forms_that_may_be_sent(body: bytes) -> None:
    assert reason(body) == "the body is not UTF-8 text; expected an ID, KIND/ID, or a JSON object with groupId"


@pytest.mark.parametrize("inner", ['{\n  "groupId": "My Group"\n}', '{"groupId": "My Group"}', "My Group"])
def test_base64_of_what_is_not_a_request_is_told_by_what_it_holds(inner: str) -> None:
    assert reason(as_base64(inner)).startswith("read as Base64: 'My Group' is not a valid group ID")


@pytest.mark.parametrize("body", ["MyGroups", "ABCD", "Zm9v!", "Zm9", "====", "_w=="])
def test_what_only_looks_like_base64_is_told_by_what_it_is(body: str) -> None:
    assert reason(body).startswith(f"{body!r} is not a valid group ID")


@pytest.mark.parametrize(
    "body",
    [
        "x" * 65_536 + "!",
        '{"groupId": "' + "X" * 60_000 + '"}',
        '{"' + "k" * 60_000 + '": 1}',
        json.dumps({"groupId": "a", "traceparent": "t" * 60_000}),
        json.dumps({"groupId": "a", "trainedAfter": "t" * 60_000}),
        "{" * 65_536,
    ],
    ids=lambda body: body[:30],
)
def test_a_reason_is_short_however_long_the_body_is(body: str) -> None:
    assert len(reason(body)) <= 420


@given(FOLLOW_UPS)
def test_a_follow_up_says_no_more_than_its_group_its_step_and_its_trace(follow_up: FollowUp) -> None:
    fields = {"kind": follow_up.group.kind, "groupId": follow_up.group.group_id, "step": follow_up.step}
    trace = {"traceparent": TRACEPARENT} if follow_up.traceparent else {}
    assert json.loads(follow_up.body) == {**fields, **trace}


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1},
        {"step": 1.5},
        {"step": "1"},
        {"step": None},
        {"kind": "PersonGroup"},
        {"kind": None},
        {"groupId": "My Group"},
        {"groupId": "a' or 'a' eq 'a"},
        {"groupId": "a", "more": 1},
        {"train": True},
        {"traceparent": "t"},
    ],
)
def test_a_forged_follow_up_is_rejected(changes: dict[str, object]) -> None:
    body = {"kind": "personGroup", "groupId": "my-group", "step": 3, **changes}
    assert isinstance(parsed(json.dumps(body)), Rejection)


def test_a_request_is_named_after_its_message_in_utc() -> None:
    local = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert message("my-group", message_id="a1", inserted_at=local).request_id == "20261120T100000Z-a1"
    assert message("my-group", dequeue_count=3).request_id == REQUEST_ID


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - bounds are naive
    st.timedeltas(timedelta(seconds=1), timedelta(days=900)),
)
def test_a_later_request_has_the_greater_id(first: datetime, later: timedelta) -> None:
    earlier = message("a", message_id="ffff", inserted_at=first.replace(tzinfo=UTC))
    newer = message("a", message_id="0000", inserted_at=first.replace(tzinfo=UTC) + later)
    assert newer.request_id > earlier.request_id


@pytest.mark.parametrize(("dequeue_count", "exhausted"), [(1, False), (3, False), (4, True), (5, True), (9, True)])
def test_the_last_two_tries_of_the_host_are_known(dequeue_count: int, exhausted: bool) -> None:
    assert message("a", dequeue_count=dequeue_count).exhausted is exhausted


def test_the_host_delivers_a_message_as_often_as_the_app_counts_on() -> None:
    settings = json.loads((ROOT / "host.json").read_text())
    # Microsoft's default is 5: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue
    assert settings["extensions"]["queues"].get("maxDequeueCount", 5) == MAX_DEQUEUE_COUNT
