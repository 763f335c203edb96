"""Keep blobs in memory, with the ETags, leases and errors of ``azure.storage.blob``'s clients."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from types import SimpleNamespace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobLeaseClient, BlobType

from tests.support.doubles.errors import failed_with


@dataclass(frozen=True)
class StoredBlob:
    """A block blob as it was last written."""

    data: bytes
    etag: str
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    blocks: tuple[tuple[str, bytes], ...] = ()  # committed ones, by ID


class InMemoryContainer:
    """Blobs by their names. ``stored`` may be set to what it was before; leases are left out of it."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredBlob] = {}
        self.staged: dict[str, dict[str, bytes]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.leases: dict[str, str] = {}
        self.lock = RLock()
        self._numbers = count(1)

    def get_blob_client(self, name: str) -> "InMemoryBlob":
        return InMemoryBlob(self, name)

    def upload_blob(self, name: str, data: bytes, **options: Any) -> "InMemoryBlob":
        blob = self.get_blob_client(name)
        blob.upload_blob(data, **options)
        return blob

    def list_blob_names(self, *, name_starts_with: str) -> list[str]:
        with self.lock:
            return sorted(name for name in self.stored if name.startswith(name_starts_with))

    def exists(self) -> bool:
        return True

    def put(self, name: str, data: bytes, metadata: dict[str, str] | None, blocks: Sequence[tuple[str, bytes]]) -> None:
        """Write a blob, whatever is there."""
        etag = f'"0x{next(self._numbers):X}"'
        self.stored[name] = StoredBlob(data, etag, datetime.now(UTC), metadata or {}, tuple(blocks))


class InMemoryBlob:
    """The client of one blob."""

    def __init__(self, container: InMemoryContainer, name: str) -> None:
        self.blob_name = name
        self._container = container
        self._client = SimpleNamespace(blob=self)  # where the client of leases looks for it

    def exists(self) -> bool:
        return self.blob_name in self._container.stored

    def get_blob_properties(self) -> SimpleNamespace:
        stored = self._find()
        lease = ("leased", "fixed") if self.blob_name in self._container.leases else ("available", None)
        return SimpleNamespace(
            size=len(stored.data),
            etag=stored.etag,
            metadata=dict(stored.metadata),
            last_modified=stored.modified,
            blob_type=BlobType.BLOCKBLOB,
            blob_tier="Hot",
            lease=SimpleNamespace(state=lease[0], duration=lease[1]),
        )

    def download_blob(
        self,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> SimpleNamespace:
        stored = self._find()
        self._check(etag, match_condition)
        end = len(stored.data) if length is None else offset + length
        return SimpleNamespace(readall=lambda: stored.data[offset:end])

    def upload_blob(
        self,
        data: bytes,
        *,
        overwrite: bool = False,
        lease: BlobLeaseClient | None = None,
        metadata: dict[str, str] | None = None,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
        content_settings: object = None,  # noqa: ARG002 - nobody asks for it
    ) -> None:
        with self._container.lock:
            if self.exists():
                if not overwrite:
                    raise failed_with(ResourceExistsError, "BlobAlreadyExists", 409)
                self._check(etag, match_condition)
                self._check_lease(lease)
            elif etag is not None or match_condition is MatchConditions.IfPresent:
                raise failed_with(ResourceModifiedError, "ConditionNotMet", 412)
            self._container.put(self.blob_name, bytes(data), metadata, ())
            self._container.staged.pop(self.blob_name, None)

    def stage_block(self, block_id: str, data: bytes, length: int) -> None:
        with self._container.lock:
            self._container.staged.setdefault(self.blob_name, {})[block_id] = data[:length]

    def commit_block_list(
        self,
        blocks: Sequence[BlobBlock],
        *,
        metadata: dict[str, str] | None = None,
        match_condition: MatchConditions | None = None,
        content_settings: object = None,  # noqa: ARG002 - nobody asks for it
    ) -> None:
        with self._container.lock:
            if match_condition is MatchConditions.IfMissing and self.exists():
                raise failed_with(ResourceExistsError, "BlobAlreadyExists", 409)
            known = dict(self._container.stored[self.blob_name].blocks) if self.exists() else {}
            known |= self._container.staged.get(self.blob_name, {})
            if any(block.id not in known for block in blocks):
                raise failed_with(HttpResponseError, "InvalidBlockList", 400)
            committed = [(str(block.id), known[str(block.id)]) for block in blocks]
            self._container.put(self.blob_name, b"".join(data for _, data in committed), metadata, committed)
            self._container.staged.pop(self.blob_name, None)

    def get_block_list(self, _kind: str) -> tuple[list[SimpleNamespace], list[SimpleNamespace]]:
        with self._container.lock:
            staged = self._container.staged.get(self.blob_name, {})
            if not self.exists() and not staged:
                raise failed_with(ResourceNotFoundError, "BlobNotFound", 404)
            committed = self._container.stored[self.blob_name].blocks if self.exists() else ()
            return (
                [SimpleNamespace(id=block_id, size=len(data)) for block_id, data in committed],
                [SimpleNamespace(id=block_id, size=len(data)) for block_id, data in staged.items()],
            )

    def delete_blob(self, *, etag: str | None = None, match_condition: MatchConditions | None = None) -> None:
        with self._container.lock:
            self._find()
            self._check(etag, match_condition)
            self._check_lease(None)
            del self._container.stored[self.blob_name]

    def set_blob_tags(self, tags: dict[str, str], *, lease: BlobLeaseClient | None = None) -> None:
        with self._container.lock:
            self._find()
            self._check_lease(lease)
            self._container.tags[self.blob_name] = dict(tags)

    def acquire_lease(self, *, proposed_lease_id: str, **_: Any) -> dict[str, Any]:
        with self._container.lock:
            self._find()
            if self._container.leases.get(self.blob_name, proposed_lease_id) != proposed_lease_id:
                raise failed_with(ResourceExistsError, "LeaseAlreadyPresent", 409)
            self._container.leases[self.blob_name] = proposed_lease_id
            return {"lease_id": proposed_lease_id, "etag": None, "last_modified": None}

    def renew_lease(self, *, lease_id: str, **_: Any) -> dict[str, Any]:
        if self._container.leases.get(self.blob_name) != lease_id:
            raise failed_with(ResourceExistsError, "LeaseIdMismatchWithLeaseOperation", 409)
        return {"lease_id": lease_id, "etag": None, "last_modified": None}

    def release_lease(self, *, lease_id: str, **_: Any) -> dict[str, Any]:
        with self._container.lock:
            self.renew_lease(lease_id=lease_id)
            del self._container.leases[self.blob_name]
            return {"lease_id": None, "etag": None, "last_modified": None}

    def _find(self) -> StoredBlob:
        with self._container.lock:
            if not self.exists():
                raise failed_with(ResourceNotFoundError, "BlobNotFound", 404)
            return self._container.stored[self.blob_name]

    def _check(self, etag: str | None, match_condition: MatchConditions | None) -> None:
        if match_condition is MatchConditions.IfNotModified and self._find().etag != etag:
            raise failed_with(ResourceModifiedError, "ConditionNotMet", 412)

    def _check_lease(self, lease: BlobLeaseClient | None) -> None:
        held = self._container.leases.get(self.blob_name)
        if held is not None and (lease is None or lease.id != held):
            raise failed_with(HttpResponseError, "LeaseIdMissing", 412)


def damaged(stored: StoredBlob, data: bytes) -> StoredBlob:
    """Return a blob with other bytes under the same blocks, as a broken disk or a hostile writer would leave it."""
    return replace(stored, data=data)
