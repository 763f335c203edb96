"""A plain HTTP client of the Face service, for tests of bare responses."""

from typing import Any

import requests

VERSION = "v1.2-preview.1"
TIMEOUT_SECONDS = 30.0


class FaceService:
    """A client of the service at ``endpoint`` with a key. It follows no redirects."""

    def __init__(self, endpoint: str, key: str) -> None:
        self.endpoint = endpoint
        self.session = requests.Session()
        self.session.headers["Ocp-Apim-Subscription-Key"] = key

    def call(
        self, method: str, path: str, *, version: str = VERSION, timeout: float = TIMEOUT_SECONDS, **options: Any
    ) -> requests.Response:
        """Send a request to a path below the API version; ``options`` are those of ``requests.request``."""
        address = f"{self.endpoint}/face/{version}{path}"
        return self.session.request(method, address, timeout=timeout, allow_redirects=False, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Send a GET."""
        return self.call("GET", path, **options)

    def create(self, path: str, **body: Any) -> requests.Response:
        """Create the group of that path, with these fields of its body beside a name."""
        return self.call("PUT", path, json={"name": "a name", **body})

    def list_ids(self, **parameters: str | int) -> list[str]:
        """Return the IDs of one page of dynamic person groups."""
        page = self.get("/dynamicpersongroups", params=parameters).json()
        return [group["dynamicPersonGroupId"] for group in page]


def state_of(service: FaceService) -> dict[str, object]:
    """Return all groups of the service, at most 1,000, with their persons."""
    groups = service.get("/dynamicpersongroups", params={"top": 1000}).json()
    return {
        group["dynamicPersonGroupId"]: (
            group,
            service.get(f"/dynamicpersongroups/{group['dynamicPersonGroupId']}/persons").json()["personIds"],
        )
        for group in groups
    }
