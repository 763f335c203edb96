"""What the storage accounts hold, and how."""

from shared import storage
from tests.integration.infra.cases import Case
from tests.integration.infra.promises.reading import STORAGE, data_account
from tests.support.arm.template import Resolved
from tests.support.snapshots import GROUPS


def what_the_code_names_is_made(deployed: Resolved, _: Case) -> None:
    account = data_account(deployed).name
    made = {(one.kind.rpartition("/")[2], one.name) for one in deployed.resources}
    queues = {storage.WATCH_QUEUE, storage.POISON_QUEUE, storage.RESULTS_QUEUE}
    named = {("queues", name) for name in queues}
    named |= {("tables", storage.WATCH_TABLE), ("containers", storage.SNAPSHOT_CONTAINER)}
    missing = {one for one in named if (one[0], f"{account}/default/{one[1]}") not in made}
    assert not missing


def storage_is_closed_and_recoverable(deployed: Resolved, _: Case) -> None:
    accounts = deployed.of(STORAGE)
    assert len(accounts) == 2
    for account in accounts:
        assert account.properties["minimumTlsVersion"] == "TLS1_2"
        assert account.properties["supportsHttpsTrafficOnly"] is True
        assert account.properties["allowBlobPublicAccess"] is False
        assert 3 <= len(account.name) <= 24
    services = deployed.of(f"{STORAGE}/blobServices")
    assert {one.name for one in services} == {f"{one.name}/default" for one in accounts}
    for service in services:
        assert service.properties["deleteRetentionPolicy"]["enabled"] is True
        assert service.properties["containerDeleteRetentionPolicy"]["enabled"] is True
    for container in deployed.of(f"{STORAGE}/blobServices/containers"):
        assert container.properties["publicAccess"] == "None"


def old_snapshots_go_and_the_pointer_stays(deployed: Resolved, case: Case) -> None:
    (rule,) = deployed.one(f"{STORAGE}/managementPolicies").properties["policy"]["rules"]
    days = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    assert days == case.parameters.get("snapshotRetentionDays", 90)
    (prefix,) = rule["definition"]["filters"]["prefixMatch"]
    assert f"{storage.SNAPSHOT_CONTAINER}/{GROUPS.data_path('20261120T030000Z')}".startswith(prefix)
    assert not f"{storage.SNAPSHOT_CONTAINER}/{GROUPS.pointer}".startswith(prefix)
