"""Senders that mean no good: forged follow-ups, bodies of 64 KiB, and floods on one group."""

import base64
import json
from collections.abc import Iterator
from functools import partial

from shared.training.messages import FollowUp, Group
from tests.hostile.limited import SECRET, Case
from tests.hostile.watches import KIND, Watches

GROUP, OTHER = Group(KIND, f"group-{SECRET}"), Group(KIND, f"other-{SECRET}")
MAX_BODY_BYTES = 65_536
LIVE, ENDED, UNKNOWN = "live", "ended", "unknown"

STEPS = [0, 1, 2, 50, 99, 100, 101, 2**31 - 2, 2**31, 2**63, 10**300]


def _long(begin: str, piece: str, end: str = "") -> str:
    return begin + piece * ((MAX_BODY_BYTES - len(begin) - len(end)) // len(piece)) + end


_ID = f'{{"groupId":"{SECRET}"'
BODIES: dict[str, str | bytes] = {
    "one letter": _long("", "a"),
    "a long ID": SECRET + "a" * 65,
    "not UTF-8": b"\xff" * MAX_BODY_BYTES,
    "half of a character": SECRET.encode() + b"\xc3",
    "zeros": "\0" * MAX_BODY_BYTES,
    "white space": _long(SECRET, " "),
    "Base64 of nothing sensible": base64.b64encode(b"\xff" * 49_000).decode(),
    "Base64 of a long text": base64.b64encode(_long(SECRET, "ä")[:40_000].encode()[:48_000]).decode(),
    "nested lists": _long("", "["),
    "nested objects": _long("", '{"groupId":'),
    "nested in a field": _long(f'{_ID},"train":', "["),
    "nested in the step": _long(f'{_ID},"kind":"largePersonGroup","step":', "["),
    "a number": _long("", "9"),
    "a step of many digits": _long(f'{_ID},"kind":"largePersonGroup","step":', "9", "}"),
    "a step that is too large": f'{_ID},"kind":"largePersonGroup","step":1e999}}',
    "a step below nothing": f'{_ID},"kind":"largePersonGroup","step":-1}}',
    "a step that is a text": f'{_ID},"kind":"largePersonGroup","step":"{SECRET}"}}',
    "a step twice": f'{_ID},"kind":"largePersonGroup","step":1,"step":"{SECRET}"}}',
    "many fields": _long("{", f'"{SECRET}":1,', '"a":1}'),
    "a long field": _long('{"', "x", '":1}'),
    "half of a pair": f'{_ID},"correlationId":"\\ud800"}}',
    "a long correlation ID": _long(f'{_ID},"correlationId":"', "\\u0001", '"}'),
    "a time that is too long": _long(f'{_ID},"trainedAfter":"2026-11-20T10:00:00.', "0", 'Z"}'),
    "a time beyond all": f'{_ID},"trainedAfter":"9999-12-31T23:59:59-23:59"}}',
    "a trace that is none": f'{_ID},"traceparent":"{SECRET}"}}',
    "a kind that is none": f"{SECRET}/{SECRET}",
    "a path": f"largePersonGroup/../{SECRET}",
    "characters that XML escapes": _long("", "<"),
    "a cancel of nobody": f'{_ID},"requestId":"{SECRET}"}}',
}


def bear_follow_ups(step: int, state: str, count: int) -> None:
    """Let somebody send follow-ups for a group, and see that its requests are told and nothing is left of them."""
    made = Watches()
    made.service.begin(GROUP.group_id, 100.0)
    first = [] if state == UNKNOWN else [made.ask(GROUP)]
    made.run(1 if state == LIVE else 4)
    before = len(made.table.rows)
    for _ in range(count):
        made.queue.send_message(FollowUp(group=GROUP, step=step).body)
    made.run(1)
    if state == UNKNOWN:
        assert len(made.table.rows) == before
    asked = [*first, made.ask(GROUP), made.ask(OTHER)]
    made.service.begin(OTHER.group_id, 0.0)
    assert set(made.run(12, *asked).values()) == {"succeeded"}
    made.run(3)
    assert made.queue.messages == made.poison.messages == []


def bear_body(body: str | bytes) -> None:
    """Let somebody send a body, and see that it is told once as rejected, without a record, and others are served."""
    made = Watches()
    made.service.begin(OTHER.group_id, 0.0)
    for _ in range(3):
        made.queue.send_message(body)
    asked = made.ask(OTHER)
    outcomes = made.run(3, asked)
    assert outcomes.pop(asked) == "succeeded"
    assert list(outcomes.values()) in (["rejected"] * 3, [])
    assert outcomes or _is_group(body)
    made.look(OTHER, asked)
    assert made.poison.messages == []


def _is_group(body: str | bytes) -> bool:
    """Return whether a body is a request, or a follow-up, however odd."""
    return body in (BODIES["white space"], BODIES["a time beyond all"])


def flood() -> None:
    """Let somebody ask for one group 200 times at once: few polls answer all, and the other is served first."""
    made = Watches()
    made.service.begin(GROUP.group_id, 100.0)
    made.service.begin(OTHER.group_id, 0.0)
    asked = [made.ask(GROUP) for _ in range(200)]
    other = made.ask(OTHER)
    made.run(1)
    assert made.outcomes() == {other: "succeeded"}
    outcomes = made.run(10, *asked)
    assert len(outcomes) == len(asked) + 1
    assert {json.loads(each.content)["data"]["polls"] for each in made.results.messages} <= set(range(1, 40))
    assert made.bodies() == []


def flood_of_bodies() -> None:
    """Let somebody send 500 bodies of 64 KiB: each is told once, and the other is served."""
    made = Watches()
    made.service.begin(OTHER.group_id, 0.0)
    for _ in range(500):
        made.queue.send_message(BODIES["nested objects"])
    other = made.ask(OTHER)
    outcomes = made.run(2, other)
    assert len(outcomes) == 501
    assert made.bodies() == made.poison.messages == []


def _cases() -> Iterator[Case]:
    for state in (LIVE, ENDED, UNKNOWN):
        for step in STEPS:
            for count in (1, 5):
                name = f"{count} follow-ups of step {step:.3g} for a group that is {state}"
                yield Case(name, partial(bear_follow_ups, step, state, count))
    for name, body in BODIES.items():
        yield Case(f"a body of {name}", partial(bear_body, body))
    yield Case("a flood on one group", flood)
    yield Case("a flood of bodies", flood_of_bodies)


CASES = list(_cases())
