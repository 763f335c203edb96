"""A checkout that cannot be written to is a clear message."""

from pathlib import Path

import pytest

from local import logs
from local.logs import keep_logs
from local.workspace import NotWritableError, make_folder


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b")
    assert list((tmp_path / "a/b").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(logs, "DIRECTORY", tmp_path / "file/logs")
    with pytest.raises(NotWritableError, match=r"Cannot write to .*file/logs: .*run it in a checkout"), keep_logs():
        pass
