"""Say who calls: a resource key, or an identity of Microsoft Entra ID."""

from collections.abc import Callable

from azure.core.exceptions import AzureError
from requests import PreparedRequest
from requests.auth import AuthBase

from shared.face.errors import Unauthorized


class KeyCredential(AuthBase):
    """Put a resource key on each request."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Ocp-Apim-Subscription-Key"] = self._key
        return request


class TokenCredential(AuthBase):
    """Put a bearer token on each request.

    ``token`` returns a valid one whenever it is asked, as ``azure.identity.get_bearer_token_provider`` does.
    """

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        try:
            token = self._token()
        except AzureError as error:
            raise Unauthorized(
                f"no token for the Face service could be had ({type(error).__name__}): "
                "check the app's identity and that it is granted a role on the resource"
            ) from error
        request.headers["Authorization"] = f"Bearer {token}"
        return request
