"""The instance metadata service in this process, for tests."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Union

from . import _native
from ._documents import datetime_of
from ._options import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._options import Seconds

#: Other names of events: those that :meth:`Client.watch` and the AWS documentation use.
_EVENTS = {
    "spot-interruption": "interrupt",
    "interruption": "interrupt",
    "rebalance-recommendation": "rebalance",
    "lifecycle": "target-lifecycle-state",
    "maintenance": "schedule-maintenance",
}
#: Parameters that are durations; a number counts seconds.
_DURATIONS = frozenset(("after", "notice", "pending", "for"))

Value = Union[str, bytes]


@dataclass(frozen=True)
class Request:
    """A request that the emulator answered."""

    number: int
    #: When it was answered, by the emulator's clock.
    time: datetime
    #: The connection that it came on, 1 first.
    connection: int
    #: Address and port of the client.
    client: str | None
    #: What the client calls itself (``User-Agent``).
    user_agent: str | None
    method: str
    #: Path, without query.
    path: str
    #: ``v1`` or ``v2`` for a data request, ``None`` for one of a session token.
    version: str | None
    #: Status of the answer; 0 if a fault left it without one.
    status: int
    #: Whether it carried ``X-Forwarded-For``.
    forwarded_for: bool
    #: The fault that met it.
    fault: str | None


def _duration(value: Seconds) -> str:
    return f"{round((seconds(value) or 0.0) * 1000)}ms"


def _parameter(name: str, value: Any) -> tuple[str, Any]:
    name = {"lasting": "for"}.get(name, name.rstrip("_").replace("_", "-"))
    if isinstance(value, timedelta) or (name in _DURATIONS and isinstance(value, (int, float))):
        return name, _duration(value)
    if isinstance(value, datetime):
        return name, value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return name, "enabled" if value else "disabled"
    if isinstance(value, bytes):
        return "base64", base64.b64encode(value).decode()
    return name, value


class Emulator:
    """A running emulator; a context manager that stops it.

    :param preset: ``default``, ``spot``, ``asg``, ``multi-interface``, ``ipv6-only``, ``no-role`` or
        ``snowball``.
    :param instance: file that describes the instance (TOML or JSON), instead of a preset.
    :param tokens: ``required`` or ``optional``; the preset's by default, ``required`` but for
        ``snowball``.
    :param enabled: whether the service answers at all; every request is refused with 403 if not.
    :param tags: whether instance tags are shown.
    :param ipv6: whether IPv6 listeners answer.
    :param hop_limit: hop limit of the answer to a token request, 1 to 64.
    :param scenario: TOML file of a scenario, or its steps: mappings with ``after``, ``event`` and
        the event's parameters.
    :param clock: ``real``, ``stepped``, a factor such as ``x60``, or a datetime at which a stepped
        clock starts.
    :param seed: random seed for rates of faults.
    :param values: values by path, above what the instance has there; ``None`` removes a path.
    :param listen: addresses to listen on; a free port of 127.0.0.1 by default.
    :param link_local: listen on 169.254.169.254 and fd00:ec2::254 in a network namespace that the
        calling thread, the threads that it starts and its children are in until :meth:`stop`. For
        clients that know no other address. Needs Linux and root.
    """

    def __init__(
        self,
        *,
        preset: str | None = None,
        instance: str | os.PathLike[str] | None = None,
        tokens: str | None = None,
        enabled: bool | None = None,
        tags: bool | None = None,
        ipv6: bool | None = None,
        hop_limit: int | None = None,
        scenario: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None = None,
        clock: str | datetime | None = None,
        seed: int | None = None,
        values: Mapping[str, Value | None] | None = None,
        listen: Iterable[str] = (),
        link_local: bool = False,
    ) -> None:
        steps: list[Mapping[str, Any]] = []
        scenario_text = None
        if isinstance(scenario, (str, os.PathLike)):
            with open(scenario, encoding="utf-8") as file:
                scenario_text = file.read()
        elif scenario is not None:
            steps = list(scenario)
        values = values or {}
        start = clock.timestamp() if isinstance(clock, datetime) else None

        def switch(value: bool | None) -> str | None:
            return None if value is None else ("enabled" if value else "disabled")

        #: Whether the emulator owns the service's own addresses.
        self.link_local = link_local
        self._namespace = None
        if link_local:
            from . import _namespace

            self._namespace = _namespace.Namespace()
            listen = (f"{_namespace.IPV4}:80",)
            if _namespace.has_ipv6():
                listen += (f"[{_namespace.IPV6}]:80",)
        try:
            self._native = _native.Emulator(
                {
                    "preset": preset,
                    "instance": None if instance is None else os.fspath(instance),
                    "tokens": tokens,
                    "endpoint": switch(enabled),
                    "tags": switch(tags),
                    "ipv6": switch(ipv6),
                    "hop_limit": hop_limit,
                    "scenario": scenario_text,
                    "clock": clock if isinstance(clock, str) else None,
                    "start": start,
                    "seed": seed,
                    "values": [(path, _bytes(value)) for path, value in values.items() if value is not None],
                    "absent": [path for path, value in values.items() if value is None],
                    "listen": list(listen),
                }
            )
            for step in steps:
                self.event(**step)
        except BaseException:
            self._leave()
            raise

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Emulator(endpoint={self.endpoint!r})"

    def stop(self) -> None:
        """Stop the emulator, if it has not stopped yet."""
        if hasattr(self, "_native"):
            self._native.stop()
        self._leave()

    def _leave(self) -> None:
        namespace, self._namespace = self._namespace, None
        if namespace is not None:
            namespace.leave()

    @property
    def endpoint(self) -> str:
        """``http://ADDRESS:PORT``, as ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` wants it."""
        return self._native.endpoint

    @property
    def now(self) -> datetime:
        """The time of the emulator's clock."""
        return datetime_of(self._native.now())

    @property
    def requests(self) -> list[Request]:
        """The requests that were answered, oldest first: the newest 4,096 of them."""
        return [
            Request(**{**recorded, "time": datetime_of(recorded["time"])})
            for recorded in self._native.requests(0)
        ]

    @property
    def counters(self) -> dict[str, int]:
        """Counts of all requests: ``connections``, ``requests``, ``token_puts``,
        ``tokens_issued``, ``gets``, ``v1``, ``v2``, ``forwarded_for``, ``faults``."""
        return dict(self._native.counters())

    def event(self, event: str, **parameters: Any) -> None:
        """Apply an event, now or ``after`` a time.

        ``spot-interruption`` (``action``, ``notice``), ``rebalance``, ``clear-spot``, ``lifecycle``
        (``state``), ``auto-scaling`` (``walk``, ``drain``, ``wait``, ...),
        ``complete-lifecycle-action``, ``maintenance`` (``code``, ``description``, ``not_before``,
        ...), ``tag`` (``key``, ``value``), ``untag``, ``user-data`` (``value``),
        ``rotate-credentials``, ``options`` (``tokens``, ``endpoint``, ``hop_limit``, ...), ``fault`` (``fault``, ``path``,
        ``rate``, ``count``, ``lasting``, ...), ``clear-faults``, ``terminate``, ``start``. Numbers
        and timedeltas are durations; an unknown parameter is refused with those that there are.
        """
        members = dict(_parameter(name, value) for name, value in parameters.items() if value is not None)
        self._native.event(json.dumps({"event": _EVENTS.get(event, event), **members}))

    def step(self, by: Seconds) -> None:
        """Move a stepped clock on, with everything that happens meanwhile."""
        self._native.step(seconds(by) or 0.0)

    def set(self, path: str, value: Value) -> None:
        """Serve this value at a path."""
        self._native.set(path, _bytes(value))

    def unset(self, path: str) -> None:
        """Serve nothing at a path."""
        self._native.set(path, None)

    def forget_requests(self) -> None:
        """Forget the recorded requests and set the counts back."""
        self._native.forget_requests()

    def values(self) -> dict[str, bytes]:
        """Return every value by its path."""
        return dict(self._native.leaves())

    def certificate(self, signature: str = "rsa2048") -> bytes:
        """Return the certificate, as PEM, that verifies this emulator's identity document."""
        pem = self._native.certificate(signature)
        if pem is None:
            raise ValueError(f"`{signature}` is not a signature; `rsa2048`, `signature` or `pkcs7`")
        return pem.encode()

    def assert_that(self, assertion: str) -> None:
        """Fail unless an assertion about the requests holds: ``v1 == 0 and token-puts <= 1``."""
        failures = self._native.failures(assertion)
        if failures:
            raise AssertionError("; ".join(failures))

    def wait_until(self, assertion: str, timeout: Seconds = 10) -> None:
        """Wait until an assertion about the requests holds: ``token-puts == 1``.

        :param timeout: fail after this time, in seconds or as a timedelta.
        """
        failures = self._native.wait_until(assertion, seconds(timeout) or 0.0)
        if failures:
            raise AssertionError("; ".join(failures))

    def assert_imdsv2_only(self, *, at_least: int = 1) -> None:
        """Fail if a data request came without a session token, or fewer than ``at_least`` came with
        one."""
        counters = self.counters
        if counters["v1"]:
            paths = sorted({request.path for request in self.requests if request.version == "v1"})
            raise AssertionError(f"{counters['v1']} requests used IMDSv1: {', '.join(paths)}")
        if counters["v2"] < at_least:
            raise AssertionError(f"{counters['v2']} requests used IMDSv2; at least {at_least} expected")

    def environment(self, cache_directory: str | os.PathLike[str] | None = None) -> dict[str, str]:
        """Return the environment variables for clients of this emulator.

        :param cache_directory: where this package and the command ``imds`` keep session tokens.
        """
        variables = {"AWS_EC2_METADATA_DISABLED": "false"}
        if not self.link_local:
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.endpoint
        if cache_directory is not None:
            variables["IMDS_CACHE_DIR"] = os.fspath(cache_directory)
        host = "169.254.169.254" if self.link_local else "127.0.0.1"
        for name in ("NO_PROXY", "no_proxy"):
            known = os.environ.get(name, "")
            variables[name] = f"{known},{host}" if known else host
        return variables


def _bytes(value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else value
