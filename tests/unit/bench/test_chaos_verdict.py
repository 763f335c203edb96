"""The verdict on chaos sees what is wrong with the events of a run."""

from typing import Any

from bench.chaos.verdict import Asked, Truth, Verdict, judge

GROUP = "personGroup/one"
OLD, NEW, ENDED = "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z", "2026-11-20T10:00:30Z"
ASKED = {"first": Asked(GROUP, stale=OLD), "second": Asked(GROUP)}
TRUTHS = {GROUP: Truth("succeeded", NEW, ENDED)}


def event(message_id: str, outcome: str = "succeeded", created: str = NEW, **data: object) -> dict[str, Any]:
    return {
        "id": f"20261120T100000Z-{message_id}",
        "subject": GROUP,
        "time": "2026-11-20T10:00:35Z",
        "data": {"outcome": outcome, "training": {"createdDateTime": created, "lastActionDateTime": ENDED}, **data},
    }


def verdict(*events: dict[str, Any]) -> Verdict:
    return judge(ASKED, TRUTHS, events)


def test_a_true_event_for_each_request_holds() -> None:
    found = verdict(event("first", "superseded", supersededBy="20261120T100000Z-second"), event("second"))
    assert found.holds
    assert (found.requests, found.repeated, found.late_seconds.worst) == (2, 0, 5.0)


def test_a_request_without_an_event_is_lost() -> None:
    assert (verdict(event("first")).lost, verdict(event("first")).holds) == (1, False)


def test_a_repeated_event_is_counted_and_holds() -> None:
    found = verdict(event("first"), event("second"), event("second"))
    assert (found.repeated, found.holds) == (1, True)


def test_two_contents_contradict() -> None:
    found = verdict(event("first"), event("second"), event("second", "failed"))
    assert (found.contradicted, found.holds) == (1, False)


def test_another_outcome_than_the_true_one_is_wrong() -> None:
    assert verdict(event("first"), event("second", "failed")).wrong == 1
    assert verdict(event("first"), event("second", "timedOut")).wrong == 1


def test_an_end_that_was_there_before_is_stale() -> None:
    found = verdict(event("first", created=OLD), event("second"))
    assert (found.stale, found.wrong, found.holds) == (1, 0, False)


def test_superseded_by_what_was_no_newer_request_is_wrong() -> None:
    assert verdict(event("first", "superseded", supersededBy="20261120T100000Z-unknown"), event("second")).wrong == 1
    assert verdict(event("first"), event("second", "superseded", supersededBy="20261120T100000Z-first")).wrong == 1
