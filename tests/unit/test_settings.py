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
    "AzureWebJobsStorage",
    "DataStorage",
    "DataStorage__queueServiceUri",
    "DataStorage__tableServiceUri",
    "DataStorage__blobServiceUri",
    "DataStorage__credential",
    "DataStorage__clientId",
    "WATCH_DEFAULT_KIND",
    "WATCH_TIMEOUT_SECONDS",
    "WATCH_MIN_DELAY_SECONDS",
    "WATCH_MAX_DELAY_SECONDS",
    "WATCH_GRACE_SECONDS",
    "WATCH_RETENTION_DAYS",
    "SNAPSHOT_SCHEDULE",
    "SNAPSHOT_INCLUDE_USER_DATA",
]
IDENTITY = {
    "DataStorage": "",
    "DataStorage__queueServiceUri": "https://data.queue.core.windows.net/",
    "DataStorage__tableServiceUri": "https://data.table.core.windows.net",
    "DataStorage__blobServiceUri": "https://data.blob.core.windows.net",
}


def problems(**changes: str) -> list[str]:
    """Return what is wrong with an environment."""
    with pytest.raises(SettingsError) as told:
        load_settings(environment(**changes))
    return told.value.problems


def test_what_is_not_set_has_the_documented_default() -> None:
    found = load_settings(environment())
    assert found == Settings(
        face_endpoint="https://faces.cognitiveservices.azure.com",
        face_key=None,
        face_token_scope="https://cognitiveservices.azure.com/.default",
        training_api_version="v1.2-preview.1",
        directory_api_version="v1.2-preview.1",
        max_tps=10,
        data_storage=found.data_storage,
        watch=WatchSettings(
            default_kind="largePersonGroup",
            timeout=21_600,
            min_delay=1,
            max_delay=60,
            grace=60,
            retention_days=30,
        ),
        snapshot_schedule="0 0 3 * * *",
        snapshot_include_user_data=True,
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
            WATCH_TIMEOUT_SECONDS="604800",
            WATCH_MIN_DELAY_SECONDS="2.5",
            WATCH_MAX_DELAY_SECONDS="2.5",
            WATCH_GRACE_SECONDS="0",
            WATCH_RETENTION_DAYS="0.5",
            SNAPSHOT_SCHEDULE="0 */15 3-5 * JAN,FEB Mon",
            SNAPSHOT_INCLUDE_USER_DATA="False",
        )
    )
    assert (found.face_endpoint, found.face_key) == ("https://faces.cognitiveservices.azure.com", "0123456789abcdef")
    assert found.face_token_scope == "https://elsewhere.example/.default"
    assert (found.training_api_version, found.directory_api_version) == ("v1.3-preview.1", "v1.0-preview")
    assert found.max_tps == 0.33
    assert found.watch == WatchSettings("personGroup", 604_800, 2.5, 2.5, 0, 0.5)
    assert (found.snapshot_schedule, found.snapshot_include_user_data) == ("0 */15 3-5 * JAN,FEB Mon", False)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_setting_counts_as_absent(blank: str) -> None:
    optional = [name for name in NAMES if name not in environment()]
    assert load_settings(environment(**dict.fromkeys(optional, blank))) == load_settings(environment())


def test_every_problem_is_told_in_one_error_that_names_each_setting() -> None:
    broken = {name: "?!" for name in NAMES if not name.startswith(("DataStorage_", "AzureWebJobs", "FACE_KEY"))}
    told = problems(**broken)
    assert [problem.split()[0] for problem in told] == [name for name in NAMES if name in broken]
    assert str(SettingsError(told)).count("\n  - ") == len(broken)
    assert str(SettingsError(told)).startswith(f"{len(broken)} of the app's settings cannot be used:")


def test_what_is_required_is_told_with_what_it_must_be() -> None:
    told = problems(FACE_ENDPOINT="", AzureWebJobsStorage="", DataStorage="")
    assert told == [
        "FACE_ENDPOINT is missing; it must be https://NAME.cognitiveservices.azure.com, without a path "
        "(plain http for loopback only)",
        "AzureWebJobsStorage is missing; it must be a connection string, UseDevelopmentStorage=true, "
        "or the identity-based AzureWebJobsStorage__… settings",
        "DataStorage is missing; it must be a connection string, UseDevelopmentStorage=true, or all of "
        "DataStorage__queueServiceUri, DataStorage__tableServiceUri, DataStorage__blobServiceUri",
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
    assert load_settings(environment(FACE_ENDPOINT=endpoint)).face_endpoint == endpoint.rstrip("/")


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
        f"FACE_ENDPOINT is {endpoint!r}; allowed is https://NAME.cognitiveservices.azure.com, without a path "
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
def test_a_version_without_dynamic_person_groups_is_refused_for_them_alone(version: str) -> None:
    assert load_settings(environment(FACE_TRAINING_API_VERSION=version)).training_api_version == version
    assert problems(FACE_DIRECTORY_API_VERSION=version) == [
        f"FACE_DIRECTORY_API_VERSION is {version!r}; allowed is a version that has dynamic person groups, "
        "such as v1.2-preview.1"
    ]


@pytest.mark.parametrize("version", ["1.2", "v1", "v1.2-beta", "v1.2/../..", "v٣.٤", "V1.2", "v1.2-preview.", "latest"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    assert problems(FACE_TRAINING_API_VERSION=version) == [
        f"FACE_TRAINING_API_VERSION is {version!r}; allowed is an API version such as v1.2-preview.1"
    ]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("FACE_MAX_TPS", "more than 0 to 10000"),
        ("WATCH_TIMEOUT_SECONDS", "more than 0 to 604800"),
        ("WATCH_MIN_DELAY_SECONDS", "more than 0 to 604800"),
        ("WATCH_MAX_DELAY_SECONDS", "more than 0 to 604800"),
        ("WATCH_GRACE_SECONDS", "0 to 604800"),
        ("WATCH_RETENTION_DAYS", "more than 0 to 36500"),
    ],
)
@pytest.mark.parametrize(
    "value",
    ["ten", "1_000", "1e3", "nan", "inf", "-1", "-0.5", "1,5", "0x10", "٣", "1 000", "9" * 400, "604800.1", ".", "5s"],
)
def test_a_number_that_is_none_or_out_of_its_range_is_refused(name: str, allowed: str, value: str) -> None:
    assert problems(**{name: value}) == [f"{name} is {value!r}; allowed is a number, {allowed}"]


def test_nothing_and_less_than_nothing_are_no_rate() -> None:
    assert problems(FACE_MAX_TPS="0", WATCH_MIN_DELAY_SECONDS="0.0") == [
        "FACE_MAX_TPS is '0'; allowed is a number, more than 0 to 10000",
        "WATCH_MIN_DELAY_SECONDS is '0.0'; allowed is a number, more than 0 to 604800",
    ]


def test_no_delay_can_be_longer_than_a_message_can_be_hidden() -> None:
    assert MAX_VISIBILITY_SECONDS == 604_800


def test_bounds_that_cross_are_refused() -> None:
    assert problems(WATCH_MIN_DELAY_SECONDS="90") == [
        "WATCH_MIN_DELAY_SECONDS is 90, more than WATCH_MAX_DELAY_SECONDS, which is 60: "
        "lower the first or raise the second"
    ]


@pytest.mark.parametrize("kind", ["largepersongroup", "LargePersonGroup", "dynamicPersonGroup", "faceList"])
def test_a_kind_is_written_exactly_so(kind: str) -> None:
    assert problems(WATCH_DEFAULT_KIND=kind) == [
        f"WATCH_DEFAULT_KIND is {kind!r}; allowed is one of personGroup, largePersonGroup, largeFaceList"
    ]


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False)]
)
def test_a_flag_in_any_case_of_letters(text: str, meant: bool) -> None:
    assert load_settings(environment(SNAPSHOT_INCLUDE_USER_DATA=text)).snapshot_include_user_data is meant


@pytest.mark.parametrize("text", ["yes", "off", "2", "t"])
def test_a_flag_that_is_neither_is_refused_and_never_guessed(text: str) -> None:
    assert problems(SNAPSHOT_INCLUDE_USER_DATA=text) == [
        f"SNAPSHOT_INCLUDE_USER_DATA is {text!r}; allowed is true or false"
    ]


@pytest.mark.parametrize("schedule", ["daily", "0 3 * *", "0 0 3 * * * *", "0 0 3 * * ?", "%SCHEDULE%", "0;0 3 * * *"])
def test_a_schedule_of_another_form_is_refused(schedule: str) -> None:
    assert problems(SNAPSHOT_SCHEDULE=schedule) == [
        f"SNAPSHOT_SCHEDULE is {schedule!r}; allowed is an NCRONTAB expression of six fields, seconds first, "
        "such as 0 0 3 * * *"
    ]


@pytest.mark.parametrize(
    "scope", ["api", "http://a/.default", "https://a/b c/.default", "https://cognitiveservices.azure.com"]
)
def test_a_scope_of_another_form_is_refused(scope: str) -> None:
    assert problems(FACE_TOKEN_SCOPE=scope) == [
        f"FACE_TOKEN_SCOPE is {scope!r}; allowed is an Entra scope such as https://cognitiveservices.azure.com/.default"
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
def test_a_connection_string_that_is_none_is_told_and_not_shown(text: str) -> None:
    (told,) = problems(DataStorage=text)
    assert told.startswith("DataStorage is no connection string (its value is not shown); it must hold AccountName")
    assert SECRET[:8] not in told


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
        "DataStorage__tableServiceUri is missing; it must be https://ACCOUNT.table.core.windows.net, without a query"
    ]


def test_another_credential_than_a_managed_identity_is_refused() -> None:
    (told,) = problems(**IDENTITY, DataStorage__credential="clientsecret")
    assert told.startswith("DataStorage__credential is 'clientsecret'; allowed is one of ")


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
def test_a_secret_in_a_wrong_place_is_refused_and_not_shown(name: str, value: str) -> None:
    told = problems(**{**(IDENTITY if "Uri" in name else {}), name: value})
    assert any(problem.startswith(f"{name} ") for problem in told)
    assert SECRET.rstrip("=") not in str(SettingsError(told))


def test_no_secret_is_in_the_representation_of_settings() -> None:
    found = load_settings(
        environment(FACE_KEY=SECRET, DataStorage=f"AccountName=data;AccountKey={SECRET}", AzureWebJobsStorage=SECRET)
    )
    assert SECRET not in f"{found} {found!r} {found.data_storage} {found.data_storage!r} {[found.data_storage]}"


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(exclude_characters="\0"), max_size=60)))
def test_no_environment_raises_anything_but_the_one_error(changes: dict[str, Any]) -> None:
    try:
        found = load_settings(environment(**changes))
    except SettingsError as told:
        assert told.problems  # noqa: PT017 - either end is right, and this one must say why
    else:
        assert 0 < found.watch.min_delay <= found.watch.max_delay
