import pytest
import typer

from cli.connect import Target

ACCOUNT = "account"
WITHOUT_A_KEY = {
    "FACE_KEY": "",
    "FACE_TOKEN_SCOPE": "",
    "FACE_TRAINING_API_VERSION": "",
    "FACE_DIRECTORY_API_VERSION": "",
}


def target(monkeypatch: pytest.MonkeyPatch, endpoint: str, **environment: str) -> Target:
    for name, value in {**WITHOUT_A_KEY, **environment}.items():
        monkeypatch.setenv(name, value)
    return Target(local=False, storage_account=ACCOUNT, face_endpoint=endpoint, max_tps=5.0)


@pytest.mark.parametrize("cloud", ["com", "us", "cn"])
def test_tokens_are_asked_for_the_endpoints_cloud(monkeypatch: pytest.MonkeyPatch, cloud: str) -> None:
    scopes = []
    monkeypatch.setattr("azure.identity.get_bearer_token_provider", lambda _, scope: scopes.append(scope))
    assert target(monkeypatch, f"https://name.cognitiveservices.azure.{cloud}").groups_client
    assert scopes == [f"https://cognitiveservices.azure.{cloud}/.default"]


def test_a_version_without_dynamic_person_groups_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = target(monkeypatch, "https://name.cognitiveservices.azure.com", FACE_DIRECTORY_API_VERSION="v1.2")
    with pytest.raises(typer.Exit) as ended:
        assert where.groups_client
    assert ended.value.exit_code == 2
    assert "FACE_DIRECTORY_API_VERSION" in capsys.readouterr().err
