"""Hold each variant to what it makes: ``python -m tests.integration.infra.held`` writes the files anew.

``variants/plain.txt`` lists every resource, role and setting of the app in the plainest deployment, one a line. The
file of any other variant lists what it takes away (``-``) and adds (``+``), and so shows that it changes nothing else.
"""

import json
import re
import sys
from pathlib import Path

from tests.integration.infra.cases import CASES, VARIANTS, Outcome, work_out
from tests.integration.infra.promises.reading import SITE, app_settings
from tests.integration.infra.tools import bicep
from tests.support.arm.compiler import start_bicep
from tests.support.arm.deployment import PUBLIC, ROLE_ASSIGNMENT

PLAIN = "plain"
# What is put on another resource is told by that one's name.
EXTENSIONS = {ROLE_ASSIGNMENT, "Microsoft.Insights/diagnosticSettings"}


def lines(outcome: Outcome) -> list[str]:
    """Return what a deployment makes, one thing a line, in order."""
    told = [f"output {name}" for name in outcome.deployment.outputs]
    told += [f"setting {name} = {_short(value)}" for name, value in app_settings(outcome.deployment).items()]
    for resource in outcome.deployment.resources:
        body = {**resource.properties, "sku": resource.body.get("sku", {})}
        if resource.kind == SITE:
            body["siteConfig"] = {key: item for key, item in body["siteConfig"].items() if key != "appSettings"}
        name = _short(resource.scope if resource.kind in EXTENSIONS else resource.name)
        leaves = "; ".join(_leaves(body))
        told.append(f"{resource.kind} {name}: {leaves}")
    return sorted(told)


def changes(plain: list[str], other: list[str]) -> list[str]:
    """Return what another deployment lacks of the plain one, and has beside it."""
    return sorted([f"- {one}" for one in set(plain) - set(other)] + [f"+ {one}" for one in set(other) - set(plain)])


def _leaves(value: object, path: str = "") -> list[str]:
    match value:
        case dict():
            return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else key)]
        case list() if value and all(isinstance(item, dict) for item in value):
            return [leaf for number, item in enumerate(value) for leaf in _leaves(item, f"{path}[{number}]")]
        case _:
            return [f"{path}={_short(json.dumps(value))}"]


def _short(text: str) -> str:
    """Return a text without what says nothing here: made-up IDs, and the contents of queries."""
    text = re.sub(r"/subscriptions/[0-9a-f-]+/(?:resourceGroups/([\w-]+)/)?providers/", r"\1:", text)
    text = re.sub(r"(face-ops-|sthost|stdata)[0-9a-z]{13}", r"\1TOKEN", text)
    text = re.sub(r"(?<![\w])(?!00000000)[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]{21}", "GUID", text)
    return text if len(text) < 400 else f"{text[:60]}… ({len(text)} characters)"


def expected(variant: str) -> list[str]:
    return (VARIANTS / f"{variant}.txt").read_text(encoding="utf-8").splitlines()


def main() -> int:
    with start_bicep(bicep()) as compiler:
        told = {case.variant: lines(work_out(compiler, case)) for case in CASES if case.cloud is PUBLIC}
    for variant, found in told.items():
        text = found if variant == PLAIN else changes(told[PLAIN], found)
        Path(VARIANTS / f"{variant}.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
