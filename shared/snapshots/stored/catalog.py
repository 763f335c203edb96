"""The manifests and the pointer of one kind's copies: which copies there are, and which is the newest."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient, ContentSettings

from shared.snapshots.errors import AlreadyPublished, CorruptSnapshot
from shared.snapshots.stored.archive import RUN_METADATA, Archive, error_code
from shared.snapshots.stored.layout import SUPERSEDED_TAG, Layout, snapshot_time
from shared.snapshots.stored.manifest import (
    MAX_MANIFEST_BYTES,
    AnyManifest,
    Manifest,
    MembersManifest,
    Pointer,
    check_manifest,
)

_JSON = ContentSettings(content_type="application/json")
log = logging.getLogger(__name__)


class Published[M](msgspec.Struct, frozen=True):
    """The newest complete copy."""

    manifest: M | None  # None where there is none yet
    etag: str | None  # of the pointer, which a newer one must replace


class Catalog[M: (Manifest, MembersManifest)]:
    """The manifests and the pointer of one kind's copies, which threads may share.

    Every method raises ``AzureError`` where the storage cannot be reached or refuses.
    """

    def __init__(self, container: ContainerClient, layout: Layout, form: type[M]) -> None:
        self._container = container
        self._layout = layout
        self._archive = Archive(container, layout)
        self._manifest: Any = msgspec.json.Decoder(form)
        # mypy cannot tell a form at run time from a type.
        self._pointer: Any = msgspec.json.Decoder(Pointer[form])  # type: ignore[valid-type]

    def newest(self) -> Published[M]:
        """Return the newest complete copy: the pointer's, or the newest valid one where that cannot be read."""
        path = self._layout.pointer
        try:
            etag, text = self._download(path)
        except ResourceNotFoundError:
            return Published(self._newest_valid(), None)
        try:
            pointer = self._pointer.decode(text or b"")
            self._check(pointer.manifest, pointer.snapshot_id)
        except (ValueError, RecursionError) as error:
            # What was read may hold anybody's words: only its kind is told.
            log.warning("snapshot pointer unreadable", extra={"path": path, "error": type(error).__name__})
            return Published(self._newest_valid(), etag)
        return Published(pointer.manifest, etag)

    def published_at(self) -> datetime | None:
        """Return when the newest copy was published, ``None`` where there is none."""
        try:
            return self._container.get_blob_client(self._layout.pointer).get_blob_properties().last_modified
        except ResourceNotFoundError:
            return None

    def ids(self) -> list[str]:
        """Return the IDs of all copies that have a manifest, oldest first."""
        return sorted(self._ids())

    def manifest(self, snapshot_id: str) -> M | None:
        """Return a copy's manifest, ``None`` where it has none.

        Raises:
            CorruptSnapshot: where it cannot be read.
        """
        path = self._layout.manifest_path(snapshot_id)
        try:
            _, text = self._download(path)
        except ResourceNotFoundError:
            return None
        try:
            manifest: M = self._manifest.decode(text or b"")
            self._check(manifest, snapshot_id)
        except (ValueError, RecursionError) as error:
            raise CorruptSnapshot(f"the manifest {path} cannot be read ({type(error).__name__})") from None
        return manifest

    def write(self, manifest: M, run_id: str) -> M:
        """Write a copy's manifest, and return the one that now stands: a manifest is never replaced.

        Raises:
            CorruptSnapshot: where one stands that cannot be read.
        """
        path = self._layout.manifest_path(manifest.snapshot_id)
        text, mark = msgspec.json.encode(manifest), {RUN_METADATA: run_id}
        try:
            self._container.upload_blob(path, text, content_settings=_JSON, metadata=mark)
        except ResourceExistsError:
            return self.manifest(manifest.snapshot_id) or manifest
        return manifest

    def has(self, snapshot_id: str) -> bool:
        """Tell whether any blob lies where a copy's manifest would."""
        return bool(self._container.get_blob_client(self._layout.manifest_path(snapshot_id)).exists())

    def publish(self, manifest: M, replaced: str | None) -> None:
        """Let the pointer name this copy, if it still is the one with the ETag ``replaced``.

        Raises:
            AlreadyPublished: where another run has moved it.
        """
        pointer = msgspec.json.encode(Pointer(manifest.snapshot_id, manifest))
        try:
            self._replace(pointer, replaced)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            # The write may have been our own, its response lost.
            if self.newest().manifest != manifest:
                raise AlreadyPublished("another run has moved the pointer; this snapshot is not published") from None

    def tag_superseded(self, manifest: M) -> None:
        """Let retention take a copy: tag its blobs."""
        paths = [self._layout.manifest_path(manifest.snapshot_id), manifest.data.path]
        if isinstance(manifest, Manifest) and manifest.changes:
            paths.append(manifest.changes.path)
        for path in paths:
            self._container.get_blob_client(path).set_blob_tags({SUPERSEDED_TAG: "true"})

    def delete_own(self, snapshot_id: str, run_id: str) -> None:
        """Delete a manifest that bears a run's mark."""
        blob = self._container.get_blob_client(self._layout.manifest_path(snapshot_id))
        try:
            properties = blob.get_blob_properties()
        except ResourceNotFoundError:
            return
        if (properties.metadata or {}).get(RUN_METADATA) == run_id:
            blob.delete_blob(etag=properties.etag, match_condition=MatchConditions.IfNotModified)

    def _replace(self, pointer: bytes, replaced: str | None) -> None:
        blob = self._container.get_blob_client(self._layout.pointer)
        if replaced is None:
            blob.upload_blob(pointer, content_settings=_JSON)
            return
        same: dict[str, Any] = {"etag": replaced, "match_condition": MatchConditions.IfNotModified}
        try:
            blob.upload_blob(pointer, content_settings=_JSON, overwrite=True, **same)
        except HttpResponseError as error:
            if error_code(error) == "LeaseIdMissing":
                log.warning("lease of the snapshot pointer broken; the app takes none")
                BlobLeaseClient(blob).break_lease(0)
                blob.upload_blob(pointer, content_settings=_JSON, overwrite=True, **same)
                return
            if error_code(error) not in ("BlobArchived", "InvalidBlobType"):
                raise
            # Such a blob can only be made anew; until then the manifests tell which copy is the newest.
            blob.delete_blob(**same)
            blob.upload_blob(pointer, content_settings=_JSON)

    def _newest_valid(self) -> M | None:
        for snapshot_id in reversed(self.ids()):
            try:
                manifest = self.manifest(snapshot_id)
            except CorruptSnapshot:
                continue
            if manifest and self._archive.size(snapshot_id) == manifest.data.size:
                return manifest
        return None

    def _ids(self) -> Iterator[str]:
        for name in self._container.list_blob_names(name_starts_with=self._layout.manifests):
            snapshot_id = name.removeprefix(self._layout.manifests).removesuffix(".json")
            try:
                snapshot_time(snapshot_id)
            except ValueError:
                continue  # not the app's
            yield snapshot_id

    def _download(self, path: str) -> tuple[str, bytes | None]:
        """Return a blob's ETag, and its bytes unless they are too many or archived."""
        blob = self._container.get_blob_client(path)
        properties = blob.get_blob_properties()
        if properties.size > MAX_MANIFEST_BYTES:
            return properties.etag, None
        try:
            return properties.etag, blob.download_blob(
                etag=properties.etag, match_condition=MatchConditions.IfNotModified
            ).readall()
        except HttpResponseError as error:
            if error_code(error) == "BlobArchived":
                return properties.etag, None
            raise

    def _check(self, manifest: AnyManifest, snapshot_id: str) -> None:
        check_manifest(manifest, self._layout)
        if manifest.snapshot_id != snapshot_id:
            raise ValueError("the manifest is another snapshot's")
