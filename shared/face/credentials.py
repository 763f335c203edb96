"""How a call shows who makes it: by a resource key, or by an identity of Microsoft Entra ID."""

from collections.abc import Callable

from azure.core.exceptions import AzureError
from requests import PreparedRequest
from requests.auth import AuthBase

from shared.face.errors import Unauthorized


class KeyCredential(AuthBase):
    """A resource key, in the header that the service names."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the key on a request."""
        request.headers["Ocp-Apim-Subscription-Key"] = self._key
        return request


class TokenCredential(AuthBase):
    """A bearer token.

    ``token`` returns a valid one at each call, as ``azure.identity.get_bearer_token_provider`` does.
    """

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put a token on a request.

        Raises:
            Unauthorized: no token could be had, or the request would carry it over plain http.
        """
        if not (request.url or "").startswith("https://"):
            raise Unauthorized("a token is not sent over plain http; expected https in FACE_ENDPOINT")
        try:
            token = self._token()
        except AzureError as error:
            # The identity library's own text may hold addresses and IDs of the tenant.
            raise Unauthorized(
                f"no token for the Face service ({type(error).__name__}); expected an identity with a role on the "
                "resource, or its key in FACE_KEY: check the app's identity and its role, or set the key"
            ) from None
        request.headers["Authorization"] = f"Bearer {token}"
        return request
