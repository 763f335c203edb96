"""Who may do what."""

import re

from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises.reading import (
    FACE,
    IDENTITY,
    SITE,
    STORAGE,
    WORKSPACE,
    app_settings,
    data_account,
    texts,
)
from tests.integration.infra.roles import CUSTOM, NAMES, REASONS, Grant
from tests.support.arm.deployment import ROLE_ASSIGNMENT, ROLE_DEFINITION, TENANT, Deployment, Resource, principal_of


def each_role_has_a_reason(outcome: Outcome) -> None:
    deployed = outcome.deployment
    names = {one.name: one.properties["roleName"].partition(" ")[2] for one in deployed.of(ROLE_DEFINITION)}
    places = {one.id for one in deployed.resources} | {outcome.existing_face}
    granted = set()
    for assignment in deployed.of(ROLE_ASSIGNMENT):
        assert assignment.scope in places, f"{assignment.scope} is not there"
        role = assignment.properties["roleDefinitionId"].rpartition("/")[2]
        granted.add(
            Grant(_who(outcome, assignment), _where(deployed, assignment), names.get(role) or NAMES.get(role, role))
        )
    assert granted == {reason.grant for reason in REASONS if reason.when is None or outcome.parameters.get(reason.when)}
    (identity,) = deployed.of(IDENTITY)
    assert identity.id in deployed.one(SITE).body["identity"]["userAssignedIdentities"]


def _who(outcome: Outcome, assignment: Resource) -> str:
    if assignment.properties["principalId"] == outcome.parameters.get("operatorPrincipalId"):
        return "operator"
    assert assignment.properties["principalType"] == "ServicePrincipal"
    topics = outcome.deployment.of("Microsoft.EventGrid/topics")
    if assignment.properties["principalId"] in [principal_of(one.name) for one in topics]:
        return "topic"
    return "app"


def _where(deployed: Deployment, assignment: Resource) -> str:
    where = assignment.scope.partition("/providers/")[2].replace(data_account(deployed).name, "DATA")
    where = re.sub(r"sthost\w+", "HOST", where)
    return re.sub(r"(components|CognitiveServices/accounts|topics)/[\w-]+", r"\1/*", where)


def a_custom_role_grants_what_is_used(outcome: Outcome) -> None:
    for role in outcome.deployment.of(ROLE_DEFINITION):
        (permission,) = role.properties["permissions"]
        actions = [*permission["actions"], *permission["dataActions"]]
        assert set(actions) == CUSTOM[role.properties["roleName"].partition(" ")[2]]
        assert role.properties["assignableScopes"] == [role.scope]


def no_secret_is_written(outcome: Outcome) -> None:
    deployed = outcome.deployment
    written = r"list(Keys|AccountSas|ServiceSas|Secrets)\b|AccountKey=|SharedAccess|[?&]sig=|DefaultEndpointsProtocol"
    for text in texts([one.body for one in deployed.resources] + [deployed.outputs]):
        assert not re.search(written, text), text
        # Without local authentication, the key in this one opens nothing.
        assert "Key=" not in text or text.startswith("InstrumentationKey=")
    # A plain one would win over the settings of the identity.
    assert not app_settings(deployed).keys() & {"AzureWebJobsStorage", "DataStorage", "FACE_KEY"}


def keys_open_nothing(outcome: Outcome) -> None:
    deployed = outcome.deployment
    for account in deployed.of(STORAGE):
        assert account.properties["allowSharedKeyAccess"] is False
        assert account.properties["defaultToOAuthAuthentication"] is True
    for account in deployed.of(FACE):
        assert account.properties["disableLocalAuth"] is True
    assert deployed.one("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    assert deployed.one(WORKSPACE).properties["features"]["disableLocalAuth"] is True
    policies = deployed.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.name.rpartition("/")[2]: one.properties["allow"] for one in policies} == {"ftp": False, "scm": False}


def face_takes_tokens_on_its_own_subdomain(outcome: Outcome) -> None:
    deployed = outcome.deployment
    faces = deployed.of(FACE)
    assert len(faces) == (0 if outcome.existing_face else 1)
    for face in faces:
        assert face.body["kind"] == "Face"
        assert face.properties.get("customSubDomainName") == face.name


def http_functions_take_tokens_if_asked(outcome: Outcome) -> None:
    deployed, client = outcome.deployment, outcome.parameters.get("entraClientId")
    configs = [one for one in deployed.of(f"{SITE}/config") if one.name.endswith("/authsettingsV2")]
    assert len(configs) == bool(client)
    assert app_settings(deployed).get("HTTP_AUTH") == ("entra" if client else None)
    for config in configs:
        assert config.properties["platform"]["enabled"] is True
        assert config.properties["globalValidation"]["requireAuthentication"] is True
        assert config.properties["globalValidation"]["excludedPaths"] == ["/api/ui"]
        directory = config.properties["identityProviders"]["azureActiveDirectory"]
        assert directory["registration"]["openIdIssuer"] == f"{outcome.cloud.login}{TENANT}/v2.0"
        assert directory["validation"]["allowedAudiences"] == [client, f"api://{client}"]
