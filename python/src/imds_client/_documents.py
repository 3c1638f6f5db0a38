"""The service's documents as dataclasses. Times are aware datetimes in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_D = TypeVar("_D")


@dataclass(frozen=True)
class IdentityDocument:
    """The instance identity document. A Snowball Edge fills few of its members."""

    account_id: str | None = None
    architecture: str | None = None
    availability_zone: str | None = None
    billing_products: list[str] | None = None
    devpay_product_codes: list[str] | None = None
    marketplace_product_codes: list[str] | None = None
    image_id: str | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    kernel_id: str | None = None
    pending_time: datetime | None = None
    private_ip: str | None = None
    ramdisk_id: str | None = None
    region: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class VerifiedIdentity:
    """An instance identity document whose signature is good."""

    document: IdentityDocument
    #: The document byte for byte, as it was signed.
    signed_bytes: bytes
    #: Which signature was verified.
    signature: str
    region: str
    #: When it was signed, if the signature says so.
    signing_time: str | None
    certificate_fingerprint: str


@dataclass(frozen=True)
class IamInfo:
    """Which instance profile is attached."""

    code: str
    last_updated: datetime
    instance_profile_arn: str | None = None
    instance_profile_id: str | None = None


@dataclass(frozen=True)
class IdentityCredentialsInfo:
    """What the credentials of the instance's own identity role are for."""

    code: str
    last_updated: datetime
    account_id: str | None = None


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a role. ``repr`` shows none of them."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    #: The credentials' session token, which has nothing to do with the service's own.
    token: str = field(repr=False)
    expiration: datetime
    last_updated: datetime | None = None
    account_id: str | None = None
    #: Name of the role, if it was looked up.
    role: str | None = None


@dataclass(frozen=True)
class SpotInstanceAction:
    """An interruption notice of a Spot Instance."""

    #: ``hibernate``, ``stop`` or ``terminate``.
    action: str
    time: datetime

    @property
    def seconds_left(self) -> float:
        """Seconds until the action, by the machine's clock; below zero if it has passed."""
        return (self.time - datetime.now(timezone.utc)).total_seconds()


@dataclass(frozen=True)
class RebalanceRecommendation:
    """A rebalance recommendation."""

    notice_time: datetime


@dataclass(frozen=True)
class MaintenanceEvent:
    """A maintenance event."""

    #: Kind, such as ``system-reboot``.
    code: str
    description: str
    #: ``active``, ``completed`` or ``canceled``.
    state: str
    not_before: datetime
    not_after: datetime | None = None
    not_before_deadline: datetime | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class PublicKey:
    """A launch key of the instance."""

    index: str
    name: str
    openssh_key: str


@dataclass(frozen=True)
class Interface:
    """An attached network interface. What the service does not say is ``None`` or empty."""

    mac: str
    device_number: int | None = None
    network_card: int | None = None
    interface_id: str | None = None
    owner_id: str | None = None
    local_hostname: str | None = None
    local_ipv4s: list[str] = field(default_factory=list)
    ipv6s: list[str] = field(default_factory=list)
    ipv4_prefixes: list[str] = field(default_factory=list)
    ipv6_prefixes: list[str] = field(default_factory=list)
    public_hostname: str | None = None
    public_ipv4s: list[str] = field(default_factory=list)
    #: Public IPv4 addresses, each with the private ones behind it.
    ipv4_associations: dict[str, list[str]] = field(default_factory=dict)
    security_groups: list[str] = field(default_factory=list)
    security_group_ids: list[str] = field(default_factory=list)
    subnet_id: str | None = None
    subnet_ipv4_cidr_block: str | None = None
    subnet_ipv6_cidr_blocks: list[str] = field(default_factory=list)
    vpc_id: str | None = None
    vpc_ipv4_cidr_blocks: list[str] = field(default_factory=list)
    vpc_ipv6_cidr_blocks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """An entry of a directory."""

    #: The name as it is listed, without a ``/`` at its end.
    name: str
    path: str
    is_directory: bool
    #: Whether the entry is a secret, which ``walk`` and ``list`` never read as a directory.
    is_secret: bool


@dataclass(frozen=True)
class Leaf:
    """A value with its path."""

    path: str
    #: The value, byte for byte. ``repr`` leaves it out: it may be a secret.
    value: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The value as text."""
        return self.value.decode()


@dataclass(frozen=True)
class Change:
    """A change of something that is watched."""

    #: The event's name, such as ``spot-interruption``; ``service`` if the service itself changed.
    event: str
    #: ``appeared``, ``changed``, ``removed``, ``unreachable`` or ``recovered``.
    change: str
    time: datetime
    path: str | None = None
    #: The value before, parsed if it is a JSON object or array; ``None`` if there was none.
    old: Any = None
    #: The value now; ``None`` if there is none.
    new: Any = None
    #: How long what was before had been seen, in seconds.
    age_seconds: float | None = None
    #: Seconds until what a notice announces, when it was seen; ``None`` if it names no time.
    seconds_left: int | None = None
    #: Why the service cannot be read.
    reason: str | None = None


_TIMES = frozenset(
    (
        "pending_time",
        "last_updated",
        "expiration",
        "time",
        "notice_time",
        "not_before",
        "not_after",
        "not_before_deadline",
    )
)


def datetime_of(seconds: float) -> datetime:
    """Return seconds since 1970 as a datetime in UTC."""
    return _EPOCH + timedelta(seconds=seconds)


def document(kind: type[_D], members: dict[str, Any]) -> _D:
    """Return the members of a document as this dataclass."""
    values = {
        name: datetime_of(value) if name in _TIMES and value is not None else value
        for name, value in members.items()
    }
    return kind(**values)


def optional(kind: type[_D], members: dict[str, Any] | None) -> _D | None:
    """Return the same, or ``None`` if there is no document."""
    return None if members is None else document(kind, members)


def interface(members: dict[str, Any]) -> Interface:
    """Return an interface."""
    return Interface(**{**members, "ipv4_associations": dict(members["ipv4_associations"])})


def verified(members: dict[str, Any]) -> VerifiedIdentity:
    """Return a verified identity document."""
    return VerifiedIdentity(**{**members, "document": document(IdentityDocument, members["document"])})


def change(line: str) -> Change:
    """Return the change that a line of JSON tells."""
    import json

    members = json.loads(line)
    text = members.pop("time").replace("Z", "+00:00")
    known = {one.name for one in fields(Change)}
    return Change(
        time=datetime.fromisoformat(text), **{name: value for name, value in members.items() if name in known}
    )
