"""The forms that settings may have: addresses, connection strings, versions, schedules."""

import base64
import re

from shared.addresses import is_loopback
from shared.environment import EnvironmentReader
from shared.ncrontab import is_schedule

# The well-known account of Azurite: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
AZURITE = (
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
_STORAGE_ENDPOINTS = ("BlobEndpoint", "QueueEndpoint", "TableEndpoint")


def face_endpoint(reader: EnvironmentReader, name: str) -> str:
    """Return the address of a Face resource, without a slash at its end."""
    value = reader.text(name)
    match = _ENDPOINT.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65_535:
        reader.reject_address(
            name, value, "https://NAME.cognitiveservices.azure.com, without a path (plain http for loopback only)"
        )
    elif re.match(r"https://NAME\.", value):
        reader.reject(name, value, "the resource's own name in place of NAME")
    return value.rstrip("/")


def token_scope(reader: EnvironmentReader, name: str, endpoint: str) -> str:
    """Return an Entra scope; by default that of the endpoint's cloud."""
    host = endpoint.lower().removeprefix("https://").partition(":")[0]
    cloud = next((scope for suffix, scope in _SCOPES.items() if host.endswith(suffix)), _PUBLIC_SCOPE)
    return reader.matching(name, r"https://\S+/\.default", f"an Entra scope such as {_PUBLIC_SCOPE}", default=cloud)


def training_api_version(reader: EnvironmentReader, name: str) -> str:
    """Return the API version of the training operations, and of the lists of kinds that have them."""
    return _api_version(reader, name, "v1.2")


def _api_version(reader: EnvironmentReader, name: str, default: str) -> str:
    pattern = r"v\d{1,3}\.\d{1,3}(-preview(\.\d{1,3})?)?"
    return reader.matching(name, pattern, f"an API version such as {default}", default=default)


def directory_api_version(reader: EnvironmentReader, name: str) -> str:
    """Return an API version that has dynamic person groups."""
    default = "v1.2-preview.1"
    value = _api_version(reader, name, default)
    if value in _WITHOUT_DIRECTORY:
        reader.reject(name, value, f"a version that has dynamic person groups, such as {default}")
    return value


def schedule(reader: EnvironmentReader, name: str, default: str) -> str:
    """Return an NCRONTAB expression."""
    value = reader.text(name)
    if value and not is_schedule(value):
        reader.reject(
            name, value, f"an NCRONTAB expression of six fields, seconds first, that comes at all, such as {default}"
        )
    return value or default


def https_address(reader: EnvironmentReader, name: str, expected: str) -> str:
    """Return an https address without a query; plain http on loopback."""
    value = reader.text(name)
    secure = value.startswith("https://") or is_loopback(value)
    if not secure or not re.fullmatch(r"https?://[^\s?#@]+", value):
        reader.reject_address(name, value, expected)
    return value.rstrip("/")


def connection_string(reader: EnvironmentReader, name: str) -> str:
    """Return a storage connection string that all three services can be reached by."""
    value = reader.text(name)
    parts = [part.partition("=") for part in value.rstrip(";").split(";")]
    fields = {field: text for field, _, text in parts if text}
    if fields.get("UseDevelopmentStorage", "").lower() == "true":
        return AZURITE
    signs = _is_base64(fields.get("AccountKey", "")) or "SharedAccessSignature" in fields
    reaches = "AccountName" in fields or fields.keys() >= set(_STORAGE_ENDPOINTS)
    if not (signs and reaches and all(separator for _, separator, _ in parts)):
        reader.reject_secret(
            name,
            "a connection string with AccountName and AccountKey, or SharedAccessSignature, "
            "or UseDevelopmentStorage=true",
        )
    elif not _is_secure(fields):
        reader.reject_secret(name, "https for all three services (plain http for loopback only)")
    return value


def _is_secure(fields: dict[str, str]) -> bool:
    by_default = fields.get("DefaultEndpointsProtocol", "https").lower() == "https"
    addresses = [fields.get(name, "") for name in _STORAGE_ENDPOINTS]
    return all(
        address.lower().startswith("https://") or is_loopback(address) if address else by_default
        for address in addresses
    )


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False
