"""The file that says how to reach a running stack."""

from pathlib import Path

import pytest

from local.connection import Connection, read_connection, remove_connection, write_connection

CONNECTION = Connection(
    address="http://127.0.0.1:7071",
    connection_string="AccountName=a;",
    face_endpoint="http://127.0.0.1:8800",
    face_key="key",
    face_control_token="token",
    master_key=None,
    function_key=None,
    function_keys={},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new/connection.json"


def test_only_its_owner_can_read_it(path: Path) -> None:
    write_connection(CONNECTION, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_connection(path) == CONNECTION
    assert list(path.parent.iterdir()) == [path]


def test_an_older_file_that_others_can_read_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    write_connection(CONNECTION, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_with_its_stack(path: Path) -> None:
    write_connection(CONNECTION, path)
    remove_connection(CONNECTION, path)
    assert not path.exists()


def test_the_file_of_another_stack_stays(path: Path) -> None:
    other = Connection(**{name: getattr(CONNECTION, name) for name in CONNECTION.__struct_fields__} | {"face_key": "x"})
    write_connection(other, path)
    remove_connection(CONNECTION, path)
    assert read_connection(path) == other
