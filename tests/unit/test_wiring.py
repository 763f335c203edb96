from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType

import pytest

from shared.settings import SettingsError
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
