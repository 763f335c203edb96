"""What the app and its host are given."""

import json
import re
import sys

from local.host.host_json import read_host_json
from shared.settings import load_settings
from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises.reading import IDENTITY, SITE, STORAGE, app_settings, data_account
from tests.integration.infra.tools import ROOT

# Settings that the host, its worker or a library reads; whatever else is set must be the app's own.
NOT_THE_APPS = re.compile(
    r"AzureWebJobsStorage__\w+|DataStorage__\w+|APPLICATIONINSIGHTS_\w+|PYTHON_\w+|OTEL_\w+|AZURE_CLIENT_ID"
    r"|AZURE_TOKEN_CREDENTIALS"
)


def the_app_accepts_its_settings(outcome: Outcome) -> None:
    deployed = outcome.deployment
    settings = app_settings(deployed)
    # The platform adds this where its authentication is on.
    platform = {"WEBSITE_AUTH_ENABLED": "True"} if outcome.parameters.get("entraClientId") else {}
    loaded = load_settings(settings | platform)
    assert loaded.face_endpoint in deployed.outputs["FACE_ENDPOINT"]
    apps = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    unknown = {name for name in settings if not NOT_THE_APPS.fullmatch(name)} - apps.keys()
    assert not unknown, f"nothing reads {unknown}"
    assert settings.items() >= outcome.parameters.get("options", {}).items()


def bindings_find_their_settings(outcome: Outcome) -> None:
    deployed = outcome.deployment
    settings = app_settings(deployed)
    source = (ROOT / "function_app.py").read_text()
    for name in re.findall(r"%(\w+)%", source):
        assert name in settings
    for connection in re.findall(r'connection="(\w+)"', source):
        assert f"{connection}__queueServiceUri" in settings


def the_free_tier_is_asked_slowly(outcome: Outcome) -> None:
    deployed = outcome.deployment
    if outcome.parameters.get("faceSkuName") == "F0":
        assert load_settings(app_settings(deployed)).max_tps * 60 <= 20


def the_runtime_is_the_tested_one(outcome: Outcome) -> None:
    deployed = outcome.deployment
    runtime = deployed.one(SITE).properties["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": f"{sys.version_info.major}.{sys.version_info.minor}"}


def the_package_has_its_place(outcome: Outcome) -> None:
    deployed = outcome.deployment
    where = deployed.one(SITE).properties["functionAppConfig"]["deployment"]["storage"]
    containers = {one.name for one in deployed.of(f"{STORAGE}/blobServices/containers")}
    host, _, container = where["value"].removeprefix("https://").partition("/")
    assert f"{host.partition('.')[0]}/default/{container}" in containers
    assert data_account(deployed).name not in where["value"]
    (identity,) = deployed.of(IDENTITY)
    assert where["authentication"]["userAssignedIdentityResourceId"] == identity.id
    assert deployed.one(SITE).body["tags"]["azd-service-name"] == "app"


def each_message_has_a_thread(outcome: Outcome) -> None:
    deployed = outcome.deployment
    queues = read_host_json(ROOT, {}).queues
    assert (
        int(app_settings(deployed)["PYTHON_THREADPOOL_THREAD_COUNT"]) >= queues.batch_size + queues.new_batch_threshold
    )


def events_go_to_the_topic_if_there_is_one(outcome: Outcome) -> None:
    deployed = outcome.deployment
    topics = deployed.of("Microsoft.EventGrid/topics")
    assert len(topics) == bool(outcome.parameters.get("eventTopic"))
    endpoint = app_settings(deployed).get("EVENTS_TOPIC_ENDPOINT")
    assert (endpoint is not None) == bool(topics)
    for topic in topics:
        assert topic.properties["inputSchema"] == "CloudEventSchemaV1_0"
        assert topic.properties["disableLocalAuth"] is True
        assert str(endpoint).startswith(f"https://{topic.name}.")
