"""The calls of the storage that docs/deploying.md puts a price on are those that the app makes."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from local.azurite import Azurite
from local.face_emulator.process import FaceEmulator
from shared.training.messages import FollowUp, Message
from tests.support.builders import GROUP, environment
from tests.support.fresh import fresh_wiring

PAGE = (Path(__file__).parents[2] / "docs/deploying.md").read_text(encoding="utf-8")
OF_THE_HOST = Counter(queue=2)  # it receives the message, and deletes it
OF_OTHERS = Counter(queue=3)  # the request is sent, its event received and deleted

type Count = Callable[[Callable[[], object]], Counter[str]]


@pytest.fixture
def count(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Count:
    """Return what counts the calls of each service of the storage that some work makes."""
    services = {f":{getattr(azurite.ports, service)}/": service for service in ("blob", "queue", "table")}
    counted: Counter[str] = Counter()
    send = requests.Session.request

    def counting(session: requests.Session, method: str, url: str, *args: object, **kwargs: object) -> object:
        counted.update(service for place, service in services.items() if place in url)
        return send(session, method, url, *args, **kwargs)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(requests.Session, "request", counting)

    def count(work: Callable[[], object]) -> Counter[str]:
        counted.clear()
        work()
        return Counter(counted)

    return count


def priced(section: str) -> Counter[str]:
    """Return how many calls of each service a section of the page puts a price on."""
    text = PAGE.partition(f"\n### {section}")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (queue|table): .*?\| (\d+),000 \N{MULTIPLICATION SIGN}", text, re.MULTILINE)
    return Counter({service: int(number) for service, number in rows})


@pytest.mark.usefixtures("storage")
def test_the_calls_that_have_a_price_are_those_that_are_made(
    azurite: Azurite, face_emulator: FaceEmulator, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(
        FACE_ENDPOINT=face_emulator.endpoint, FACE_KEY=face_emulator.key, DataStorage=azurite.connection_string
    ).items():
        monkeypatch.setenv(name, value)
    with fresh_wiring() as wiring:

        def handle(body: str) -> None:
            wiring.watcher().handle(Message(str(uuid.uuid4()), datetime.now(UTC), body.encode()))

        def train(seconds: float) -> None:
            face_emulator.control.plan(duration=seconds)
            face_emulator.control.group(GROUP.kind, GROUP.group_id, train=True)

        def look_after_watches() -> None:  # as the function of that name does
            wiring.storage().make_watch_parts()
            wiring.caretaker().run()
            wiring.snapshot_jobs().request_failed()
            wiring.snapshot_jobs().measure_ages()

        train(0)
        handle(GROUP.subject)  # connects, and gives the group a past
        look_after_watches()
        timer = count(look_after_watches)
        train(3600)
        request = count(lambda: handle(GROUP.subject))
        poll = count(lambda: handle(FollowUp(group=GROUP, step=2).body))
        train(0)
        end = count(lambda: handle(FollowUp(group=GROUP, step=3).body))
    assert priced("A thousand polls") == poll + OF_THE_HOST
    assert priced("A thousand requests") == request + OF_THE_HOST + end + OF_THE_HOST + OF_OTHERS
    told = re.search(r"its storage: (\d+) queue, (\d+) table, (\d+) blob operations? a run", PAGE)
    assert told
    assert timer == Counter(queue=int(told[1]), table=int(told[2]), blob=int(told[3]))
