"""Who may do what."""

import re

from tests.integration.infra.cases import Case
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
from tests.integration.infra.roles import REASONS
from tests.support.arm.template import Resolved


def each_role_has_a_reason(deployed: Resolved, case: Case) -> None:
    (identity,) = deployed.of(IDENTITY)
    places = {one.id for one in deployed.resources} | {case.existing_face}
    data, granted = data_account(deployed).name, set()
    for role in deployed.of("Microsoft.Authorization/roleAssignments"):
        assert role.scope in places, f"{role.scope} is not there"
        assert role.properties["principalType"] == "ServicePrincipal"
        where = str(role.scope).partition("/providers/")[2].replace(data, "DATA")
        where = re.sub(r"sthost\w+", "HOST", where)
        where = re.sub(r"(components|CognitiveServices/accounts)/[\w-]+", r"\1/*", where)
        granted.add((where, role.properties["roleDefinitionId"].rpartition("/")[2]))
    training = bool(case.parameters.get("allowTraining"))
    reasoned = {one for one, (_, only_training) in REASONS.items() if only_training in (None, training)}
    assert granted == reasoned
    assert identity.id in deployed.one(SITE).body["identity"]["userAssignedIdentities"]


def no_secret_is_written(deployed: Resolved, _: Case) -> None:
    written = r"list(Keys|AccountSas|ServiceSas|Secrets)\b|AccountKey=|SharedAccess|[?&]sig=|DefaultEndpointsProtocol"
    for text in texts([one.body for one in deployed.resources] + [deployed.outputs, deployed.template]):
        assert not re.search(written, text), text
        # Without local authentication, the key in this one opens nothing.
        assert "Key=" not in text or text.startswith("InstrumentationKey=")
    # A plain one would win over the settings of the identity.
    assert not app_settings(deployed).keys() & {"AzureWebJobsStorage", "DataStorage", "FACE_KEY"}


def keys_open_nothing(deployed: Resolved, _: Case) -> None:
    for account in deployed.of(STORAGE):
        assert account.properties["allowSharedKeyAccess"] is False
        assert account.properties["defaultToOAuthAuthentication"] is True
    for account in deployed.of(FACE):
        assert account.properties["disableLocalAuth"] is True
    assert deployed.one("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    assert deployed.one(WORKSPACE).properties["features"]["disableLocalAuth"] is True
    policies = deployed.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.name.rpartition("/")[2]: one.properties["allow"] for one in policies} == {"ftp": False, "scm": False}


def face_takes_tokens_on_its_own_subdomain(deployed: Resolved, case: Case) -> None:
    faces = deployed.of(FACE)
    assert len(faces) == (0 if case.existing_face else 1)
    for face in faces:
        assert face.body["kind"] == "Face"
        assert face.properties.get("customSubDomainName") == face.name
