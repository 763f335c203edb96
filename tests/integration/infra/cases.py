"""The deployments for which the template must keep its promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.arm.compiler import Bicep
from tests.support.arm.deployment import PUBLIC, US_GOVERNMENT, Cloud, Deployment, deploy

VARIANTS = Path(__file__).parent / "variants"


@dataclass(frozen=True)
class Case:
    """One deployment: a file of parameters, and the cloud that it is made in."""

    variant: str
    cloud: Cloud = PUBLIC

    def __str__(self) -> str:
        return f"{self.variant}{'' if self.cloud is PUBLIC else ', US Government'}"


CASES = (
    *(Case(file.stem) for file in sorted(VARIANTS.glob("*.bicepparam"))),
    Case("everything", US_GOVERNMENT),
)


@dataclass(frozen=True)
class Outcome:
    """What a case comes to, and the parameters that led there."""

    deployment: Deployment
    parameters: Mapping[str, Any]
    cloud: Cloud

    @property
    def existing_face(self) -> str | None:
        face: str | None = self.parameters.get("existingFaceId")
        return face

    @property
    def isolated(self) -> bool:
        return bool(self.parameters.get("networkIsolation"))


def work_out(bicep: Bicep, case: Case, variants: Path = VARIANTS) -> Outcome:
    """Return what a case comes to; ``variants`` may be a copy that stands beside changed templates."""
    file = variants / f"{case.variant}.bicepparam"
    parameters = bicep.parameters(file)
    existing = frozenset(filter(None, [parameters.get("existingFaceId")]))
    return Outcome(deploy(bicep.snapshot(file), case.cloud, existing), parameters, case.cloud)
