"""The options of both clients."""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta
    from os import PathLike
    from typing import Any, Union

    Seconds = Union[float, timedelta]
    Store = Union[bool, str, PathLike[str], None]


class Missing:
    """Stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def seconds(value: Seconds | None) -> float | None:
    """Return a number of seconds or a timedelta as a number of seconds."""
    if value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    return value.total_seconds()


class Base:
    """What both clients have in common: their options, which survive pickling."""

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        mode: str | None = None,
        profile: str | None = None,
        timeout: Seconds | None = None,
        connect_timeout: Seconds | None = None,
        read_timeout: Seconds | None = None,
        attempts: int | None = None,
        token_ttl: Seconds | None = None,
        body_limit: int | None = None,
        store: Store = None,
        imds_v1: bool = False,
    ) -> None:
        if store is not None and not isinstance(store, bool):
            import os

            store = os.fspath(store)
        self._options: dict[str, Any] = {
            "endpoint": endpoint,
            "mode": mode,
            "profile": profile,
            "timeout": seconds(timeout),
            "connect_timeout": seconds(connect_timeout),
            "read_timeout": seconds(read_timeout),
            "attempts": attempts,
            "token_ttl": seconds(token_ttl),
            "body_limit": body_limit,
            "store": store,
            "imds_v1": imds_v1,
        }
        self._native = _native.Client(self._options)
        self._native.check()

    @property
    def endpoint(self) -> str:
        """The endpoint that is asked; the environment may have named it."""
        return self._native.endpoint()

    def forget_token(self) -> bool:
        """Forget the session token, here and in the store; return whether the store had one."""
        return self._native.forget_token()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    def __getstate__(self) -> dict[str, Any]:
        return self._options

    def __setstate__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._native = _native.Client(options)
