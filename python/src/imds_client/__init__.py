"""Client for the EC2 instance metadata service (IMDSv2) that shares its session token.

>>> import imds_client
>>> imds_client.get("placement/region")  # doctest: +SKIP
'us-east-1'
"""

from __future__ import annotations

import atexit as _atexit
import os as _os

from . import _native
from ._client import (
    Client,
    default_client,
    get,
    get_bytes,
    get_many,
    interfaces,
    user_data,
    verified_identity,
    walk,
    watch,
)
from ._errors import (
    Busy,
    ConfigError,
    Disabled,
    Forbidden,
    ImdsError,
    LocalError,
    NotFound,
    PathError,
    ProtocolError,
    Refused,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
    UsageError,
    VerificationError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._async import AsyncClient
    from ._documents import (
        Change,
        Credentials,
        Entry,
        IamInfo,
        IdentityCredentialsInfo,
        IdentityDocument,
        Interface,
        Leaf,
        MaintenanceEvent,
        PublicKey,
        RebalanceRecommendation,
        SpotInstanceAction,
        VerifiedIdentity,
    )

    #: Version of the package.
    __version__: str

__all__ = [
    "AsyncClient",
    "Busy",
    "Change",
    "Client",
    "ConfigError",
    "Credentials",
    "Disabled",
    "Entry",
    "Forbidden",
    "IamInfo",
    "IdentityCredentialsInfo",
    "IdentityDocument",
    "ImdsError",
    "Interface",
    "Leaf",
    "LocalError",
    "MaintenanceEvent",
    "NotFound",
    "PathError",
    "ProtocolError",
    "PublicKey",
    "RebalanceRecommendation",
    "Refused",
    "ServerError",
    "SpotInstanceAction",
    "Throttled",
    "Unauthorized",
    "Unreachable",
    "UsageError",
    "VerificationError",
    "VerifiedIdentity",
    "default_client",
    "get",
    "get_bytes",
    "get_many",
    "interfaces",
    "user_data",
    "verified_identity",
    "walk",
    "watch",
]

if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=_native.after_fork)
_atexit.register(_native.begin_exit)


def __getattr__(name: str) -> object:
    # `dataclasses` and `asyncio` take longer to import than the rest: only for those who use them.
    if name == "AsyncClient":
        from . import _async

        return _async.AsyncClient
    if name in __all__:
        from . import _documents

        return getattr(_documents, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("imds-client")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
