"""How long credentials are used, and when the service is asked again: no I/O and no clock.

AWS renews a role's credentials at least five minutes before they expire (EC2 User Guide, "Retrieve
security credentials from instance metadata"). They are fetched again within these five minutes. If
that fails, the last ones stay in use, past their expiration too: AWS accepts them longer while the
service has an outage. This is the static stability of the AWS SDKs.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._documents import Credentials
from ._errors import Disabled, Forbidden, ImdsError, NotFound

#: Fresh credentials are fetched again from two to four minutes before they expire.
_EARLY = (120.0, 240.0)
#: Pause after a failure while the last credentials are still valid.
_RETRY_VALID = (30.0, 60.0)
#: Pause after a failure, or after an answer that has expired already, once they are not.
_RETRY_EXPIRED = (300.0, 600.0)


@dataclass(frozen=True)
class Held:
    """Credentials in use."""

    credentials: Credentials
    #: Time of the next fetch, in seconds since 1970.
    due: float

    @property
    def expires(self) -> float:
        """When the credentials expire by their own word."""
        return self.credentials.expiration.timestamp()

    def has_expired(self, now: float) -> bool:
        """Return whether the credentials have expired by their own word."""
        return self.expires <= now


def fetched(credentials: Credentials, now: float, random: float) -> Held:
    """Return the credentials that the service answered with; ``random`` is from 0 to 1."""
    left = credentials.expiration.timestamp() - now
    if left > 0:
        return Held(credentials, now + left - min(_between(_EARLY, random), left / 2))
    return Held(credentials, now + _between(_RETRY_EXPIRED, random))


def kept(held: Held, error: ImdsError, now: float, random: float) -> Held | None:
    """Return the credentials after a failure, or ``None`` if they must not be used any longer:
    they have expired, and the service says that there are none."""
    if not held.has_expired(now):
        return Held(held.credentials, now + _between(_RETRY_VALID, random))
    if isinstance(error, (NotFound, Forbidden, Disabled)):
        return None
    return Held(held.credentials, now + _between(_RETRY_EXPIRED, random))


def _between(bounds: tuple[float, float], random: float) -> float:
    least, most = bounds
    return least + (most - least) * random
