"""Commands to try with a running stack, which can be run one after the other, also all at once."""

from local.stack import Stack


def what_to_try(stack: Stack) -> str:
    """Return the commands, for a terminal with ``az`` and ``curl``."""
    connection = stack.connection
    prepared = stack.has_emulator
    blocks = [
        f"""\
export AZURE_STORAGE_CONNECTION_STRING='{connection.connection_string}'
key='x-functions-key: {connection.master_key or ""}'""",
        _training(stack) if prepared else "# a watch for a large person group of yours",
        f"az storage message put --queue-name training-watch --content {'my-group' if prepared else 'GROUP'} -o none",
        """
# how it ended, once it has
until az storage message get --queue-name training-results --query '[].content' -o tsv | grep .; do sleep 1; done
""",
        _groups(stack) if prepared else "# a snapshot of the dynamic groups",
        f"""\
curl {connection.address}/admin/functions/snapshot_dynamic_person_groups \\
  -H "$key" -H 'Content-Type: application/json' -d '{{"input": ""}}'
until az storage blob list --container-name face-snapshots --query '[].name' -o tsv | grep latest; do sleep 1; done""",
    ]
    lines = "\n".join(blocks).splitlines()
    return "To try, in another terminal:\n\n" + "\n".join(f"  {line}".rstrip() for line in lines) + "\n"


def _training(stack: Stack) -> str:
    control = f"{stack.face.endpoint}/_emulator"
    plan = '{"plan": {"duration": 10}}'
    group = '{"kind": "largePersonGroup", "groupId": "my-group", "train": true}'
    return f"""\
token='Authorization: Bearer {stack.face.control_token}'

# a group whose training takes 10 seconds, and a watch for it
curl -X PUT {control}/plans -H "$token" -d '{plan}'
curl -X PUT {control}/groups -H "$token" -d '{group}'"""


def _groups(stack: Stack) -> str:
    return f"""\
# 1000 dynamic groups, and a snapshot of them
curl {stack.face.endpoint}/_emulator/fill -H "$token" -d '{{"count": 1000}}'"""
