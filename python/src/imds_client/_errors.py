"""The exceptions: one class for each kind of failure, below one class for each exit code."""

from __future__ import annotations


class ImdsError(Exception):
    """Why a call failed. The message never holds a token, a credential or user data."""

    #: Exit code of the command ``imds`` for this failure.
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        endpoint: str | None = None,
        status: int | None = None,
        attempts: int = 0,
        is_retryable: bool = False,
        is_token_fetch: bool = False,
        is_stalled: bool = False,
        retry_after: float | None = None,
        service_code: str | None = None,
    ) -> None:
        super().__init__(message)
        #: Path that was asked for, if the failure belongs to one.
        self.path = path
        #: Endpoint that was asked, if one was.
        self.endpoint = endpoint
        #: HTTP status of the last response, if there was one.
        self.status = status
        #: How many times the failing request was sent; 0 if it never was.
        self.attempts = attempts
        #: Whether the same call may succeed later.
        self.is_retryable = is_retryable
        #: Whether the request for a session token failed, and not the request for the path.
        self.is_token_fetch = is_token_fetch
        #: Whether a connection was made but the request was not answered in time.
        self.is_stalled = is_stalled
        #: Seconds that the service asked to wait, if it did.
        self.retry_after = retry_after
        #: ``Code`` of a credentials document that holds none.
        self.service_code = service_code


class UsageError(ImdsError, ValueError):
    """A wrong argument or setting; no request was sent (exit code 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is wrong; the message names it and its source."""


class PathError(UsageError):
    """The text is no path of the service."""


class NotFound(ImdsError, LookupError):
    """404: the path does not exist, or does not exist now (exit code 3)."""

    exit_code = 3


class Unreachable(ImdsError):
    """No response: refused, no route, reset, or timed out (exit code 4)."""

    exit_code = 4


class Refused(ImdsError):
    """The service or the environment refuses (exit code 5)."""

    exit_code = 5


class Disabled(Refused):
    """``AWS_EC2_METADATA_DISABLED=true`` forbids every request; none was sent."""


class Forbidden(Refused):
    """403: the service is turned off for the instance, or the request was refused."""


class Unauthorized(Refused):
    """401, again after the token was renewed; or because the instance requires tokens."""


class Busy(ImdsError):
    """The service is busy or failing, after retries (exit code 6)."""

    exit_code = 6


class Throttled(Busy):
    """429 on every attempt."""


class ServerError(Busy):
    """5xx on every attempt."""


class ProtocolError(ImdsError):
    """The response is not one that the metadata service gives (exit code 1)."""


class LocalError(ImdsError):
    """The operating system failed, and not the service (exit code 1)."""


class VerificationError(ImdsError):
    """The instance identity document is not to be believed (exit code 1)."""

    def __init__(self, message: str, *, result: str = "invalid") -> None:
        super().__init__(message)
        #: One word for the reason, such as ``document-altered``.
        self.result = result
