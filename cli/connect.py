"""What the command line works on: the storage account and the Face resource, or the local stack."""

import os
import random
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from cli.output import WRONG_USAGE, fail

if TYPE_CHECKING:
    from shared.api.requests import RequestsApi
    from shared.budget.budget import Budget
    from shared.face.groups import GroupsClient
    from shared.settings import ConnectionString, StorageIdentity
    from shared.storage import Storage
    from shared.training.history import History
    from shared.training.send import Sender
    from shared.training.store import WatchStore


class Stack(msgspec.Struct, rename="camel"):
    """What the file of a running stack says, as far as it is needed here."""

    connection_string: str  # of Azurite
    face_endpoint: str
    face_key: str


@dataclass
class Target:
    """Where the user wants to work; everything is connected to when it is first needed."""

    local: bool
    storage_account: str | None
    face_endpoint: str | None
    max_tps: float

    @cached_property
    def storage(self) -> "Storage":
        """Return the clients of the queues, the table and the containers."""
        from shared.storage import connect

        return connect(self._where())

    @cached_property
    def groups_client(self) -> "GroupsClient[Any]":
        """Return the client of the Face resource, which shares the app's budget."""
        from shared import forms
        from shared.environment import EnvironmentReader
        from shared.face.client import ApiVersions, FaceClient
        from shared.face.credentials import KeyCredential, TokenCredential
        from shared.face.groups import GroupsClient
        from shared.snapshots.pace import BulkPace

        endpoint, key = self._face()
        reader = EnvironmentReader(os.environ)
        scope = forms.token_scope(reader, "FACE_TOKEN_SCOPE", endpoint)
        versions = ApiVersions(
            training=forms.training_api_version(reader, "FACE_TRAINING_API_VERSION"),
            directory=forms.directory_api_version(reader, "FACE_DIRECTORY_API_VERSION"),
        )
        if reader.problems:
            raise fail("; ".join(reader.problems), WRONG_USAGE)
        if key:
            credential: KeyCredential | TokenCredential = KeyCredential(key)
        else:
            from azure.identity import DefaultAzureCredential, get_bearer_token_provider

            credential = TokenCredential(get_bearer_token_provider(DefaultAzureCredential(), scope))
        return GroupsClient(FaceClient(endpoint, credential, versions), BulkPace(self.budget))

    @cached_property
    def budget(self) -> "Budget":
        """Return the budget of calls, which the app's instances share."""
        from urllib.parse import urlsplit

        from shared.budget.budget import Budget
        from shared.budget.store import BudgetStore

        endpoint, _ = self._face()
        store = BudgetStore(self.storage.budget_table, urlsplit(endpoint).netloc)
        return Budget(store, max_tps=self.max_tps, poll_worth=1.0)

    @cached_property
    def sender(self) -> "Sender":
        """Return what puts requests on the queue."""
        from shared.training.messages import Encoding
        from shared.training.send import Sender

        encoding = os.environ.get("WATCH_MESSAGE_ENCODING") or "auto"
        if encoding not in list(Encoding):
            expected = ", ".join(Encoding)
            raise fail(f"WATCH_MESSAGE_ENCODING is {encoding!r}; expected one of {expected}", WRONG_USAGE)
        return Sender(self.storage.watch_queue, Encoding(encoding))

    @cached_property
    def watch_store(self) -> "WatchStore":
        """Return the record of watches."""
        from shared.training.store import WatchStore

        return WatchStore(self.storage.watch_table)

    @cached_property
    def history(self) -> "History":
        """Return the record as people read it."""
        from shared.training.history import History

        return History(self.storage.watch_table)

    @cached_property
    def requests_api(self) -> "RequestsApi":
        """Return what answers HTTP requests about requests: the command line goes by the same rules."""
        from shared.api.requests import RequestsApi
        from shared.face.models import GroupKind
        from shared.training.cancel import Canceller
        from shared.training.tell import Teller

        endpoint, _ = self._face()
        teller = Teller(self.watch_store, self.storage.results_queue, endpoint, knows_topic=False)
        return RequestsApi(
            sender=self.sender,
            store=self.watch_store,
            history=self.history,
            canceller=Canceller(self.watch_store, teller, self.budget, random.random, time.sleep),
            default_kind=GroupKind.LARGE_PERSON_GROUP,
            clock=self.budget.clock,
        )

    def _where(self) -> "ConnectionString | StorageIdentity":
        from shared.settings import ConnectionString, StorageIdentity

        if self.local:
            return ConnectionString(self._stack.connection_string)
        account = self.storage_account
        if not account:
            raise fail(
                "no storage account is named; expected --storage ACCOUNT, the variable FACE_OPS_STORAGE, or --local",
                WRONG_USAGE,
            )
        suffix = os.environ.get("FACE_OPS_STORAGE_SUFFIX") or "core.windows.net"
        queue_uri, table_uri, blob_uri = (
            f"https://{account}.{service}.{suffix}" for service in ("queue", "table", "blob")
        )
        return StorageIdentity(queue_uri, table_uri, blob_uri, managed=False, client_id=None)

    def _face(self) -> tuple[str, str | None]:
        if self.local:
            return self._stack.face_endpoint, self._stack.face_key
        if not self.face_endpoint:
            raise fail(
                "no Face resource is named; expected --face ENDPOINT, the variable FACE_ENDPOINT, or --local",
                WRONG_USAGE,
            )
        return self.face_endpoint.rstrip("/"), os.environ.get("FACE_KEY") or None

    @cached_property
    def _stack(self) -> Stack:
        path = os.environ.get("FACE_OPS_CONNECTION") or ".stack/connection.json"
        try:
            return msgspec.json.decode(Path(path).read_bytes(), type=Stack)
        except (OSError, msgspec.DecodeError):
            raise fail(
                f"no running stack is described by {path}; start one by script/server, in this folder", WRONG_USAGE
            ) from None


def target(context: typer.Context) -> Target:
    """Return where the user wants to work."""
    chosen: Target = context.obj
    return chosen
