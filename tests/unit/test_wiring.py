import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from types import ModuleType

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.settings import SettingsError
from shared.storage import Storage
from tests.support.builders import environment
from tests.support.fresh import fresh_wiring


@pytest.fixture
def wiring(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the wiring as a new process has it, with the least environment."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with fresh_wiring() as fresh:
        yield fresh


def test_everything_is_built_once_also_when_many_threads_ask_at_once(wiring: ModuleType) -> None:
    barrier = Barrier(8)

    def ask(_: int) -> object:
        barrier.wait()
        return wiring.face_client()

    with ThreadPoolExecutor(8) as threads:
        assert len({id(built) for built in threads.map(ask, range(8))}) == 1


def test_what_could_not_be_built_is_built_when_it_can_be(wiring: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACE_ENDPOINT", "nowhere")
    for _ in range(2):
        with pytest.raises(SettingsError, match="FACE_ENDPOINT"):
            wiring.face_client()
    monkeypatch.setenv("FACE_ENDPOINT", "https://faces.cognitiveservices.azure.com")
    assert wiring.face_client().endpoint == "https://faces.cognitiveservices.azure.com"


def test_a_build_that_takes_long_does_not_hold_the_others_up(
    wiring: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def make_slowly(_: Storage) -> None:
        begun.set()
        assert go_on.wait(10)

    monkeypatch.setattr(Storage, "make_watch_parts", make_slowly)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(wiring.watch_storage)
        assert begun.wait(10)
        assert wiring.face_client()
        assert wiring.storage()
        go_on.set()
        assert slow.result() is wiring.storage()


def test_all_who_waited_for_a_build_that_fails_are_told_at_once(
    wiring: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Storage] = []
    waiting = Barrier(4)

    def fail(storage: Storage) -> None:
        calls.append(storage)
        time.sleep(0.2)
        raise ServiceRequestError("down")

    def ask(_: int) -> bool:
        waiting.wait()
        with pytest.raises(ServiceRequestError):
            wiring.watch_storage()
        return True

    monkeypatch.setattr(Storage, "make_watch_parts", fail)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(4)))
    assert len(calls) < 4
