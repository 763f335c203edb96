"""Whatever bytes are enqueued, the step does not raise: they become a watch, or are rejected with a reason."""

import base64
import json
from collections.abc import Iterator
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.face.models import GroupKind
from shared.training.request import FollowUp, Message, parse_body
from tests.unit.protocol.explorer import Schedule
from tests.unit.protocol.world import GROUP, World

EXAMPLES, MUTANTS = 1_000, 99
"""Together 100,000 bodies."""

VALID = [
    b"my-group",
    b"personGroup/my-group",
    b'{"groupId": "my-group", "kind": "largeFaceList", "trainedAfter": "2026-11-20T10:00:00.1234567Z", "train": true}',
    b'{"groupId": "my-group", "kind": null, "correlationId": "42"}',
    b'{"watchId": "20261120T100000Z-1", "kind": "personGroup", "groupId": "my-group", "step": 3}',
    b'\xef\xbb\xbf {"groupId": "my-group", "id": "x", "dequeueCount": "no number", "insertionTime": "2026-01-31"} ',
    base64.b64encode(b'{"groupId": "my-group"}'),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(
    st.sampled_from(["groupId", "kind", "trainedAfter", "train", "correlationId", "watchId", "step", "id"]), json_values
)


bodies = st.one_of(
    st.sampled_from(VALID),
    st.sampled_from(VALID).map(base64.b64encode),
    objects.map(lambda found: json.dumps(found).encode()),
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
@example(b"", 0)
@example(b"\xff\xfe\x00", 0)
@settings(max_examples=EXAMPLES, deadline=None)
@given(bodies, st.integers(0, 2**32))
def test_every_body_is_a_watch_or_a_rejection(drawn: bytes, seed: int) -> None:
    for body in (drawn, *mutants(drawn, seed, MUTANTS)):
        world = World(Schedule())
        world.service.begin(GROUP)
        message = Message("message-0001", world.clock(), body)
        world.watcher.handle(message)
        if isinstance(parse_body(body, GroupKind.LARGE_PERSON_GROUP), FollowUp):
            assert not world.events
            continue
        watches = list(world.table.query_entities("PartitionKey ge @any", parameters={"any": ""}))
        rejections = [content for contents in world.events.values() for content in contents]
        assert len(watches) + len(rejections) == 1
        for rejection in rejections:
            event = json.loads(rejection)
            assert event["type"] == "face.training.rejected"
            assert event["data"]["error"]
            assert len(event["data"]["body"]) <= 256
            assert rejection.isascii()
            assert len(rejection) < 65_536
