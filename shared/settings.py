"""Read the app's settings from the environment, and report every problem in one error."""

import base64
import re
from collections.abc import Mapping

import msgspec

from shared.environment import EnvironmentReader

DEFAULT_SNAPSHOT_SCHEDULE = "0 0 3 * * *"

MAX_VISIBILITY_SECONDS = 7 * 24 * 3600
"""The longest that a queue message can be made invisible (Put Message, Azure Storage REST reference)."""

# The well-known account of Azurite: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_LOOPBACK = r"localhost|127\.0\.0\.1|\[::1\]"
_ENDPOINT = re.compile(
    rf"(https://({_LABEL}(\.{_LABEL})*|{_LOOPBACK})|http://({_LOOPBACK}))(:(?P<port>\d{{1,5}}))?/?",
    re.ASCII | re.IGNORECASE,
)
# https://learn.microsoft.com/azure/ai-services/authentication names a scope for each cloud.
_SCOPES = {
    ".azure.cn": "https://cognitiveservices.azure.cn/.default",
    ".azure.us": "https://cognitiveservices.azure.us/.default",
}
_PUBLIC_SCOPE = "https://cognitiveservices.azure.com/.default"
# Dynamic person groups were taken out of these versions of the service.
_WITHOUT_DIRECTORY = ("v1.2", "v1.3-preview.1")


class SettingsError(Exception):
    """Hold every problem of the settings, one a line; no line shows a secret."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} of the app's settings cannot be used:\n{lines}")


class ConnectionString(msgspec.Struct, frozen=True):
    """Reach a storage account by a connection string."""

    text: str

    def __repr__(self) -> str:
        return "ConnectionString(…)"


class StorageIdentity(msgspec.Struct, frozen=True):
    """Reach a storage account by its service addresses and an identity of Microsoft Entra ID.

    ``managed`` takes the managed identity alone, ``client_id`` names a user-assigned one.
    """

    queue_uri: str
    table_uri: str
    blob_uri: str
    managed: bool
    client_id: str | None


class WatchSettings(msgspec.Struct, frozen=True):
    """Say how trainings are watched; times in seconds unless named otherwise."""

    default_kind: str
    timeout: float
    min_delay: float
    max_delay: float
    grace: float
    retention_days: float


class Settings(msgspec.Struct, frozen=True):
    """Hold everything that the environment says to the app."""

    face_endpoint: str
    face_key: str | None
    face_token_scope: str
    training_api_version: str
    directory_api_version: str
    max_tps: float
    data_storage: ConnectionString | StorageIdentity
    watch: WatchSettings
    snapshot_schedule: str
    snapshot_include_user_data: bool

    def __repr__(self) -> str:
        return f"Settings(face_endpoint={self.face_endpoint!r}, …)"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check all settings; a blank one counts as absent.

    Raises:
        SettingsError: with every setting that is missing or cannot be used.
    """
    reader = EnvironmentReader(environment)
    endpoint = _endpoint(reader, "FACE_ENDPOINT")
    _check_host_storage(reader, "AzureWebJobsStorage")
    settings = Settings(
        face_endpoint=endpoint,
        face_key=reader.secret("FACE_KEY"),
        face_token_scope=_scope(reader, "FACE_TOKEN_SCOPE", endpoint),
        training_api_version=_api_version(reader, "FACE_TRAINING_API_VERSION"),
        directory_api_version=_api_version(reader, "FACE_DIRECTORY_API_VERSION", refused=_WITHOUT_DIRECTORY),
        max_tps=reader.number("FACE_MAX_TPS", 10, above=0, most=10_000),
        data_storage=_storage(reader, "DataStorage"),
        watch=WatchSettings(
            default_kind=reader.choice(
                "WATCH_DEFAULT_KIND", "largePersonGroup", ("personGroup", "largePersonGroup", "largeFaceList")
            ),
            timeout=reader.number("WATCH_TIMEOUT_SECONDS", 21_600, above=0, most=MAX_VISIBILITY_SECONDS),
            min_delay=reader.number("WATCH_MIN_DELAY_SECONDS", 1, above=0, most=MAX_VISIBILITY_SECONDS),
            max_delay=reader.number("WATCH_MAX_DELAY_SECONDS", 60, above=0, most=MAX_VISIBILITY_SECONDS),
            grace=reader.number("WATCH_GRACE_SECONDS", 60, above=-1, most=MAX_VISIBILITY_SECONDS),
            retention_days=reader.number("WATCH_RETENTION_DAYS", 30, above=0, most=36_500),
        ),
        snapshot_schedule=_schedule(reader, "SNAPSHOT_SCHEDULE"),
        snapshot_include_user_data=reader.flag("SNAPSHOT_INCLUDE_USER_DATA", default=True),
    )
    if settings.watch.min_delay > settings.watch.max_delay:
        reader.problems.append(
            f"WATCH_MIN_DELAY_SECONDS is {settings.watch.min_delay:g}, more than WATCH_MAX_DELAY_SECONDS, "
            f"which is {settings.watch.max_delay:g}: lower the first or raise the second"
        )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _endpoint(reader: EnvironmentReader, name: str) -> str:
    value = reader.text(name)
    form = "https://NAME.cognitiveservices.azure.com, without a path (plain http for loopback only)"
    found = _ENDPOINT.fullmatch(value)
    if found is None or int(found["port"] or 0) > 65_535:
        reader.refuse_address(name, value, form)
    return value.rstrip("/")


def _scope(reader: EnvironmentReader, name: str, endpoint: str) -> str:
    host = endpoint.lower().removeprefix("https://").partition(":")[0]
    cloud = next((scope for suffix, scope in _SCOPES.items() if host.endswith(suffix)), _PUBLIC_SCOPE)
    return reader.matching(name, r"https://\S+/\.default", f"an Entra scope such as {_PUBLIC_SCOPE}", default=cloud)


def _api_version(reader: EnvironmentReader, name: str, refused: tuple[str, ...] = ()) -> str:
    pattern = r"v\d{1,3}\.\d{1,3}(-preview(\.\d{1,3})?)?"
    value = reader.matching(name, pattern, "an API version such as v1.2-preview.1", default="v1.2-preview.1")
    if value in refused:
        reader.refuse(name, value, "a version that has dynamic person groups, such as v1.2-preview.1")
    return value


def _schedule(reader: EnvironmentReader, name: str) -> str:
    field = r"[0-9A-Za-z*,/-]+"
    return reader.matching(
        name,
        rf"{field}( +{field}){{4,5}}",
        f"an NCRONTAB expression of six fields, seconds first, such as {DEFAULT_SNAPSHOT_SCHEDULE}",
        default=DEFAULT_SNAPSHOT_SCHEDULE,
    )


def _check_host_storage(reader: EnvironmentReader, name: str) -> None:
    if not reader.text(name) and not reader.has_any(f"{name}__"):
        reader.problems.append(
            f"{name} is missing; it must be a connection string, UseDevelopmentStorage=true, "
            f"or the identity-based {name}__… settings"
        )


def _storage(reader: EnvironmentReader, name: str) -> ConnectionString | StorageIdentity:
    if value := reader.text(name):
        return _connection_string(reader, name, value)
    uris = {f"{name}__{service}ServiceUri": service for service in ("queue", "table", "blob")}
    if not any(reader.text(uri) for uri in uris):
        reader.problems.append(
            f"{name} is missing; it must be a connection string, UseDevelopmentStorage=true, "
            f"or all of {', '.join(uris)}"
        )
        return ConnectionString("")
    queue_uri, table_uri, blob_uri = (_service_uri(reader, uri, service) for uri, service in uris.items())
    return StorageIdentity(
        queue_uri=queue_uri,
        table_uri=table_uri,
        blob_uri=blob_uri,
        managed=reader.choice(f"{name}__credential", "", ("", "managedidentity")) == "managedidentity",
        client_id=reader.text(f"{name}__clientId") or None,
    )


def _service_uri(reader: EnvironmentReader, name: str, service: str) -> str:
    value = reader.text(name)
    if not re.fullmatch(r"https?://[^\s?#@]+", value):
        reader.refuse_address(name, value, f"https://ACCOUNT.{service}.core.windows.net, without a query")
    return value.rstrip("/")


def _connection_string(reader: EnvironmentReader, name: str, value: str) -> ConnectionString:
    parts = [part.partition("=") for part in value.rstrip(";").split(";")]
    fields = {field: text for field, _, text in parts if text}
    if fields.get("UseDevelopmentStorage", "").lower() == "true":
        return ConnectionString(_AZURITE)
    signs = _is_base64(fields.get("AccountKey", "")) or "SharedAccessSignature" in fields
    reaches = "AccountName" in fields or {"BlobEndpoint", "QueueEndpoint", "TableEndpoint"} <= fields.keys()
    if not (signs and reaches and all(separator for _, separator, _ in parts)):
        reader.problems.append(
            f"{name} is no connection string (its value is not shown); it must hold AccountName and AccountKey, "
            "or SharedAccessSignature, or be UseDevelopmentStorage=true"
        )
    return ConnectionString(value)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False
