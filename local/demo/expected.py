"""Compares the events with what was expected of them."""

from collections.abc import Mapping, Sequence

from local.demo.cases import Case
from local.demo.watch_table import Enqueued
from local.stack import Event


def find_problems(enqueued: Sequence[Enqueued], events: Sequence[Event], source: str) -> list[str]:
    """Return what is not as expected, one line each. Every message gets one event.

    ``source`` is the endpoint of the Face service. An event may come again if it is the same.
    """
    problems = []
    unexpected = list(events)
    for one in enqueued:
        own = [event for event in events if _is_of(event, one)]
        unexpected = [event for event in unexpected if event not in own]
        name = f"{one.case.form} ({one.case.subject or one.case.body})"
        if not own:
            problems.append(f"{name}: expected {one.case.expected}, but there was no event")
        elif any(event != own[0] for event in own):
            problems.append(f"{name}: expected one event, found different ones")
        else:
            wanted = _expected_fields(one.case, source)
            problems += [f"{name}: {difference}" for difference in _differences(wanted, own[0])]
    problems += [f"an event that nobody asked for: {event['type']}, {event.get('subject')}" for event in unexpected]
    return problems


def _is_of(event: Event, one: Enqueued) -> bool:
    if one.case.subject is None:
        return bool(event["data"].get("body") == one.case.body)
    return bool(event["id"].endswith(f"Z-{one.message_id}"))


def _expected_fields(case: Case, source: str) -> Mapping[str, object]:
    event = {
        "specversion": "1.0",
        "type": f"face.training.{case.expected}",
        "datacontenttype": "application/json",
        "subject": case.subject,
        "source": source,
        "data.outcome": case.expected,
        "data.correlationId": case.correlation_id,
        "has an error": case.expected not in ("succeeded", "superseded"),
    }
    if case.subject is None:
        return event
    kind, group_id = case.subject.split("/")
    return event | {"source": f"{source}/{kind.lower()}s/{group_id}", "data.kind": kind, "data.groupId": group_id}


def _differences(wanted: Mapping[str, object], event: Event) -> list[str]:
    fields = event | {f"data.{name}": value for name, value in event["data"].items()}
    fields["has an error"] = event["data"]["error"] is not None
    return [
        f"expected {name} to be {value!r}, found {fields.get(name)!r}"
        for name, value in wanted.items()
        if fields.get(name) != value
    ]
