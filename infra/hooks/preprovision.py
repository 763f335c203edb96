"""Check before ``azd provision`` what would fail half an hour later, and say what to do about it.

azd runs this with its environment as environment variables. It stops the deployment by its exit code.
"""

import fnmatch
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from infra.hooks.azure import Ask, CannotAsk, ask

PARAMETERS = Path(__file__).parents[1] / "main.parameters.json"
PROVIDERS = ("Microsoft.CognitiveServices", "Microsoft.Storage", "Microsoft.Web")
NEEDED_RIGHTS = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleDefinitions/write")

type Problems = Iterator[str]
type Environment = Mapping[str, str]


def knobs() -> dict[str, str]:
    """Return the variables that the parameters read, each with its default."""
    return dict(re.findall(r"\$\{(\w+)=([^}]*)\}", PARAMETERS.read_text(encoding="utf-8")))


def set_all(environment: Environment, keep: Callable[[str, str], None]) -> Problems:
    """Keep the defaults of what is not set; in a pipeline, where they could undo somebody's choice, refuse."""
    missing = {name: default for name, default in knobs().items() if not environment.get(name)}
    if not missing:
        return
    if environment.get("CI"):
        listed = ", ".join(f"{name} (default: {default})" for name, default in missing.items())
        yield f"the pipeline has no value for {listed}. Set the repository's variables, or run: azd pipeline config"
        return
    for name, default in missing.items():
        keep(name, default)


def region(environment: Environment, ask: Ask) -> Problems:
    """Check that the region has both Flex Consumption and Face."""
    location = environment["AZURE_LOCATION"]
    if location not in {one["name"] for one in ask("functionapp", "list-flexconsumption-locations")}:
        yield f"{location} has no Flex Consumption. Choose another region: azd env set AZURE_LOCATION REGION"
    if makes_face(environment) and not ask(
        "cognitiveservices", "account", "list-skus", "--kind", "Face", "--location", location
    ):
        yield f"{location} has no Face. Choose another region: azd env set AZURE_LOCATION REGION"


def providers(environment: Environment, ask: Ask) -> Problems:
    """Check that the resource providers are registered."""
    isolated = environment.get("NETWORK_ISOLATION") == "true"
    wanted = (*PROVIDERS, *(("Microsoft.App", "Microsoft.Network") if isolated else ()))
    states = {one["namespace"]: one["registrationState"] for one in ask("provider", "list")}
    for name in wanted:
        if states.get(name) != "Registered":
            yield f"{name} is not registered in the subscription. Run: az provider register --wait --namespace {name}"


def terms(environment: Environment, ask: Ask) -> Problems:
    """Check that the terms of Face have been accepted, which shows only in a Face resource that somebody made."""
    if not makes_face(environment) or environment.get("FACE_TERMS_ACCEPTED") == "true":
        return
    accounts = [*ask("cognitiveservices", "account", "list"), *ask("cognitiveservices", "account", "list-deleted")]
    if not any(one["kind"] == "Face" for one in accounts):
        yield (
            "the subscription has no Face resource, so perhaps nobody accepted the terms. Create one in the portal, "
            "https://portal.azure.com/#create/Microsoft.CognitiveServicesFace, accept, and delete it or name it in "
            "EXISTING_FACE_ID. If they have been accepted: azd env set FACE_TERMS_ACCEPTED true"
        )


def deleted_face(environment: Environment, ask: Ask) -> Problems:
    """Check that no deleted Face resource of this environment is in the way, and offer to bring it back."""
    group = environment.get("AZURE_RESOURCE_GROUP", "")
    if not makes_face(environment) or not group:
        return
    for account in ask("cognitiveservices", "account", "list-deleted"):
        found = re.search(r"/locations/([^/]+)/resourceGroups/([^/]+)/deletedAccounts/([^/]+)$", account["id"])
        if not found or found[2].lower() != group.lower() or not found[3].startswith("face-ops-"):
            continue
        if (account.get("tags") or {}).get("azd-env-name") not in (None, environment.get("AZURE_ENV_NAME")):
            continue
        named = f"--location {found[1]} --resource-group {found[2]} --name {found[3]}"
        yield (
            f"the deleted Face resource {found[3]} is in the way. With its groups, bring it back: "
            f"az cognitiveservices account recover {named}; or remove it for good: "
            f"az cognitiveservices account purge {named}"
        )


def rights(environment: Environment, ask: Ask) -> Problems:
    """Check the right to grant and to define roles."""
    scope = f"/subscriptions/{environment['AZURE_SUBSCRIPTION_ID']}"
    if group := environment.get("AZURE_RESOURCE_GROUP"):
        scope += f"/resourceGroups/{group}"
    url = f"https://management.azure.com{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    permissions = ask("rest", "--method", "get", "--url", url)["value"]
    lacking = [right for right in NEEDED_RIGHTS if not any(allows(one, right) for one in permissions)]
    if lacking:
        yield (
            f"you lack {' and '.join(lacking)} on {scope}. Ask its owner for the role Owner, or for User Access "
            "Administrator beside Contributor"
        )


def allows(permission: Mapping[str, list[str]], action: str) -> bool:
    """Return whether a permission holds an action and does not take it away again."""

    def matches(patterns: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return matches(permission["actions"]) and not matches(permission["notActions"])


def makes_face(environment: Environment) -> bool:
    """Return whether the deployment makes a Face resource."""
    return environment.get("EXISTING_FACE_ID", "none") in ("", "none")


CHECKS = (region, providers, terms, deleted_face, rights)


def check(environment: Environment, ask: Ask, keep: Callable[[str, str], None]) -> list[str]:
    """Return what would fail; say on standard error what could not be checked."""
    problems = list(set_all(environment, keep))
    for one in CHECKS:
        try:
            problems += one(environment, ask)
        except CannotAsk as error:
            print(f"not checked: {one.__name__.replace('_', ' ')}: {error}", file=sys.stderr)
    return problems


def _keep(name: str, value: str) -> None:
    subprocess.run(["azd", "env", "set", name, value], check=True)  # noqa: S603, S607 - azd has started this
    print(f"set {name}={value} in the azd environment, the default")


def main() -> int:
    problems = check(os.environ, ask, _keep)
    for problem in problems:
        print(f"- {problem}", file=sys.stderr)
    if problems:
        print("nothing was changed; docs/deploying.md says more", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
