"""The app's settings, read from the environment; every problem is reported in one error."""

from collections.abc import Mapping

import msgspec

from shared import forms
from shared.addresses import is_loopback
from shared.environment import EnvironmentReader

MAX_VISIBILITY_SECONDS = 7 * 24 * 3600
"""The longest that a queue message can be made invisible (Put Message, Azure Storage REST reference)."""
MIN_RETENTION_DAYS = 8
"""A message lives up to 7 days: with a shorter record, a late redelivery would be reported twice."""

_PREFIXES = ("FACE_", "WATCH_", "SNAPSHOT_", "HTTP_AUTH", "EVENTS_")
_WATCHED_KINDS = ("personGroup", "largePersonGroup", "largeFaceList")
_LISTED_KINDS = ("dynamicPersonGroup", *_WATCHED_KINDS)


class SettingsError(Exception):
    """Every problem of the settings, one a line; no line shows a secret."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} of the app's settings cannot be used:\n{lines}")


class ConnectionString(msgspec.Struct, frozen=True):
    """A storage account that is reached by a connection string."""

    text: str

    def __repr__(self) -> str:
        return "ConnectionString(…)"


class StorageIdentity(msgspec.Struct, frozen=True):
    """A storage account that is reached by its services' addresses and an identity of Microsoft Entra ID."""

    queue_uri: str
    table_uri: str
    blob_uri: str
    managed: bool  # only a managed identity will do
    client_id: str | None  # of a user-assigned identity


class WatchSettings(msgspec.Struct, frozen=True):
    """How trainings are watched; times in seconds unless named otherwise."""

    default_kind: str  # of a bare ID
    message_encoding: str  # auto, none or base64
    timeout: float  # a request is given up after this
    min_delay: float  # between two polls, while the budget is not short
    max_delay: float
    poll_worth: float  # of lateness that one poll is worth
    grace: float  # for a missing or never trained group to appear
    retention_days: float  # of the record of an ended request


class SnapshotSettings(msgspec.Struct, frozen=True):
    """What snapshots hold, and when they are taken."""

    schedule: str  # NCRONTAB, UTC
    kinds: tuple[str, ...]
    include_user_data: bool
    include_members: bool  # of dynamic person groups
    members_days: float  # after which the members of an unchanged group are listed again


class Settings(msgspec.Struct, frozen=True):
    """Everything that the environment says to the app."""

    face_endpoint: str
    face_key: str | None  # without it: Entra ID
    face_token_scope: str
    training_api_version: str  # of trainings and of the lists of groups that can be trained
    directory_api_version: str  # of dynamic person groups
    max_tps: float  # calls a second of all instances together
    data_storage: ConnectionString | StorageIdentity
    watch: WatchSettings
    snapshot: SnapshotSettings
    events_topic_endpoint: str | None
    http_auth: str  # key or entra

    def __repr__(self) -> str:
        return f"Settings(face_endpoint={self.face_endpoint!r}, …)"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check all settings; a blank one counts as absent.

    Raises:
        SettingsError: some are missing, cannot be used, or are not known.
    """
    reader = EnvironmentReader(environment)
    endpoint = forms.face_endpoint(reader, "FACE_ENDPOINT")
    settings = Settings(
        face_endpoint=endpoint,
        face_key=_face_key(reader, endpoint),
        face_token_scope=forms.token_scope(reader, "FACE_TOKEN_SCOPE", endpoint),
        training_api_version=forms.training_api_version(reader, "FACE_TRAINING_API_VERSION"),
        directory_api_version=forms.directory_api_version(reader, "FACE_DIRECTORY_API_VERSION"),
        max_tps=reader.number("FACE_MAX_TPS", 5, least=0.01, most=10_000),
        data_storage=_data_storage(reader, "DataStorage"),
        watch=_watch(reader),
        snapshot=_snapshot(reader),
        events_topic_endpoint=_topic(reader, "EVENTS_TOPIC_ENDPOINT"),
        http_auth=_http_auth(reader, "HTTP_AUTH"),
    )
    _check_host_storage(reader, "AzureWebJobsStorage")
    reader.reject_unknown(_PREFIXES)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _face_key(reader: EnvironmentReader, endpoint: str) -> str | None:
    key = reader.secret("FACE_KEY")
    if key is None and endpoint.lower().startswith("http://") and is_loopback(endpoint):
        reader.reject_missing("FACE_KEY", "the resource's key, or https in FACE_ENDPOINT: http sends no token")
    return key


def _watch(reader: EnvironmentReader) -> WatchSettings:
    watch = WatchSettings(
        default_kind=reader.choice("WATCH_DEFAULT_KIND", "largePersonGroup", _WATCHED_KINDS),
        message_encoding=reader.choice("WATCH_MESSAGE_ENCODING", "auto", ("auto", "none", "base64")),
        timeout=reader.number("WATCH_TIMEOUT_SECONDS", 21_600, least=1, most=MAX_VISIBILITY_SECONDS),
        min_delay=reader.number("WATCH_MIN_DELAY_SECONDS", 1, least=1, most=MAX_VISIBILITY_SECONDS),
        max_delay=reader.number("WATCH_MAX_DELAY_SECONDS", 60, least=1, most=MAX_VISIBILITY_SECONDS),
        poll_worth=reader.number("WATCH_POLL_WORTH_SECONDS", 1, least=0.01, most=86_400),
        grace=reader.number("WATCH_GRACE_SECONDS", 60, least=0, most=MAX_VISIBILITY_SECONDS),
        retention_days=reader.number("WATCH_RETENTION_DAYS", 30, least=MIN_RETENTION_DAYS, most=36_500),
    )
    if watch.min_delay > watch.max_delay:
        reader.reject(
            "WATCH_MIN_DELAY_SECONDS", f"{watch.min_delay:g}", f"at most WATCH_MAX_DELAY_SECONDS ({watch.max_delay:g})"
        )
    return watch


def _snapshot(reader: EnvironmentReader) -> SnapshotSettings:
    snapshot = SnapshotSettings(
        schedule=forms.schedule(reader, "SNAPSHOT_SCHEDULE", "0 0 3 * * *"),
        kinds=reader.choices("SNAPSHOT_KINDS", "dynamicPersonGroup", _LISTED_KINDS),
        include_user_data=reader.flag("SNAPSHOT_INCLUDE_USER_DATA", default=True),
        include_members=reader.flag("SNAPSHOT_INCLUDE_MEMBERS", default=False),
        members_days=reader.number("SNAPSHOT_MEMBERS_DAYS", 30, least=1, most=36_500),
    )
    if snapshot.include_members and "dynamicPersonGroup" not in snapshot.kinds:
        reader.reject("SNAPSHOT_INCLUDE_MEMBERS", "true", "dynamicPersonGroup among SNAPSHOT_KINDS with it")
    return snapshot


def _topic(reader: EnvironmentReader, name: str) -> str | None:
    if not reader.text(name):
        return None
    return forms.https_address(reader, name, "an Event Grid topic's https endpoint, without a query")


def _http_auth(reader: EnvironmentReader, name: str) -> str:
    value = reader.choice(name, "key", ("key", "entra"))
    if value == "entra" and not reader.flag("WEBSITE_AUTH_ENABLED", default=False):
        reader.reject(name, value, "the platform's authentication to be on with it (WEBSITE_AUTH_ENABLED), or key")
    return value


def _check_host_storage(reader: EnvironmentReader, name: str) -> None:
    if not reader.text(name) and not reader.has_any(f"{name}__"):
        reader.reject_missing(
            name, f"a connection string, UseDevelopmentStorage=true, or the identity-based {name}__… settings"
        )


def _data_storage(reader: EnvironmentReader, name: str) -> ConnectionString | StorageIdentity:
    if reader.text(name):
        return ConnectionString(forms.connection_string(reader, name))
    uris = {f"{name}__{service}ServiceUri": service for service in ("queue", "table", "blob")}
    if not any(reader.text(uri) for uri in uris):
        reader.reject_missing(name, f"a connection string, UseDevelopmentStorage=true, or all of {', '.join(uris)}")
        return ConnectionString("")
    queue_uri, table_uri, blob_uri = (
        forms.https_address(reader, uri, f"https://ACCOUNT.{service}.core.windows.net, without a query")
        for uri, service in uris.items()
    )
    return StorageIdentity(
        queue_uri=queue_uri,
        table_uri=table_uri,
        blob_uri=blob_uri,
        managed=reader.choice(f"{name}__credential", "", ("", "managedidentity")) == "managedidentity",
        client_id=reader.text(f"{name}__clientId") or None,
    )
