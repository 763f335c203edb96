"""The verdict on chaos sees what is wrong with the events of a run."""

from typing import Any

import pytest

from bench.chaos.verdict import Asked, Training, Verdict, judge

GROUP = "personGroup/one"
OLD, NEW = Training("succeeded", "2026-11-20T09:00:00Z"), Training("succeeded", "2026-11-20T10:00:00Z")
ASKED = {
    "strict": Asked(GROUP, older=OLD),
    "plain": Asked(GROUP, older=OLD, older_counts=True),
    "given-up": Asked(GROUP, cancelled=True),
}


def event(message_id: str, training: Training | None = NEW, outcome: str | None = None) -> dict[str, Any]:
    created = None if training is None else {"createdDateTime": training.created}
    told = outcome or (training.outcome if training else "timedOut")
    return {
        "id": f"20261120T100000Z-{message_id}",
        "subject": GROUP,
        "data": {"outcome": told, "training": created, "lateSeconds": 5.0 if training else None},
    }


TRUE = {"strict": event("strict"), "plain": event("plain", OLD), "given-up": event("given-up", None, "cancelled")}


def verdict(*others: dict[str, Any], without: str = "") -> Verdict:
    events = [each for message_id, each in TRUE.items() if message_id != without]
    return judge(ASKED, {GROUP: NEW}, [*events, *others])


def test_a_true_event_for_each_request_holds() -> None:
    seen = verdict()
    assert seen.holds
    assert (seen.requests, seen.repeated, seen.cancelled, seen.late_seconds.worst) == (3, 0, 1, 5.0)


def test_a_request_without_an_event_is_lost() -> None:
    assert (verdict(without="strict").lost, verdict(without="strict").holds) == (1, False)


def test_a_repeated_event_is_counted_and_holds() -> None:
    seen = verdict(event("strict"))
    assert (seen.repeated, seen.holds) == (1, True)


def test_two_contents_contradict() -> None:
    seen = verdict(event("plain", NEW))
    assert (seen.contradicted, seen.holds) == (1, False)


@pytest.mark.parametrize("outcome", ["failed", "timedOut", "cancelled"])
def test_another_outcome_than_the_true_one_is_wrong(outcome: str) -> None:
    assert verdict(event("plain", NEW, outcome), without="plain").wrong == 1


def test_an_end_that_was_there_before_is_stale() -> None:
    seen = verdict(event("strict", OLD), without="strict")
    assert (seen.stale, seen.wrong, seen.holds) == (1, 0, False)


def test_an_event_of_a_request_that_was_not_sent_is_wrong() -> None:
    assert verdict(event("unknown")).wrong == 1
