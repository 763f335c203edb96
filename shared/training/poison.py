"""Tell what the host gave up: nothing ends in the poison queue unseen."""

import logging
from dataclasses import dataclass

from shared import telemetry
from shared.face.models import GroupKind
from shared.training.decide import End
from shared.training.messages import MAX_DEQUEUE_COUNT, Encoding, FollowUp, Message, Rejection, Request, parse_body
from shared.training.record import Outcome
from shared.training.tell import Teller

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PoisonHandler:
    """Handles the messages of the poison queue."""

    teller: Teller
    default_kind: GroupKind  # of a bare ID
    encoding: Encoding

    def handle(self, message: Message) -> None:
        """Tell a request as abandoned; drop a follow-up, which the timer sends anew.

        The host's copy has an ID of its own, so the event has one too: the request's is lost.

        Raises:
            azure.core.exceptions.AzureError: the app's own storage failed.
        """
        parsed = parse_body(message.body, self.default_kind, self.encoding)
        traceparent = None if isinstance(parsed, Rejection) else parsed.traceparent
        with telemetry.processing("training-watch-poison", message.id, traceparent):
            self._handle(message, parsed)

    def _handle(self, message: Message, parsed: Request | FollowUp | Rejection) -> None:
        if isinstance(parsed, FollowUp):
            log.error("poisoned follow-up dropped", extra={"kind": parsed.group.kind.value, "step": parsed.step})
            return
        log.error("poisoned request abandoned", extra={"outcome": Outcome.ABANDONED.value})
        text = (
            f"the message could not be handled in {MAX_DEQUEUE_COUNT} tries: look at the app's log, then send it again"
        )
        end = End(Outcome.ABANDONED, "poisoned", text)
        if isinstance(parsed, Rejection):
            self.teller.tell_body(message, end, correlation_id=parsed.correlation_id)
            return
        self.teller.tell_body(
            message,
            end,
            group=parsed.group,
            correlation_id=parsed.correlation_id,
            traceparent=parsed.traceparent,
        )
