"""What each key opens, and where keys are kept."""

from pathlib import Path

import pytest

from local.host.errors import SettingError
from local.host.keys import Keys, Level, is_open, new_keys, read_keys, write_keys

KEYS = Keys("master", {"default": "host"}, {"one": {"default": "of one"}, "two": {"default": "of two"}})


@pytest.mark.parametrize(
    ("key", "level"),
    [("master", "ADMIN"), ("host", "FUNCTION"), ("of one", "FUNCTION"), ("of two", "ANONYMOUS"), ("", "ANONYMOUS")],
)
def test_a_key_has_its_level_at_a_function(key: str, level: Level) -> None:
    assert KEYS.level_of(key, "one") == level


def test_a_key_of_a_function_opens_nothing_of_the_hosts_own() -> None:
    assert KEYS.level_of("of one") == "ANONYMOUS"


@pytest.mark.parametrize(
    ("required", "opened_by"),
    [("ANONYMOUS", {"ANONYMOUS", "FUNCTION", "ADMIN"}), ("FUNCTION", {"FUNCTION", "ADMIN"}), ("ADMIN", {"ADMIN"})],
)
def test_a_level_is_opened_by_its_own_and_by_the_master_key(required: Level, opened_by: set[Level]) -> None:
    levels: list[Level] = ["ANONYMOUS", "FUNCTION", "ADMIN"]
    assert {level for level in levels if is_open(required, level)} == opened_by


def test_each_function_gets_a_key_of_its_own_and_keeps_it() -> None:
    first = new_keys().with_functions(["one"])
    second = first.with_functions(["one", "two"])
    assert second.functions["one"] == first.functions["one"]
    assert len({first.master_key, first.function_keys["default"], *second.functions["two"].values()}) == 3


def test_keys_are_kept_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, KEYS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keys(path) == KEYS
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_a_file_without_keys_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"masterKey": 5}')
    with pytest.raises(SettingError, match=r"does not hold the host's keys.*Remove it"):
        read_keys(path)
