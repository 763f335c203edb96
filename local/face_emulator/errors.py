"""The service's error responses: status, code and message as documented.

Source: https://learn.microsoft.com/azure/ai-services/computer-vision/reference-face-error-codes
"""

from local.face_emulator.kinds import Kind


class ServiceError(Exception):
    """An error response of the service; ``retry_after`` is in seconds."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


def bad_argument(message: str) -> ServiceError:
    """Return the error for a request with a wrong argument."""
    return ServiceError(400, "BadArgument", message)


def unauthorized() -> ServiceError:
    """Return the error for a missing or wrong key."""
    return ServiceError(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource.",
    )


def resource_not_found() -> ServiceError:
    """Return the gateway's error for a path, a method or an API version that it does not know."""
    return ServiceError(404, "404", "Resource not found")


def group_not_found(kind: Kind) -> ServiceError:
    """Return the error for a group that does not exist."""
    return ServiceError(404, f"{kind.code}NotFound", f"{kind.noun} is not found.")


def group_exists(kind: Kind) -> ServiceError:
    """Return the error for the creation of a group that exists."""
    return ServiceError(409, f"{kind.code}Exists", f"{kind.noun} already exists.")


def not_trained(kind: Kind) -> ServiceError:
    """Return the error for the training status of a group that was never trained."""
    return ServiceError(404, f"{kind.code}NotTrained", f"{kind.noun} not trained.")


def training_not_finished(kind: Kind) -> ServiceError:
    """Return the error for a training that is started while one is under way."""
    return ServiceError(409, f"{kind.code}TrainingNotFinished", f"{kind.noun} is under training.")


def dynamic_group_not_found() -> ServiceError:
    """Return the error for a dynamic person group that does not exist."""
    return ServiceError(404, "DynamicPersonGroupNotFound", "Dynamic person group was not found.")


def dynamic_group_exists(group_id: str) -> ServiceError:
    """Return the error for the creation of a dynamic person group that exists."""
    return ServiceError(409, "DynamicPersonGroupExists", f"Dynamic person group ID {group_id} already exists.")


def operation_not_found() -> ServiceError:
    """Return the error for a long running operation that does not exist."""
    return ServiceError(404, "OperationNotFound", "Operation is not found.")


def rate_exceeded(version: str, seconds: int) -> ServiceError:
    """Return the error for a request beyond the limit; the next may come in ``seconds``."""
    unit = "second" if seconds == 1 else "seconds"
    return ServiceError(
        429,
        "429",
        f"Requests to the Face API ({version}) have exceeded call rate limit of your current Face S0 pricing tier. "
        f"Please retry after {seconds} {unit}.",
        retry_after=seconds,
    )
