"""The client for threads, and the functions that use the environment's."""

from __future__ import annotations

from . import _native
from ._errors import NotFound
from ._options import MISSING, Base, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeVar

    from . import _documents as documents
    from ._options import Seconds

    _T = TypeVar("_T")


def absent(path: str) -> NotFound:
    """Return the exception for a path of several that does not exist."""
    return NotFound(f"`{path}` does not exist", path=path, status=404, attempts=1)


class Client(Base):
    """Asks the instance metadata service, and blocks until it has answered.

    Threads share one client: its session token, its connections and its rate limit. Processes of
    one user, the command ``imds`` among them, share the session token through the token store.
    A forked child builds its own.

    :param endpoint: ``http://HOST[:PORT][/PREFIX]``; the environment's or the profile's by default.
    :param mode: ``IPv4``, ``IPv6``, or ``auto`` to use the one that answers first.
    :param profile: profile of the AWS config file, instead of ``AWS_PROFILE``.
    :param timeout: seconds for one call in all, retries included; 10 by default.
    :param connect_timeout: seconds for one connect; 1 by default.
    :param read_timeout: seconds for one wait for bytes; 1 by default.
    :param attempts: how often one request is sent at most; 3 by default.
    :param token_ttl: TTL that session tokens are asked for with, in seconds; 21,600 by default.
    :param body_limit: largest value in bytes that is accepted; 1 MiB by default.
    :param store: directory of the token store; ``False`` keeps the token in this client only. The
        user's store by default.
    :param imds_v1: send requests without a session token, as older Snowball devices need.
    """

    def _read(self, name: str, argument: str | bytes | list[str] | None = None) -> Any:
        return self._native.read(name, argument)

    def get(self, path: str, default: _T | Missing = MISSING) -> str | _T:
        """Return the value at a path as text, or ``default`` if the path does not exist."""
        try:
            return self._native.read("text", path)  # type: ignore[no-any-return]
        except NotFound:
            if isinstance(default, Missing):
                raise
            return default

    def get_bytes(self, path: str, default: _T | Missing = MISSING) -> bytes | _T:
        """Return the value at a path byte for byte, or ``default`` if it does not exist."""
        try:
            return self._native.read("bytes", path)  # type: ignore[no-any-return]
        except NotFound:
            if isinstance(default, Missing):
                raise
            return default

    def get_many(self, paths: Iterable[str], default: _T | Missing = MISSING) -> dict[str, str | _T]:
        """Return the values at several paths by path, all within one timeout."""
        paths = list(paths)
        values: dict[str, str | _T] = {}
        for path, value in zip(paths, self._read("texts", paths)):
            if value is not None:
                values[path] = value
            elif isinstance(default, Missing):
                raise absent(path)
            else:
                values[path] = default
        return values

    def _optional(self, path: str) -> str | None:
        return self.get(path, None)

    def list_directory(self, path: str = "/latest/meta-data/") -> list[documents.Entry]:
        """Return what a directory lists."""
        from ._documents import Entry

        return [Entry(*entry) for entry in self._read("list", path)]

    def walk(self, path: str = "/latest/meta-data/") -> Iterator[documents.Leaf]:
        """Iterate over every value below a path, each as soon as it is there."""
        from ._walk import Walk

        return Walk(_native.Leaves(self._native, path))

    def watch(self, *subjects: str, interval: Seconds = 5.0) -> Iterator[documents.Change]:
        """Iterate over changes of events (``spot-interruption``, ``rebalance``, ``lifecycle``,
        ``maintenance``, ``tags``, ``network``, ``credentials``, ``user-data``) or paths.

        What is there at the first poll has appeared. An outage is a change to ``unreachable``, and
        never a removal.

        :param interval: seconds between polls; longer while the service fails.
        """
        from ._watch import watch

        return watch(self._native, subjects, interval)

    @property
    def region(self) -> str:
        """AWS Region, such as ``us-east-1``."""
        return self.get("placement/region")

    @property
    def availability_zone(self) -> str:
        """Availability Zone, such as ``us-east-1a``."""
        return self.get("placement/availability-zone")

    @property
    def availability_zone_id(self) -> str:
        """Id of the Availability Zone, the same in every account."""
        return self.get("placement/availability-zone-id")

    @property
    def account_id(self) -> str | None:
        """Account that launched the instance: twelve digits; ``None`` on a Snowball."""
        return self.identity_document.account_id

    @property
    def partition(self) -> str:
        """Partition, such as ``aws``."""
        return self.get("services/partition")

    @property
    def instance_id(self) -> str:
        """Id of the instance."""
        return self.get("instance-id")

    @property
    def instance_type(self) -> str:
        """Type of the instance, such as ``m5.large``."""
        return self.get("instance-type")

    @property
    def instance_life_cycle(self) -> str:
        """``on-demand``, ``spot``, ``scheduled`` or ``capacity-block``."""
        return self.get("instance-life-cycle")

    @property
    def ami_id(self) -> str:
        """Image that the instance was launched from."""
        return self.get("ami-id")

    @property
    def mac(self) -> str:
        """MAC address of the primary interface."""
        return self.get("mac")

    @property
    def local_hostname(self) -> str:
        """Private DNS name."""
        return self.get("local-hostname")

    @property
    def local_ipv4(self) -> str | None:
        """Private IPv4 address, or ``None`` if the instance has none."""
        return self._optional("local-ipv4")

    @property
    def public_hostname(self) -> str | None:
        """Public DNS name, or ``None`` if the instance has none."""
        return self._optional("public-hostname")

    @property
    def public_ipv4(self) -> str | None:
        """Public IPv4 address, or ``None`` if the instance has none."""
        return self._optional("public-ipv4")

    @property
    def security_groups(self) -> list[str]:
        """Names of the security groups; none if the service names none."""
        return (self._optional("security-groups") or "").splitlines()

    @property
    def target_lifecycle_state(self) -> str | None:
        """Target lifecycle state of the Auto Scaling group, or ``None`` outside of one."""
        return self._optional("autoscaling/target-lifecycle-state")

    @property
    def tags(self) -> dict[str, str]:
        """The instance's tags: none if the metadata options do not allow them."""
        return self._read("tags")  # type: ignore[no-any-return]

    @property
    def block_devices(self) -> dict[str, str]:
        """The mapped block devices by their virtual names."""
        return self._read("block-devices")  # type: ignore[no-any-return]

    @property
    def interfaces(self) -> list[documents.Interface]:
        """The attached network interfaces, sorted by their device numbers."""
        from ._documents import interface

        return [interface(members) for members in self._read("interfaces")]

    @property
    def public_keys(self) -> list[documents.PublicKey]:
        """The launch keys."""
        from ._documents import PublicKey

        return [PublicKey(**members) for members in self._read("public-keys")]

    @property
    def identity_document(self) -> documents.IdentityDocument:
        """The instance identity document."""
        from ._documents import IdentityDocument, document

        return document(IdentityDocument, self._read("identity-document"))

    def verified_identity(self, certificate: bytes | None = None) -> documents.VerifiedIdentity:
        """Return the instance identity document, verified by its ``rsa2048`` signature.

        :param certificate: certificate in PEM or DER to verify with, instead of AWS's for the
            Region; what an emulator signed is verified with its own.
        :raises VerificationError: the document is not to be believed.
        """
        from ._documents import verified

        return verified(self._read("identity", certificate))

    @property
    def iam_info(self) -> documents.IamInfo | None:
        """Which instance profile is attached, or ``None`` if none is."""
        from ._documents import IamInfo, optional

        return optional(IamInfo, self._read("iam-info"))

    @property
    def role_name(self) -> str | None:
        """Name of the instance's role, or ``None`` if there is none."""
        return self._read("role-name")  # type: ignore[no-any-return]

    def credentials(self, role: str | None = None) -> documents.Credentials | None:
        """Return temporary credentials: of the instance's role, ``None`` if there is none, or of
        the role named."""
        from ._documents import Credentials, optional

        return optional(Credentials, self._read("credentials", role))

    @property
    def spot_instance_action(self) -> documents.SpotInstanceAction | None:
        """The pending interruption of a Spot Instance, or ``None`` while there is none."""
        from ._documents import SpotInstanceAction, optional

        return optional(SpotInstanceAction, self._read("spot-instance-action"))

    @property
    def rebalance_recommendation(self) -> documents.RebalanceRecommendation | None:
        """The rebalance recommendation, or ``None`` while there is none."""
        from ._documents import RebalanceRecommendation, optional

        return optional(RebalanceRecommendation, self._read("rebalance-recommendation"))

    @property
    def scheduled_maintenance(self) -> list[documents.MaintenanceEvent]:
        """The maintenance events that are scheduled."""
        from ._documents import MaintenanceEvent, document

        return [document(MaintenanceEvent, members) for members in self._read("scheduled-maintenance")]

    @property
    def maintenance_history(self) -> list[documents.MaintenanceEvent]:
        """The maintenance events that are over."""
        from ._documents import MaintenanceEvent, document

        return [document(MaintenanceEvent, members) for members in self._read("maintenance-history")]

    def user_data(self, decode: bool = False) -> bytes | None:
        """Return the user data, or ``None`` if the instance was launched without any.

        :param decode: undo gzip and base64, in any order.
        """
        data: bytes | None = self._read("user-data")
        if data is None or not decode:
            return data
        from ._decode import unwrapped

        return unwrapped(data)


#: Clients by what they depend on. Never locked, so that a fork finds no lock held.
_clients: dict[int, Client] = {}


def default_client() -> Client:
    """Return the client that the environment describes, the same until the environment changes."""
    key = _native.environment_key()
    client = _clients.get(key)
    if client is None:
        if len(_clients) > 8:
            _clients.clear()
        client = _clients.setdefault(key, Client())
    return client


def get(path: str, default: _T | Missing = MISSING) -> str | _T:
    """Return the value at a path as text, or ``default`` if the path does not exist."""
    return default_client().get(path, default)


def get_bytes(path: str, default: _T | Missing = MISSING) -> bytes | _T:
    """Return the value at a path byte for byte, or ``default`` if it does not exist."""
    return default_client().get_bytes(path, default)


def get_many(paths: Iterable[str], default: _T | Missing = MISSING) -> dict[str, str | _T]:
    """Return the values at several paths by path, all within one timeout."""
    return default_client().get_many(paths, default)


def walk(path: str = "/latest/meta-data/") -> Iterator[documents.Leaf]:
    """Iterate over every value below a path, each as soon as it is there."""
    return default_client().walk(path)


def watch(*subjects: str, interval: Seconds = 5.0) -> Iterator[documents.Change]:
    """Iterate over changes of events or paths: see :meth:`Client.watch`."""
    return default_client().watch(*subjects, interval=interval)


def interfaces() -> list[documents.Interface]:
    """Return the attached network interfaces, sorted by their device numbers."""
    return default_client().interfaces


def user_data(decode: bool = False) -> bytes | None:
    """Return the user data, or ``None``: see :meth:`Client.user_data`."""
    return default_client().user_data(decode)


def verified_identity(certificate: bytes | None = None) -> documents.VerifiedIdentity:
    """Return the verified instance identity document: see :meth:`Client.verified_identity`."""
    return default_client().verified_identity(certificate)
