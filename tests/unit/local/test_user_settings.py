"""What the stack takes from a user's local.settings.json."""

import json
import shutil
from pathlib import Path

import pytest

from local.functions_host import ROOT
from local.host.errors import SettingError
from local.user_settings import read_user_settings


def write(folder: Path, **values: str) -> Path:
    (folder / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return folder


def test_without_a_file_there_are_no_settings(tmp_path: Path) -> None:
    assert (read_user_settings(tmp_path).values, read_user_settings(tmp_path).ignored) == ({}, [])


def test_a_copy_of_the_sample_leaves_everything_to_the_stack(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "local.settings.sample.json", tmp_path / "local.settings.json")
    user = read_user_settings(tmp_path)
    assert (user.values, user.ignored, user.has_face) == ({}, [], False)


def test_a_face_resource_is_taken_with_its_key(tmp_path: Path) -> None:
    values = {"FACE_ENDPOINT": "https://mine.cognitiveservices.azure.com", "FACE_KEY": "k", "WATCH_GRACE_SECONDS": "5"}
    user = read_user_settings(write(tmp_path, **values))
    assert user.values == values
    assert user.has_face


def test_a_key_without_its_endpoint_is_not_given_to_the_emulator(tmp_path: Path) -> None:
    user = read_user_settings(write(tmp_path, FACE_KEY="k", WATCH_GRACE_SECONDS="5"))
    assert (user.values, user.ignored) == ({"WATCH_GRACE_SECONDS": "5"}, ["FACE_KEY"])


def test_the_storage_is_the_stacks_own(tmp_path: Path) -> None:
    uri = "https://mine.queue.core.windows.net"
    user = read_user_settings(
        write(tmp_path, AzureWebJobsStorage="AccountName=mine;", DataStorage__queueServiceUri=uri)
    )
    assert (user.values, user.ignored) == ({}, ["AzureWebJobsStorage", "DataStorage__queueServiceUri"])


def test_a_file_that_cannot_be_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text("{")
    with pytest.raises(SettingError, match="is not JSON"):
        read_user_settings(tmp_path)
