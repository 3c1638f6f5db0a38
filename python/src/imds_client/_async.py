"""The client for tasks on asyncio. One thread of the library does the I/O of all tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

from . import _documents as documents
from . import _native
from ._client import absent
from ._errors import NotFound
from ._options import MISSING, Base, Missing, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._options import Seconds

_T = TypeVar("_T")
_Target = tuple[Callable[..., object], Callable[[Any, "BaseException | None"], None]]


def _started(start: Callable[[_Target], _native.Cancel]) -> asyncio.Future[Any]:
    """Return a future for what ``start`` begins and reports to its target."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def complete(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    future.add_done_callback(start((loop.call_soon_threadsafe, complete)))
    return future


class AsyncClient(Base):
    """:class:`Client` for tasks: the same options, and every property is awaited.

    .. code-block:: python

        imds = AsyncClient()
        region, tags = await asyncio.gather(imds.region, imds.tags)
    """

    def _read(self, name: str, argument: str | bytes | list[str] | None = None) -> Awaitable[Any]:
        return _started(lambda target: self._native.start(target, name, argument))

    async def get(self, path: str, default: _T | Missing = MISSING) -> str | _T:
        """Return the value at a path as text, or ``default`` if the path does not exist."""
        try:
            return await self._read("text", path)  # type: ignore[no-any-return]
        except NotFound:
            if isinstance(default, Missing):
                raise
            return default

    async def get_bytes(self, path: str, default: _T | Missing = MISSING) -> bytes | _T:
        """Return the value at a path byte for byte, or ``default`` if it does not exist."""
        try:
            return await self._read("bytes", path)  # type: ignore[no-any-return]
        except NotFound:
            if isinstance(default, Missing):
                raise
            return default

    async def get_many(
        self, paths: Iterable[str], default: _T | Missing = MISSING
    ) -> dict[str, str | _T]:
        """Return the values at several paths by path, all within one timeout."""
        paths = list(paths)
        values: dict[str, str | _T] = {}
        for path, value in zip(paths, await self._read("texts", paths)):
            if value is not None:
                values[path] = value
            elif isinstance(default, Missing):
                raise absent(path)
            else:
                values[path] = default
        return values

    async def list_directory(self, path: str = "/latest/meta-data/") -> list[documents.Entry]:
        """Return what a directory lists."""
        return [documents.Entry(*entry) for entry in await self._read("list", path)]

    async def walk(self, path: str = "/latest/meta-data/") -> AsyncIterator[documents.Leaf]:
        """Iterate over every value below a path, each as soon as it is there."""
        leaves = _native.AsyncLeaves(self._native, path)
        while True:
            found = await _started(leaves.start)
            if found is None:
                return
            yield documents.Leaf(*found)

    async def watch(self, *subjects: str, interval: Seconds = 5.0) -> AsyncIterator[documents.Change]:
        """Iterate over changes of events or paths: see :meth:`Client.watch`."""
        watcher = _native.Watcher(list(subjects), seconds(interval) or 0.0)
        while True:
            lines, pause = await _started(lambda target: watcher.start(target, self._native))
            for line in lines:
                yield documents.change(line)
            await asyncio.sleep(pause)

    async def _optional(self, path: str) -> str | None:
        return await self.get(path, None)

    @property
    def region(self) -> Awaitable[str]:
        """AWS Region, such as ``us-east-1``."""
        return self.get("placement/region")

    @property
    def availability_zone(self) -> Awaitable[str]:
        """Availability Zone, such as ``us-east-1a``."""
        return self.get("placement/availability-zone")

    @property
    def availability_zone_id(self) -> Awaitable[str]:
        """Id of the Availability Zone, the same in every account."""
        return self.get("placement/availability-zone-id")

    @property
    def account_id(self) -> Awaitable[str | None]:
        """Account that launched the instance: twelve digits; ``None`` on a Snowball."""
        return self._account_id()

    async def _account_id(self) -> str | None:
        return (await self.identity_document).account_id

    @property
    def partition(self) -> Awaitable[str]:
        """Partition, such as ``aws``."""
        return self.get("services/partition")

    @property
    def instance_id(self) -> Awaitable[str]:
        """Id of the instance."""
        return self.get("instance-id")

    @property
    def instance_type(self) -> Awaitable[str]:
        """Type of the instance, such as ``m5.large``."""
        return self.get("instance-type")

    @property
    def instance_life_cycle(self) -> Awaitable[str]:
        """``on-demand``, ``spot``, ``scheduled`` or ``capacity-block``."""
        return self.get("instance-life-cycle")

    @property
    def ami_id(self) -> Awaitable[str]:
        """Image that the instance was launched from."""
        return self.get("ami-id")

    @property
    def mac(self) -> Awaitable[str]:
        """MAC address of the primary interface."""
        return self.get("mac")

    @property
    def local_hostname(self) -> Awaitable[str]:
        """Private DNS name."""
        return self.get("local-hostname")

    @property
    def local_ipv4(self) -> Awaitable[str | None]:
        """Private IPv4 address, or ``None`` if the instance has none."""
        return self._optional("local-ipv4")

    @property
    def public_hostname(self) -> Awaitable[str | None]:
        """Public DNS name, or ``None`` if the instance has none."""
        return self._optional("public-hostname")

    @property
    def public_ipv4(self) -> Awaitable[str | None]:
        """Public IPv4 address, or ``None`` if the instance has none."""
        return self._optional("public-ipv4")

    @property
    def security_groups(self) -> Awaitable[list[str]]:
        """Names of the security groups; none if the service names none."""
        return self._security_groups()

    async def _security_groups(self) -> list[str]:
        return (await self._optional("security-groups") or "").splitlines()

    @property
    def target_lifecycle_state(self) -> Awaitable[str | None]:
        """Target lifecycle state of the Auto Scaling group, or ``None`` outside of one."""
        return self._optional("autoscaling/target-lifecycle-state")

    @property
    def tags(self) -> Awaitable[dict[str, str]]:
        """The instance's tags: none if the metadata options do not allow them."""
        return self._read("tags")

    @property
    def block_devices(self) -> Awaitable[dict[str, str]]:
        """The mapped block devices by their virtual names."""
        return self._read("block-devices")

    async def _converted(
        self, convert: Callable[[Any], _T], name: str, argument: str | bytes | None = None
    ) -> _T:
        return convert(await self._read(name, argument))

    async def _document(self, kind: type[_T], name: str) -> _T:
        return documents.document(kind, await self._read(name))

    async def _optional_document(self, kind: type[_T], name: str, argument: str | None = None) -> _T | None:
        return documents.optional(kind, await self._read(name, argument))

    async def _documents(self, kind: type[_T], name: str) -> list[_T]:
        return [documents.document(kind, members) for members in await self._read(name)]

    @property
    def interfaces(self) -> Awaitable[list[documents.Interface]]:
        """The attached network interfaces, sorted by their device numbers."""
        return self._converted(lambda found: [documents.interface(one) for one in found], "interfaces")

    @property
    def public_keys(self) -> Awaitable[list[documents.PublicKey]]:
        """The launch keys."""
        return self._documents(documents.PublicKey, "public-keys")

    @property
    def identity_document(self) -> Awaitable[documents.IdentityDocument]:
        """The instance identity document."""
        return self._document(documents.IdentityDocument, "identity-document")

    async def verified_identity(self, certificate: bytes | None = None) -> documents.VerifiedIdentity:
        """Return the verified identity document: see :meth:`Client.verified_identity`."""
        return await self._converted(documents.verified, "identity", certificate)

    @property
    def iam_info(self) -> Awaitable[documents.IamInfo | None]:
        """Which instance profile is attached, or ``None`` if none is."""
        return self._optional_document(documents.IamInfo, "iam-info")

    @property
    def role_name(self) -> Awaitable[str | None]:
        """Name of the instance's role, or ``None`` if there is none."""
        return self._read("role-name")

    async def credentials(self, role: str | None = None) -> documents.Credentials | None:
        """Return temporary credentials: see :meth:`Client.credentials`."""
        return await self._optional_document(documents.Credentials, "credentials", role)

    @property
    def spot_instance_action(self) -> Awaitable[documents.SpotInstanceAction | None]:
        """The pending interruption of a Spot Instance, or ``None`` while there is none."""
        return self._optional_document(documents.SpotInstanceAction, "spot-instance-action")

    @property
    def rebalance_recommendation(self) -> Awaitable[documents.RebalanceRecommendation | None]:
        """The rebalance recommendation, or ``None`` while there is none."""
        return self._optional_document(documents.RebalanceRecommendation, "rebalance-recommendation")

    @property
    def scheduled_maintenance(self) -> Awaitable[list[documents.MaintenanceEvent]]:
        """The maintenance events that are scheduled."""
        return self._documents(documents.MaintenanceEvent, "scheduled-maintenance")

    @property
    def maintenance_history(self) -> Awaitable[list[documents.MaintenanceEvent]]:
        """The maintenance events that are over."""
        return self._documents(documents.MaintenanceEvent, "maintenance-history")

    async def user_data(self, decode: bool = False) -> bytes | None:
        """Return the user data, or ``None``: see :meth:`Client.user_data`."""
        data: bytes | None = await self._read("user-data")
        if data is None or not decode:
            return data
        from ._decode import unwrapped

        return unwrapped(data)
