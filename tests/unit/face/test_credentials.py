import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from shared.face.credentials import KeyCredential, TokenCredential
from shared.face.errors import Unauthorized

SECRET = "s3cret-s3cret"


def prepared() -> requests.PreparedRequest:
    return requests.Request("GET", "https://faces.cognitiveservices.azure.com/").prepare()


def test_a_key_travels_in_the_header_that_the_service_names() -> None:
    assert KeyCredential(SECRET)(prepared()).headers["Ocp-Apim-Subscription-Key"] == SECRET


def test_a_token_is_asked_for_at_each_call_and_travels_as_a_bearer() -> None:
    tokens = iter(("first", "second"))
    credential = TokenCredential(lambda: next(tokens))
    assert credential(prepared()).headers["Authorization"] == "Bearer first"
    assert credential(prepared()).headers["Authorization"] == "Bearer second"


def test_a_token_that_cannot_be_had_is_a_refusal_that_says_what_to_check() -> None:
    def refuse() -> str:
        raise ClientAuthenticationError("no identity here")

    with pytest.raises(Unauthorized, match="check the app's identity and that it is granted a role") as told:
        TokenCredential(refuse)(prepared())
    assert "ClientAuthenticationError" in str(told.value)


def test_no_credential_shows_its_secret() -> None:
    shown = f"{KeyCredential(SECRET)!r} {KeyCredential(SECRET)} {TokenCredential(lambda: SECRET)!r}"
    assert SECRET not in shown
