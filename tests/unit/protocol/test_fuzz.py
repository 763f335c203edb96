"""Whatever bytes are enqueued, their handling does not raise: they become a request, or are rejected with a reason."""

import base64
import json
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.face.models import GroupKind
from shared.training.messages import Encoding, FollowUp, Message, Rejection, Request, parse_body
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.record_of import record_of
from tests.unit.protocol.world import GROUP, World

pytestmark = pytest.mark.exhaustive

EXAMPLES, MUTANTS = 500, 99
"""Together 50,000 bodies."""

VALID = [
    b"my-group",
    b"personGroup/my-group",
    b'{"groupId": "my-group", "kind": "largeFaceList", "trainedAfter": "2026-11-20T10:00:00.1234567Z", "train": true}',
    b'{"groupId": "my-group", "kind": null, "correlationId": "42"}',
    b'{"groupId": "a", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
    b'{"kind": "personGroup", "groupId": "my-group", "step": 3}',
    b'\xef\xbb\xbf {"groupId": "my-group", "id": "x", "dequeueCount": "no number", "insertionTime": "2026-01-31"} ',
    base64.b64encode(b'{"groupId": "my-group"}'),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(
    st.sampled_from(["groupId", "kind", "trainedAfter", "train", "correlationId", "traceparent", "step", "id"]),
    json_values,
)
bodies = st.one_of(
    st.sampled_from(VALID),
    st.sampled_from(VALID).map(base64.b64encode),
    objects.map(lambda fields: json.dumps(fields).encode()),
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass")),
)


def mutants(body: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Change a body in so many ways: cut a part out, repeat it, or put other bytes in its place."""
    random = Random(seed)
    for _ in range(count):
        start, end = sorted(random.randrange(len(body) + 1) for _ in range(2))
        yield body[:start] + random.choice([b"", body[start:end] * 2, random.randbytes(3)]) + body[end:]


@example(b"[" * 65_536, 0)
@example(b"{" * 65_536, 0)
@example(b'{"groupId":' * 6_000, 0)
@example(b'{"groupId": "\\ud800"}', 0)
@example(b'{"groupId": "g", "correlationId": "\\ud800"}', 0)
@example(b"", 0)
@example(b"\xff\xfe\x00", 0)
@settings(max_examples=EXAMPLES, deadline=None)
@given(bodies, st.integers(0, 2**32))
def test_every_body_is_a_request_or_a_rejection(drawn: bytes, seed: int) -> None:
    handle(drawn)
    for body in mutants(drawn, seed, MUTANTS):
        for encoding in Encoding:
            parsed = parse_body(body, GroupKind.LARGE_PERSON_GROUP, encoding)
            assert isinstance(parsed, FollowUp | Request) or parsed.reason


def handle(body: bytes) -> None:
    """Handle a body, and check what became of it."""
    world = World(Schedule())
    world.service.begin(GROUP)
    message = Message("message-0001", world.clock(), body)
    world.handlers.watcher.handle(message)
    groups = record_of(world.table).groups.values()
    on_record = sum(len(requests) for group in groups for requests in group.requests.values())
    events = [content for contents in world.results.events.values() for content in contents]
    parsed = parse_body(body, GroupKind.LARGE_PERSON_GROUP, Encoding.AUTO)
    assert on_record == isinstance(parsed, Request)
    if not isinstance(parsed, Rejection):
        return
    (event,) = events
    assert event.isascii()
    assert len(event) <= 48 * 1024
    data = json.loads(event)["data"]
    assert (data["outcome"], data["messageId"]) == ("rejected", "message-0001")
    assert data["error"]["message"]
