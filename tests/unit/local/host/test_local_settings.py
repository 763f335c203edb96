import pytest

from local.host.errors import SettingError
from local.host.local_settings import expand, parse_local_settings


def test_the_environment_wins_over_the_file() -> None:
    settings = parse_local_settings({"IsEncrypted": False, "Values": {"A": "file", "B": "file"}}, {"A": "environment"})
    assert settings.values == {"A": "environment", "B": "file"}


def test_the_file_may_name_the_port() -> None:
    assert parse_local_settings({"Host": {"LocalHttpPort": 7072}}, {}).port == 7072
    assert parse_local_settings({}, {}).port is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"IsEncrypted": True, "Values": {"A": "…"}}, "encrypted.*func settings decrypt"),
        ({"Values": {"A": 5}}, "Values"),
        ({"ConnectionStrings": {}}, "'ConnectionStrings' is not known here. Known: IsEncrypted, Values, Host"),
        ({"Host": {"CORS": "*"}}, "'CORS' is not known here"),
        ({"Values": {"FUNCTIONS_WORKER_RUNTIME": "node"}}, "FUNCTIONS_WORKER_RUNTIME is 'node'"),
    ],
)
def test_what_the_stand_in_cannot_keep_to_is_rejected(data: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parse_local_settings(data, {})


def test_settings_are_put_in_for_their_names() -> None:
    assert expand("%A%-%B%-100%", {"A": "x", "B": "y"}) == "x-y-100%"


def test_a_name_without_a_setting_is_an_error() -> None:
    with pytest.raises(SettingError, match=r"'%A%' names no app setting\. Set A"):
        expand("%A%", {})
