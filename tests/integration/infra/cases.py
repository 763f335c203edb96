"""Name the deployments for which the template must keep its promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.integration.infra.tools import INFRA, compile_bicep
from tests.support.arm.template import PUBLIC, US_GOVERNMENT, Cloud, Resolved, resolve

EXISTING_FACE = (
    "/subscriptions/00000000-0000-0000-0000-00000000000b/resourceGroups/rg-recognition"
    "/providers/Microsoft.CognitiveServices/accounts/our-face"
)


@dataclass(frozen=True)
class Case:
    """Hold the parameters of one deployment, and the cloud that it is made in."""

    name: str
    parameters: Mapping[str, Any]
    cloud: Cloud = PUBLIC

    @property
    def existing_face(self) -> str | None:
        return self.parameters.get("existingFaceId")

    @property
    def isolated(self) -> bool:
        return bool(self.parameters.get("networkIsolation"))

    def __str__(self) -> str:
        return self.name


def _case(name: str, cloud: Cloud = PUBLIC, **parameters: object) -> Case:
    return Case(name, {"environmentName": "production", "location": "westeurope", **parameters}, cloud)


CASES = (
    _case("plain"),
    _case("free tier", faceSkuName="F0"),
    _case(
        "everything set",
        allowTraining=True,
        alertEmail="operators@example.com",
        snapshotRetentionDays=30,
        throttledAlertPercent=5,
        storageSkuName="Standard_ZRS",
        options={
            "FACE_MAX_TPS": "5",
            "WATCH_DEFAULT_KIND": "personGroup",
            "WATCH_TIMEOUT_SECONDS": "3600",
            "WATCH_MIN_DELAY_SECONDS": "2",
            "WATCH_MAX_DELAY_SECONDS": "30",
            "WATCH_GRACE_SECONDS": "10",
            "WATCH_RETENTION_DAYS": "9",
            "SNAPSHOT_SCHEDULE": "0 30 1 * * *",
            "SNAPSHOT_INCLUDE_USER_DATA": "false",
        },
    ),
    _case("existing Face", existingFaceId=EXISTING_FACE),
    _case("isolated", networkIsolation=True),
    _case(
        "isolated, existing Face, US Government",
        US_GOVERNMENT,
        networkIsolation=True,
        existingFaceId=EXISTING_FACE,
        allowTraining=True,
        alertEmail="operators@example.com",
    ),
)


@cache
def compiled() -> dict[str, Any]:
    """Return the project's own template, compiled once."""
    return compile_bicep(INFRA)


@cache
def resolved(case_name: str) -> Resolved:
    """Return what the project's own template comes to in a case."""
    (case,) = (case for case in CASES if case.name == case_name)
    return resolve(compiled(), case.parameters, case.cloud)
