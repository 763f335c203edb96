"""Put requests on the queue."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.storage.queue import QueueClient

from shared.training.messages import Encoding, Message, Request


@dataclass(frozen=True)
class Sender:
    """Puts requests on the queue ``training-watch``."""

    queue: QueueClient
    encoding: Encoding  # as the app reads the queue's bodies

    def send(self, request: Request) -> str:
        """Send a request; return its ID.

        Raises:
            azure.core.exceptions.AzureError: the queue cannot be used.
        """
        body = request.body
        sent = self.queue.send_message(
            base64.b64encode(body.encode()).decode() if self.encoding is Encoding.BASE64 else body
        )
        return Message(sent.id, sent.inserted_on or datetime.now(UTC), body.encode()).request_id
