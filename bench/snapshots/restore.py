"""Copy all groups with their members, or restore them, in this process, and print what it took as a line of JSON.

Usage: restore.py COPY|RESTORE CONNECTION_STRING ENDPOINT KEY GROUPS_CONTAINER MEMBERS_CONTAINER
"""

import json
import sys
import time

from azure.storage.blob import ContainerClient

from bench.snapshots.run import Noting
from shared.face.client import ApiVersions, FaceClient
from shared.face.credentials import KeyCredential
from shared.face.groups import GroupsClient
from shared.face.page import ListedKind
from shared.snapshots.library import Library
from shared.snapshots.members import MembersJob
from shared.snapshots.restore.plan import Action, Options
from shared.snapshots.restore.restore import Restore
from shared.snapshots.restore.source import RestoreSource
from shared.snapshots.snapshot import SnapshotJob

_VERSION = "v1.2-preview.1"
_KIND = ListedKind.DYNAMIC_PERSON_GROUP


def main(what: str, connection_string: str, endpoint: str, key: str, groups_name: str, members_name: str) -> None:
    """Print a line with the seconds, and of a restore how many calls its plan has."""
    groups, members = (
        ContainerClient.from_connection_string(connection_string, name) for name in (groups_name, members_name)
    )
    client = GroupsClient(FaceClient(endpoint, KeyCredential(key), ApiVersions(_VERSION, _VERSION)), Noting(None))
    began, planned = time.monotonic(), 0
    if what == "COPY":
        SnapshotJob(client, groups, include_user_data=True).run()
        MembersJob(client, groups, members, days=1.0).run()
    else:
        manifest = Library(groups, _KIND).get()
        if manifest is None:
            raise RuntimeError("there is nothing to restore from")
        restore = Restore(client, RestoreSource(groups, members, manifest), Options(_KIND, with_user_data=True))
        actions = [each for each in restore.plan() if isinstance(each, Action)]
        restore.apply(actions)
        restore.verify()
        planned = len(actions)
    print(json.dumps({"planned": planned, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
