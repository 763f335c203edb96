"""What ``az storage`` does of the printed commands, for machines without the Azure CLI: ``python az.py storage …``."""

import os
import sys

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

CONNECTION = os.environ["AZURE_STORAGE_CONNECTION_STRING"]


def main(arguments: list[str]) -> None:
    """Carry out one command, and print its output as ``--output tsv`` has it."""
    service, verb = arguments[1:3]
    options = dict(zip(arguments[3::2], arguments[4::2], strict=True))
    if service == "message":
        queue = QueueServiceClient.from_connection_string(CONNECTION).get_queue_client(options["--queue-name"])
        if verb == "put":
            queue.send_message(options["--content"])
        else:
            print(*(message.content for message in queue.receive_messages(max_messages=1)), sep="\n")
    else:
        blobs = BlobServiceClient.from_connection_string(CONNECTION).get_container_client(options["--container-name"])
        print(*blobs.list_blob_names(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
