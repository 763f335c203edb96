"""What the storage accounts hold, and how."""

from shared import storage
from tests.integration.infra.cases import Outcome
from tests.integration.infra.promises.reading import STORAGE, data_account


def what_the_code_names_is_made(outcome: Outcome) -> None:
    deployed = outcome.deployment
    account = data_account(deployed).name
    made = {(one.kind.rpartition("/")[2], one.name) for one in deployed.resources}
    received = {storage.WATCH_QUEUE, storage.SNAPSHOT_REQUESTS_QUEUE}
    queues = received | {f"{name}-poison" for name in received} | {storage.POISON_QUEUE, storage.RESULTS_QUEUE}
    named = {("queues", name) for name in queues} | {("tables", storage.WATCH_TABLE)}
    named |= {("containers", name) for name in (storage.SNAPSHOT_CONTAINER, storage.MEMBERS_CONTAINER)}
    missing = {one for one in named if (one[0], f"{account}/default/{one[1]}") not in made}
    assert not missing


def storage_is_closed_and_recoverable(outcome: Outcome) -> None:
    deployed = outcome.deployment
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


def superseded_snapshots_go_and_the_newest_stays(outcome: Outcome) -> None:
    (rule,) = outcome.deployment.one(f"{STORAGE}/managementPolicies").properties["policy"]["rules"]
    days = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    assert days == outcome.parameters.get("snapshotRetentionDays", 90)
    filters = rule["definition"]["filters"]
    assert filters["prefixMatch"] == [f"{storage.SNAPSHOT_CONTAINER}/", f"{storage.MEMBERS_CONTAINER}/"]
    assert filters["blobIndexMatch"] == [{"name": "superseded", "op": "==", "value": "true"}]
