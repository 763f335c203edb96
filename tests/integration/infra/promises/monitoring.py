"""What is told of the app, and to whom."""

import json

from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises.reading import FACE, STORAGE, WORKSPACE, app_settings
from tests.integration.infra.tools import INFRA, ROOT


def telemetry_holds_no_address(outcome: Outcome) -> None:
    deployed = outcome.deployment
    from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES as INSTRUMENTED

    settings = app_settings(deployed)
    assert settings["PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME"] == "shared"
    assert set(settings["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"].split(",")) >= set(INSTRUMENTED)


def telemetry_is_sampled_by_what_samples_it(outcome: Outcome) -> None:
    deployed = outcome.deployment
    from azure.monitor.opentelemetry._constants import SUPPORTED_OTEL_SAMPLERS

    host_json = json.loads((ROOT / "host.json").read_text())
    settings = app_settings(deployed)
    assert host_json["telemetryMode"] == "OpenTelemetry"
    assert "applicationInsights" not in host_json["logging"], "it would not count"
    assert settings["PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"] == "true"
    assert settings["OTEL_TRACES_SAMPLER"] in SUPPORTED_OTEL_SAMPLERS
    assert float(settings["OTEL_TRACES_SAMPLER_ARG"]) > 0


def usage_is_recorded_without_ids(outcome: Outcome) -> None:
    deployed = outcome.deployment
    workspace = deployed.one(WORKSPACE).id
    settings = {str(one.scope): one.properties for one in deployed.of("Microsoft.Insights/diagnosticSettings")}
    wanted = {f"{a.id}/{kind}Services/default" for a in deployed.of(STORAGE) for kind in ("blob", "queue", "table")}
    assert settings.keys() == wanted | {one.id for one in deployed.of(FACE)}
    for scope, properties in settings.items():
        assert properties.get("workspaceId") == workspace
        assert any(one["enabled"] for one in properties["metrics"])
        if scope.endswith(("queueServices/default", "tableServices/default")):
            audited = bool(outcome.parameters.get("auditRecords")) and "stdata" in scope
            assert {one["enabled"] for one in properties["logs"]} == {audited}, "addresses of records hold groups' IDs"


def alerts_reach_somebody(outcome: Outcome) -> None:
    deployed = outcome.deployment
    workspace = deployed.one(WORKSPACE).id
    rules = deployed.of("Microsoft.Insights/scheduledQueryRules")
    files = {file.stem.removeprefix("alert-") for file in (INFRA / "queries").glob("alert-*.kql")}
    assert {rule.name.partition("face-ops-")[2].partition("-")[2] for rule in rules} == files
    (snapshot,) = (rule for rule in rules if rule.name.endswith("-snapshot-missing"))
    age = outcome.parameters.get("snapshotMaxAgeHours", 26)
    assert f"ago({age}h)" in snapshot.properties["criteria"]["allOf"][0]["query"]
    groups = [one.id for one in deployed.of("Microsoft.Insights/actionGroups")]
    assert len(groups) == bool(outcome.parameters.get("alertEmail"))
    for rule in rules:
        assert rule.properties["enabled"] is True
        assert rule.properties["skipQueryValidation"] is True, "a new workspace does not know the tables yet"
        assert rule.properties["scopes"] == [workspace]
        assert rule.properties["actions"]["actionGroups"] == groups


def the_workbook_opens(outcome: Outcome) -> None:
    deployed = outcome.deployment
    workbook = json.loads(deployed.one("Microsoft.Insights/workbooks").properties["serializedData"])
    (time_range, *charts) = workbook["items"]
    (parameter,) = time_range["content"]["parameters"]
    assert charts
    for chart in charts:
        assert chart["content"]["timeContextFromParameter"] == parameter["name"]
        assert chart["content"]["query"]


def logs_have_a_cap_and_metrics_are_rare(outcome: Outcome) -> None:
    cap = outcome.deployment.one(WORKSPACE).properties["workspaceCapping"]["dailyQuotaGb"]
    assert cap == outcome.parameters.get("logDailyCapGb", 1)
    settings = app_settings(outcome.deployment)
    assert "OTEL_METRICS_EXPORTER" not in settings, "charts and an alert need them"
    assert int(settings["OTEL_METRIC_EXPORT_INTERVAL"]) == 300_000, "milliseconds"
