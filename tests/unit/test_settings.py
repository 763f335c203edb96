from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings import (
    MAX_VISIBILITY_SECONDS,
    ConnectionString,
    Settings,
    SettingsError,
    SnapshotSettings,
    StorageIdentity,
    WatchSettings,
    load_settings,
)
from tests.support.builders import environment

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
NAMES = [
    "FACE_ENDPOINT",
    "FACE_KEY",
    "FACE_TOKEN_SCOPE",
    "FACE_TRAINING_API_VERSION",
    "FACE_DIRECTORY_API_VERSION",
    "FACE_MAX_TPS",
    "DataStorage",
    "DataStorage__queueServiceUri",
    "DataStorage__tableServiceUri",
    "DataStorage__blobServiceUri",
    "DataStorage__credential",
    "DataStorage__clientId",
    "WATCH_DEFAULT_KIND",
    "WATCH_MESSAGE_ENCODING",
    "WATCH_TIMEOUT_SECONDS",
    "WATCH_MIN_DELAY_SECONDS",
    "WATCH_MAX_DELAY_SECONDS",
    "WATCH_POLL_WORTH_SECONDS",
    "WATCH_GRACE_SECONDS",
    "WATCH_RETENTION_DAYS",
    "SNAPSHOT_SCHEDULE",
    "SNAPSHOT_KINDS",
    "SNAPSHOT_INCLUDE_USER_DATA",
    "SNAPSHOT_INCLUDE_MEMBERS",
    "SNAPSHOT_MEMBERS_DAYS",
    "EVENTS_TOPIC_ENDPOINT",
    "HTTP_AUTH",
    "AzureWebJobsStorage",
]
IDENTITY = {
    "DataStorage": "",
    "DataStorage__queueServiceUri": "https://data.queue.core.windows.net/",
    "DataStorage__tableServiceUri": "https://data.table.core.windows.net",
    "DataStorage__blobServiceUri": "https://data.blob.core.windows.net",
}


def problems(**changes: str) -> list[str]:
    """Return what is wrong with an environment."""
    with pytest.raises(SettingsError) as raised:
        load_settings(environment(**changes))
    return raised.value.problems


def test_what_is_not_set_has_the_documented_default() -> None:
    found = load_settings(environment())
    assert found == Settings(
        face_endpoint="https://faces.cognitiveservices.azure.com",
        face_key=None,
        face_token_scope="https://cognitiveservices.azure.com/.default",
        training_api_version="v1.2",
        directory_api_version="v1.2-preview.1",
        max_tps=5,
        data_storage=found.data_storage,
        watch=WatchSettings(
            default_kind="largePersonGroup",
            message_encoding="auto",
            timeout=21_600,
            min_delay=1,
            max_delay=60,
            poll_worth=1,
            grace=60,
            retention_days=30,
        ),
        snapshot=SnapshotSettings(
            schedule="0 0 3 * * *",
            kinds=("dynamicPersonGroup",),
            include_user_data=True,
            include_members=False,
            members_days=30,
        ),
        events_topic_endpoint=None,
        http_auth="key",
    )


def test_every_setting_is_taken() -> None:
    found = load_settings(
        environment(
            FACE_ENDPOINT="https://faces.cognitiveservices.azure.com/",
            FACE_KEY=" 0123456789abcdef ",
            FACE_TOKEN_SCOPE="https://elsewhere.example/.default",
            FACE_TRAINING_API_VERSION="v1.3-preview.1",
            FACE_DIRECTORY_API_VERSION="v1.0-preview",
            FACE_MAX_TPS="0.33",
            WATCH_DEFAULT_KIND="personGroup",
            WATCH_MESSAGE_ENCODING="base64",
            WATCH_TIMEOUT_SECONDS="604800",
            WATCH_MIN_DELAY_SECONDS="2.5",
            WATCH_MAX_DELAY_SECONDS="2.5",
            WATCH_POLL_WORTH_SECONDS="0.5",
            WATCH_GRACE_SECONDS="0",
            WATCH_RETENTION_DAYS="8.5",
            SNAPSHOT_SCHEDULE="0 */15 3-5 * JAN,FEB Mon",
            SNAPSHOT_KINDS="largeFaceList, dynamicPersonGroup",
            SNAPSHOT_INCLUDE_USER_DATA="False",
            SNAPSHOT_INCLUDE_MEMBERS="true",
            SNAPSHOT_MEMBERS_DAYS="7",
            EVENTS_TOPIC_ENDPOINT="https://topic.westeurope-1.eventgrid.azure.net/api/events",
            HTTP_AUTH="entra",
            WEBSITE_AUTH_ENABLED="True",
        )
    )
    assert (found.face_endpoint, found.face_key) == ("https://faces.cognitiveservices.azure.com", "0123456789abcdef")
    assert found.face_token_scope == "https://elsewhere.example/.default"
    assert (found.training_api_version, found.directory_api_version) == ("v1.3-preview.1", "v1.0-preview")
    assert found.max_tps == 0.33
    assert found.watch == WatchSettings("personGroup", "base64", 604_800, 2.5, 2.5, 0.5, 0, 8.5)
    assert found.snapshot == SnapshotSettings(
        "0 */15 3-5 * JAN,FEB Mon", ("dynamicPersonGroup", "largeFaceList"), False, True, 7
    )
    assert found.events_topic_endpoint == "https://topic.westeurope-1.eventgrid.azure.net/api/events"
    assert found.http_auth == "entra"


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_setting_counts_as_absent(blank: str) -> None:
    optional = [name for name in NAMES if name not in environment()]
    assert load_settings(environment(**dict.fromkeys(optional, blank))) == load_settings(environment())


def test_every_problem_is_in_one_error_that_names_each_setting() -> None:
    broken = {name: "?!" for name in NAMES if not name.startswith(("DataStorage_", "AzureWebJobs", "FACE_KEY"))}
    found = problems(**broken)
    assert [problem.split()[0] for problem in found] == [name for name in NAMES if name in broken]
    assert str(SettingsError(found)).count("\n  - ") == len(broken)
    assert str(SettingsError(found)).startswith(f"{len(broken)} of the app's settings cannot be used:")


def test_what_is_missing_is_named_with_what_is_expected() -> None:
    found = problems(FACE_ENDPOINT="", AzureWebJobsStorage="", DataStorage="")
    assert found == [
        "FACE_ENDPOINT is missing; expected https://NAME.cognitiveservices.azure.com, without a path "
        "(plain http for loopback only)",
        "DataStorage is missing; expected a connection string, UseDevelopmentStorage=true, or all of "
        "DataStorage__queueServiceUri, DataStorage__tableServiceUri, DataStorage__blobServiceUri",
        "AzureWebJobsStorage is missing; expected a connection string, UseDevelopmentStorage=true, "
        "or the identity-based AzureWebJobsStorage__… settings",
    ]


def test_an_empty_environment_is_one_error() -> None:
    with pytest.raises(SettingsError, match="3 of the app's settings"):
        load_settings({})


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://faces.cognitiveservices.azure.com",
        "https://faces.cognitiveservices.azure.com:443/",
        "https://westeurope.api.cognitive.microsoft.com",
        "https://localhost:5001",
        "http://localhost:5001",
        "http://127.0.0.1:65535",
        "http://[::1]:5001",
    ],
)
def test_an_endpoint_that_can_be_used(endpoint: str) -> None:
    assert load_settings(environment(FACE_ENDPOINT=endpoint, FACE_KEY=SECRET)).face_endpoint == endpoint.rstrip("/")


@pytest.mark.parametrize("endpoint", ["https://NAME.cognitiveservices.azure.com", "https://NAME.example.com:443/"])
def test_the_samples_endpoint_is_rejected_until_it_has_the_resources_name(endpoint: str) -> None:
    assert problems(FACE_ENDPOINT=endpoint) == [
        f"FACE_ENDPOINT is {endpoint!r}; expected the resource's own name in place of NAME"
    ]


@pytest.mark.parametrize("endpoint", ["http://localhost:5001", "HTTP://127.0.0.1"])
def test_no_token_is_sent_over_plain_http(endpoint: str) -> None:
    load_settings(environment(FACE_ENDPOINT=endpoint, FACE_KEY=SECRET))
    assert problems(FACE_ENDPOINT=endpoint) == [
        "FACE_KEY is missing; expected the resource's key, or https in FACE_ENDPOINT: http sends no token"
    ]


@pytest.mark.parametrize(
    "endpoint",
    [
        "faces.cognitiveservices.azure.com",
        "ftp://faces.cognitiveservices.azure.com",
        "http://faces.cognitiveservices.azure.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.2",
        "http://localhost.example.com",
        "https://",
        "https://:443",
        "https://a..b",
        "https://-a.b",
        "https://" + "a" * 64 + ".com",
        "https://faces.example.com:",
        "https://faces.example.com:65536",
        "https://faces.example.com//",
        "https://faces.example.com/face",
        "https://faces.example.com/face/v1.0",
        "https://faces.example com",
        "https://faces.example.com\\face",
        "https://fäces.example.com",
        "https://[::1",
    ],
)
def test_an_endpoint_that_cannot_be_used_is_shown_with_what_is_allowed(endpoint: str) -> None:
    assert problems(FACE_ENDPOINT=endpoint) == [
        f"FACE_ENDPOINT is {endpoint!r}; expected https://NAME.cognitiveservices.azure.com, without a path "
        "(plain http for loopback only)"
    ]


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("https://f.cognitiveservices.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("https://f.cognitiveservices.azure.cn", "https://cognitiveservices.azure.cn/.default"),
        ("https://F.COGNITIVESERVICES.AZURE.CN:443/", "https://cognitiveservices.azure.cn/.default"),
        ("https://f.cognitiveservices.azure.us", "https://cognitiveservices.azure.us/.default"),
        ("https://azure.us.example.com", "https://cognitiveservices.azure.com/.default"),
    ],
)
def test_the_scope_is_that_of_the_endpoints_cloud(endpoint: str, scope: str) -> None:
    assert load_settings(environment(FACE_ENDPOINT=endpoint)).face_token_scope == scope


@pytest.mark.parametrize("version", ["v1.2", "v1.3-preview.1"])
def test_a_version_without_dynamic_person_groups_is_rejected_for_them_alone(version: str) -> None:
    assert load_settings(environment(FACE_TRAINING_API_VERSION=version)).training_api_version == version
    assert problems(FACE_DIRECTORY_API_VERSION=version) == [
        f"FACE_DIRECTORY_API_VERSION is {version!r}; expected a version that has dynamic person groups, "
        "such as v1.2-preview.1"
    ]


@pytest.mark.parametrize("version", ["1.2", "v1", "v1.2-beta", "v1.2/../..", "v٣.٤", "V1.2", "v1.2-preview.", "latest"])
def test_a_version_of_another_form_is_rejected(version: str) -> None:
    assert problems(FACE_TRAINING_API_VERSION=version) == [
        f"FACE_TRAINING_API_VERSION is {version!r}; expected an API version such as v1.2"
    ]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("FACE_MAX_TPS", "0.01", "10000"),
        ("WATCH_TIMEOUT_SECONDS", "1", "604800"),
        ("WATCH_MIN_DELAY_SECONDS", "1", "604800"),
        ("WATCH_MAX_DELAY_SECONDS", "1", "604800"),
        ("WATCH_POLL_WORTH_SECONDS", "0.01", "86400"),
        ("WATCH_GRACE_SECONDS", "0", "604800"),
        ("WATCH_RETENTION_DAYS", "8", "36500"),
        ("SNAPSHOT_MEMBERS_DAYS", "1", "36500"),
    ],
)
def test_a_number_is_a_decimal_within_its_range(name: str, least: str, most: str) -> None:
    for value in (least, most):
        load_settings(environment(**{"WATCH_MAX_DELAY_SECONDS": "604800", name: value}))
    wrong = ["ten", "1_000", "1e3", "nan", "inf", "-1", "1,5", "0x10", "٣", "1 000", "9" * 400, ".", "5s", f"{most}.1"]
    if least != "0":
        wrong.append("0.001")
    for value in wrong:
        assert problems(**{name: value}) == [f"{name} is {value!r}; expected a number from {least} to {most}"]


def test_no_delay_can_be_longer_than_a_message_can_be_hidden() -> None:
    assert MAX_VISIBILITY_SECONDS == 604_800


def test_bounds_that_cross_are_rejected() -> None:
    assert problems(WATCH_MIN_DELAY_SECONDS="90") == [
        "WATCH_MIN_DELAY_SECONDS is '90'; expected at most WATCH_MAX_DELAY_SECONDS (60)"
    ]


@pytest.mark.parametrize("kind", ["largepersongroup", "LargePersonGroup", "dynamicPersonGroup", "faceList"])
def test_a_kind_is_written_exactly(kind: str) -> None:
    assert problems(WATCH_DEFAULT_KIND=kind) == [
        f"WATCH_DEFAULT_KIND is {kind!r}; expected one of personGroup, largePersonGroup, largeFaceList"
    ]


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False)]
)
def test_a_flag_in_any_case_of_letters(text: str, meant: bool) -> None:
    assert load_settings(environment(SNAPSHOT_INCLUDE_USER_DATA=text)).snapshot.include_user_data is meant


@pytest.mark.parametrize("text", ["yes", "off", "2", "t"])
def test_a_flag_that_is_neither_is_rejected_and_never_guessed(text: str) -> None:
    assert problems(SNAPSHOT_INCLUDE_USER_DATA=text) == [
        f"SNAPSHOT_INCLUDE_USER_DATA is {text!r}; expected true or false"
    ]


@pytest.mark.parametrize(
    "schedule",
    [
        "daily",
        "0 3 * *",
        "0 0 3 * * * *",
        "0 0 3 * * ?",
        "%SCHEDULE%",
        "0;0 3 * * *",
        "0 0 25 * * *",
        "60 0 3 * * *",
        "*/0 * * * * *",
        "0 0 3 * * 7",
        "0 0 3 * * 1-7",
        "0 0 3 L * *",
        "0 0 3 * Janu *",
        "0 0 3 * Mon *",
        "0 0 3 30 2 *",
        "01:00:00",
        "@daily",
    ],
)
def test_a_schedule_that_the_host_cannot_keep_is_rejected(schedule: str) -> None:
    assert problems(SNAPSHOT_SCHEDULE=schedule) == [
        f"SNAPSHOT_SCHEDULE is {schedule!r}; expected an NCRONTAB expression of six fields, seconds first, "
        "that comes at all, such as 0 0 3 * * *"
    ]


@pytest.mark.parametrize("name", ["WATCH_TIMEOUT", "SNAPSHOT_SHEDULE", "FACE_MAX_TPS_", "HTTP_AUTHS", "EVENTS_TOPIC"])
def test_a_setting_that_is_not_known_is_a_problem_with_the_nearest_name(name: str) -> None:
    nearest = {
        "WATCH_TIMEOUT": "WATCH_TIMEOUT_SECONDS",
        "SNAPSHOT_SHEDULE": "SNAPSHOT_SCHEDULE",
        "FACE_MAX_TPS_": "FACE_MAX_TPS",
        "HTTP_AUTHS": "HTTP_AUTH",
        "EVENTS_TOPIC": "EVENTS_TOPIC_ENDPOINT",
    }[name]
    assert problems(**{name: SECRET}) == [f"{name} is not a setting of this app; did you mean {nearest}?"]
    load_settings(environment(**{name: " ", "UNRELATED_" + name: "x"}))


@pytest.mark.parametrize(
    "kinds", [",", "dynamicpersongroup", "personGroup,personGroup", "personGroup;largePersonGroup"]
)
def test_kinds_are_known_words_each_at_most_once(kinds: str) -> None:
    assert problems(SNAPSHOT_KINDS=kinds) == [
        f"SNAPSHOT_KINDS is {kinds!r}; expected some of dynamicPersonGroup, personGroup, largePersonGroup, "
        "largeFaceList, separated by commas, each at most once"
    ]


def test_members_are_those_of_dynamic_person_groups() -> None:
    assert problems(SNAPSHOT_KINDS="personGroup", SNAPSHOT_INCLUDE_MEMBERS="true") == [
        "SNAPSHOT_INCLUDE_MEMBERS is 'true'; expected dynamicPersonGroup among SNAPSHOT_KINDS with it"
    ]


@pytest.mark.parametrize("address", ["topic", "http://topic.example/api/events", "https://topic.example/api?code=abc"])
def test_a_topic_is_reached_by_https_without_a_query(address: str) -> None:
    (problem,) = problems(EVENTS_TOPIC_ENDPOINT=address)
    assert problem.startswith("EVENTS_TOPIC_ENDPOINT ")
    assert problem.endswith("; expected an Event Grid topic's https endpoint, without a query")
    assert "abc" not in problem


@pytest.mark.parametrize("platform", ["", "false"])
def test_anonymous_functions_need_the_platforms_authentication(platform: str) -> None:
    assert problems(HTTP_AUTH="entra", WEBSITE_AUTH_ENABLED=platform) == [
        "HTTP_AUTH is 'entra'; expected the platform's authentication to be on with it (WEBSITE_AUTH_ENABLED), or key"
    ]


@pytest.mark.parametrize(
    "scope", ["api", "http://a/.default", "https://a/b c/.default", "https://cognitiveservices.azure.com"]
)
def test_a_scope_of_another_form_is_rejected(scope: str) -> None:
    assert problems(FACE_TOKEN_SCOPE=scope) == [
        f"FACE_TOKEN_SCOPE is {scope!r}; expected an Entra scope such as https://cognitiveservices.azure.com/.default"
    ]


@pytest.mark.parametrize("text", ["UseDevelopmentStorage=true", "UseDevelopmentStorage=True;"])
def test_development_storage_means_azurite_on_its_usual_ports(text: str) -> None:
    storage = load_settings(environment(DataStorage=text)).data_storage
    assert isinstance(storage, ConnectionString)
    for service, port in (("Blob", 10_000), ("Queue", 10_001), ("Table", 10_002)):
        assert f"{service}Endpoint=http://127.0.0.1:{port}/devstoreaccount1;" in storage.text


@pytest.mark.parametrize(
    "text",
    [
        f"DefaultEndpointsProtocol=https;AccountName=data;AccountKey={SECRET};EndpointSuffix=core.windows.net",
        f"AccountName=data;AccountKey={SECRET};",
        "AccountName=data;SharedAccessSignature=sv=2024&sig=abc%3D",
        "BlobEndpoint=https://b;QueueEndpoint=https://q;TableEndpoint=https://t;SharedAccessSignature=sig=abc",
        f"AccountName=data;AccountKey={SECRET};BlobEndpoint=http://127.0.0.1:1/data",
    ],
)
def test_a_connection_string_is_taken_as_it_is(text: str) -> None:
    assert load_settings(environment(DataStorage=text)).data_storage == ConnectionString(text)


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "UseDevelopmentStorage=false",
        f"AccountName=data;AccountKey={SECRET};{SECRET[:8]}",
        f"AccountKey={SECRET}",
        f"AccountName=;AccountKey={SECRET}",
        f"AccountName=data;AccountKey={SECRET[:-2]}",
        f"AccountName=data;AccountKey=<{SECRET}>",
        "AccountName=data;AccountKey=",
        "AccountName=data",
        f"SharedAccessSignature={SECRET}",
        f"BlobEndpoint=https://b;SharedAccessSignature={SECRET}",
    ],
)
def test_a_connection_string_that_cannot_be_used_is_not_shown(text: str) -> None:
    (problem,) = problems(DataStorage=text)
    assert problem.startswith(
        "DataStorage cannot be used (its value is not shown); expected a connection string with AccountName"
    )
    assert SECRET[:8] not in problem


@pytest.mark.parametrize(
    "text",
    [
        f"DefaultEndpointsProtocol=http;AccountName=data;AccountKey={SECRET}",
        f"DefaultEndpointsProtocol=http;AccountName=data;AccountKey={SECRET};BlobEndpoint=http://127.0.0.1/data",
        f"AccountName=data;AccountKey={SECRET};TableEndpoint=http://data.table.core.windows.net",
        f"AccountName=data;AccountKey={SECRET};TableEndpoint=http://127.0.0.1.example.com",
        f"AccountName=data;AccountKey={SECRET};TableEndpoint=http://127.0.0.1@example.com",
    ],
)
def test_public_storage_is_reached_by_https_alone(text: str) -> None:
    assert problems(DataStorage=text) == [
        "DataStorage cannot be used (its value is not shown); "
        "expected https for all three services (plain http for loopback only)"
    ]


@pytest.mark.parametrize("host", ["data.queue.core.windows.net", "localhost.example.com", "127.0.0.1.example.com"])
def test_public_storage_by_identity_is_reached_by_https_alone(host: str) -> None:
    assert problems(**{**IDENTITY, "DataStorage__queueServiceUri": f"http://{host}"}) == [
        f"DataStorage__queueServiceUri is 'http://{host}'; "
        "expected https://ACCOUNT.queue.core.windows.net, without a query"
    ]
    load_settings(environment(**{**IDENTITY, "DataStorage__queueServiceUri": "http://127.0.0.1:10001/data"}))


def test_storage_by_identity_needs_no_secret() -> None:
    named = {"DataStorage__credential": "managedidentity", "DataStorage__clientId": "0f7d"}
    found = load_settings(environment(**IDENTITY)).data_storage
    assert found == StorageIdentity(
        queue_uri="https://data.queue.core.windows.net",
        table_uri="https://data.table.core.windows.net",
        blob_uri="https://data.blob.core.windows.net",
        managed=False,
        client_id=None,
    )
    assert load_settings(environment(**IDENTITY, **named)).data_storage == msgspec.structs.replace(
        found, managed=True, client_id="0f7d"
    )


def test_storage_by_identity_needs_all_three_addresses() -> None:
    assert problems(**{**IDENTITY, "DataStorage__tableServiceUri": ""}) == [
        "DataStorage__tableServiceUri is missing; expected https://ACCOUNT.table.core.windows.net, without a query"
    ]


def test_another_credential_than_a_managed_identity_is_rejected() -> None:
    (problem,) = problems(**IDENTITY, DataStorage__credential="clientsecret")
    assert problem.startswith("DataStorage__credential is 'clientsecret'; expected one of ")


def test_the_hosts_storage_may_be_reached_by_identity() -> None:
    load_settings(environment(AzureWebJobsStorage="", AzureWebJobsStorage__accountName="host"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FACE_ENDPOINT", f"https://user:{SECRET}@faces.example.com"),
        ("FACE_ENDPOINT", f"https://user:{SECRET}@faces.example.com:99999"),
        ("FACE_ENDPOINT", f"https://faces.example.com?key={SECRET}"),
        ("FACE_ENDPOINT", f"https://faces.example.com#{SECRET}"),
        ("FACE_ENDPOINT", SECRET),
        ("FACE_ENDPOINT", SECRET.rstrip("=")),
        ("FACE_KEY", f"{SECRET}\u200b"),
        ("FACE_KEY", f"{SECRET}\n{SECRET}"),
        ("DataStorage", f"AccountKey={SECRET}"),
        ("DataStorage__queueServiceUri", f"AccountName=data;AccountKey={SECRET}"),
        ("DataStorage__queueServiceUri", f"https://data.queue.core.windows.net?sig={SECRET}"),
        ("DataStorage__queueServiceUri", f"https://user:{SECRET}@data.queue.core.windows.net"),
    ],
)
def test_a_secret_in_a_wrong_place_is_rejected_and_not_shown(name: str, value: str) -> None:
    found = problems(**{**(IDENTITY if "Uri" in name else {}), name: value})
    assert any(problem.startswith(f"{name} ") for problem in found)
    assert SECRET.rstrip("=") not in str(SettingsError(found))


def test_no_secret_is_in_the_representation_of_settings() -> None:
    found = load_settings(
        environment(FACE_KEY=SECRET, DataStorage=f"AccountName=data;AccountKey={SECRET}", AzureWebJobsStorage=SECRET)
    )
    assert SECRET not in f"{found} {found!r} {found.data_storage} {found.data_storage!r} {[found.data_storage]}"


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(exclude_characters="\0"), max_size=60)))
def test_no_environment_raises_anything_but_the_one_error(changes: dict[str, Any]) -> None:
    try:
        found = load_settings(environment(**changes))
    except SettingsError as raised:
        assert raised.problems  # noqa: PT017 - either end is right, and this one must say why
    else:
        assert 0 < found.watch.min_delay <= found.watch.max_delay
