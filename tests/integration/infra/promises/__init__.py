"""What must hold of every deployment; each promise raises ``AssertionError`` if it does not."""

from collections.abc import Callable

from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises import access, app, monitoring, network, stores

type Promise = Callable[[Outcome], None]

PROMISES: tuple[Promise, ...] = (
    app.the_app_accepts_its_settings,
    app.bindings_find_their_settings,
    app.the_free_tier_is_asked_slowly,
    app.the_runtime_is_the_tested_one,
    app.the_package_has_its_place,
    app.each_message_has_a_thread,
    app.events_go_to_the_topic_if_there_is_one,
    access.each_role_has_a_reason,
    access.a_custom_role_grants_what_is_used,
    access.http_functions_take_tokens_if_asked,
    access.no_secret_is_written,
    access.keys_open_nothing,
    access.face_takes_tokens_on_its_own_subdomain,
    stores.what_the_code_names_is_made,
    stores.storage_is_closed_and_recoverable,
    stores.superseded_snapshots_go_and_the_newest_stays,
    network.nothing_refers_to_what_is_left_out,
    network.isolation_is_whole_or_absent,
    network.no_cloud_is_written_out,
    network.an_isolated_app_is_closed_but_for_its_deployment,
    network.an_isolated_app_calls_nobody_else,
    monitoring.telemetry_holds_no_address,
    monitoring.telemetry_is_sampled_by_what_samples_it,
    monitoring.usage_is_recorded_without_ids,
    monitoring.alerts_reach_somebody,
    monitoring.the_workbook_opens,
    monitoring.logs_have_a_cap_and_metrics_are_rare,
)
