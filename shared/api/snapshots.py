"""``/api/snapshots``: which copies there are, one's manifest, and taking one now."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from azure.storage.queue import QueueClient

from shared.api.paging import page, read_paging
from shared.api.responses import Problem, Query, Response, json_response, polled
from shared.face.page import ListedKind
from shared.face.timestamps import format_utc
from shared.snapshots.errors import CorruptSnapshot
from shared.snapshots.jobs import SnapshotJobs, SnapshotRequest
from shared.snapshots.stored.catalog import Catalog
from shared.snapshots.stored.manifest import Manifest
from shared.snapshots.stored.progress import Progress
from shared.training.history import Continuation

MAX_BODY_BYTES = 1024

_ID = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    kind: ListedKind | None = None


@dataclass(frozen=True)
class SnapshotsApi:
    """Answers what concerns snapshots. Methods raise ``Problem``, and ``AzureError`` where the storage fails."""

    catalogs: Mapping[ListedKind, Catalog[Manifest]]  # of the kinds that are kept
    jobs: SnapshotJobs
    requests: QueueClient  # ``snapshot-requests``
    next_run: Callable[[], datetime]  # when the timer takes the next copies, UTC

    def list(self, query: Query) -> Response:
        """Return a page of the copies of all kinds, newest first, and when the next ones are taken."""
        paging = read_paging(query)
        copies = sorted(
            ((snapshot_id, kind) for kind, catalog in self.catalogs.items() for snapshot_id in catalog.ids()),
            reverse=True,
        )
        if paging.continuation is not None:
            last = (paging.continuation["RowKey"] or "", paging.continuation["PartitionKey"] or "")
            copies = [each for each in copies if each < last]
        shown = copies[: paging.top]
        value = [self._summary(kind, snapshot_id) for snapshot_id, kind in shown]
        more = len(copies) > len(shown)
        content = page(query, value, paging, _after(*shown[-1]) if more else None)
        return polled(query, {**content, "nextRunAt": format_utc(self.next_run())})

    def manifest(self, query: Query, kind: str, snapshot_id: str) -> Response:
        """Return a copy's manifest."""
        if kind not in list(ListedKind):
            expected = ", ".join(ListedKind)
            raise Problem(400, "Invalid kind", f"{kind[:80]!r} is not a kind of group; expected one of {expected}")
        if not _ID.fullmatch(snapshot_id):
            detail = f"{snapshot_id[:40]!r} is not a valid snapshot ID; expected the form 20261120T030000Z"
            raise Problem(400, "Invalid snapshot ID", detail)
        catalog = self.catalogs.get(ListedKind(kind))
        try:
            manifest = catalog.manifest(snapshot_id) if catalog else None
        except CorruptSnapshot as error:
            raise Problem(404, "Unreadable manifest", str(error)) from None
        if manifest is None:
            raise Problem(404, "No such snapshot", f"there is no manifest of {kind}, {snapshot_id}")
        return polled(query, manifest)

    def take(self, query: Query) -> Response:
        """Ask for a snapshot now, unless one is being taken."""
        kind = self._ordered_kind(query.body)
        status = self.jobs.status(kind)
        if status.running:
            raise Problem(
                409,
                "A snapshot is being taken",
                "one run of a kind goes on at a time; wait for its end",
                progress=None if status.progress is None else _progress(status.progress),
            )
        self.requests.send_message(msgspec.json.encode(SnapshotRequest(kind)).decode())
        return json_response({"kind": kind}, 202, {"Location": f"{query.base}/api/snapshots", "Retry-After": "10"})

    def _ordered_kind(self, body: bytes) -> ListedKind:
        kept = ", ".join(self.catalogs)
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, "Too much", f"the body has {len(body)} bytes; expected at most {MAX_BODY_BYTES}")
        try:
            kind = msgspec.json.decode(body, type=_Order).kind if body.strip() else None
        except (ValueError, RecursionError):
            detail = f'the body is not an order of a snapshot; expected {{"kind": …}} with one of {kept}, or nothing'
            raise Problem(400, "Invalid order", detail) from None
        kind = kind or next(iter(self.catalogs))
        if kind not in self.catalogs:
            raise Problem(400, "Kind not kept", f"{kind.value} is not kept; expected one of SNAPSHOT_KINDS: {kept}")
        return kind

    def _summary(self, kind: ListedKind, snapshot_id: str) -> dict[str, Any]:
        summary: dict[str, Any] = {"snapshotId": snapshot_id, "kind": kind.value}
        try:
            manifest = self.catalogs[kind].manifest(snapshot_id)
        except CorruptSnapshot:
            manifest = None
        if manifest is None:
            return {**summary, "readable": False}
        content = msgspec.to_builtins(manifest)
        return {
            **summary,
            "readable": True,
            "startedAt": content["startedAt"],
            "finishedAt": content["finishedAt"],
            "groups": {name: content["groups"][name] for name in ("count", "size")},
            "changes": content["changes"],
        }


def _after(snapshot_id: str, kind: ListedKind) -> Continuation:
    return {"PartitionKey": kind.value, "RowKey": snapshot_id}


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "snapshotId": progress.snapshot_id,
        "attempts": progress.attempts,
        "groups": progress.groups,
    }
