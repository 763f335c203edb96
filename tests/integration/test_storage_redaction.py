"""What the host logs when the app's storage fails names no group."""

import traceback

import pytest

from local.processes import free_port
from shared.face.models import GroupKind
from shared.redaction import StorageFault, redact_errors
from shared.settings import ConnectionString
from shared.storage import connect
from shared.training.messages import Group
from shared.training.store import WatchStore


def test_a_storage_that_is_down_is_reported_without_the_address_of_the_request() -> None:
    here = f"http://127.0.0.1:{free_port()}/devstoreaccount1"
    storage = connect(
        ConnectionString(
            f"AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint={here};QueueEndpoint={here};TableEndpoint={here};"
        )
    )
    store = WatchStore(storage.watch_table)
    with pytest.raises(StorageFault, match=r"failed \(ServiceRequestError\); ") as fault, redact_errors():
        store.read(Group(GroupKind.PERSON_GROUP, "secret-group"))
    assert "secret-group" not in "".join(traceback.format_exception(fault.value))
