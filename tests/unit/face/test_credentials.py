import traceback

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from shared.face.credentials import KeyCredential, TokenCredential
from shared.face.errors import Unauthorized

SECRET = "s3cret-s3cret"


def prepared() -> requests.PreparedRequest:
    return requests.Request("GET", "https://faces.cognitiveservices.azure.com/").prepare()


def test_a_key_is_in_the_header_that_the_service_names() -> None:
    assert KeyCredential(SECRET)(prepared()).headers["Ocp-Apim-Subscription-Key"] == SECRET


def test_a_bearer_token_is_asked_for_at_each_call() -> None:
    tokens = iter(("first", "second"))
    credential = TokenCredential(lambda: next(tokens))
    assert credential(prepared()).headers["Authorization"] == "Bearer first"
    assert credential(prepared()).headers["Authorization"] == "Bearer second"


def test_without_a_token_the_error_names_the_identity_and_the_key() -> None:
    def refuse() -> str:
        raise ClientAuthenticationError("no identity in tenant 4711")

    with pytest.raises(Unauthorized, match="check the app's identity and its role, or set the key") as raised:
        TokenCredential(refuse)(prepared())
    assert "ClientAuthenticationError" in str(raised.value)
    assert "FACE_KEY" in str(raised.value)
    assert "4711" not in "".join(traceback.format_exception(raised.value))


def test_no_token_is_sent_over_plain_http() -> None:
    request = requests.Request("GET", "http://127.0.0.1:5001/").prepare()
    with pytest.raises(Unauthorized, match="expected https in FACE_ENDPOINT"):
        TokenCredential(lambda: SECRET)(request)
    assert "Authorization" not in request.headers


def test_no_credential_shows_its_secret() -> None:
    shown = f"{KeyCredential(SECRET)!r} {KeyCredential(SECRET)} {TokenCredential(lambda: SECRET)!r}"
    assert SECRET not in shown
