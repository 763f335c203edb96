"""Blobs that somebody else keeps among the app's, which no run may touch."""

from azure.storage.blob import ContainerClient

from shared.snapshots.stored.layout import Layout


class Strangers:
    """Blobs of every kind where the app's lie, under names that the app could have given and others."""

    def __init__(self, container: ContainerClient, layout: Layout) -> None:
        self._container = container
        others = self._all()
        old = "20261101T030000Z"
        container.upload_blob(layout.data_path(old), b"half", metadata={"run": "another-app"})
        container.upload_blob(layout.changes_path(old), b"half")
        container.get_blob_client(layout.data_path("20261102T030000Z")).create_append_blob()
        container.get_blob_client(layout.data_path("20261103T030000Z")).create_page_blob(512)
        container.get_blob_client(f"{layout.directory}/{layout.data}/a.gz").stage_block("0" * 32, b"half")
        container.upload_blob(f"{layout.manifests}notes.txt", b"{}")
        container.upload_blob(f"{layout.directory}/latest.json.bak", b"{}")
        container.upload_blob("notes.txt", b"mine").create_snapshot()
        self._before = {key: etag for key, etag in self._all().items() if key not in others}
        self.names = {name for name, _ in self._before}

    def check(self) -> None:
        """Hold what lies there now to what was put there."""
        now = self._all()
        assert {key: now.get(key) for key in self._before} == self._before

    def _all(self) -> dict[tuple[str, str | None], str]:
        blobs = self._container.list_blobs(include=["uncommittedblobs", "snapshots"])
        return {(blob.name, blob.snapshot): blob.etag for blob in blobs}
