"""Credentials and Region of the instance for boto3 and botocore."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import botocore.configprovider  # type: ignore[import-untyped]
import botocore.credentials  # type: ignore[import-untyped]
import botocore.exceptions  # type: ignore[import-untyped]

from . import _lifetime
from ._client import Client
from ._documents import Credentials
from ._errors import Disabled, ImdsError, NotFound, Unreachable

_METHOD = "imds-client"
_log = logging.getLogger(__name__)
_credentials: weakref.WeakSet[ImdsCredentials] = weakref.WeakSet()


def install(session: Any = None, *, client: Client | None = None, clock: Callable[[], float] = time.time) -> None:
    """Let a session take credentials and Region of the instance from this package.

    The provider takes the place of botocore's own (``iam-role``), which falls back to IMDSv1. The
    order of the chain stays: environment, profiles and containers come first. A Region that is
    configured elsewhere comes first too.

    :param session: a ``boto3.Session`` or ``botocore.session.Session``; boto3's default session
        by default.
    :param client: the client to read with; the environment's by default.
    :param clock: seconds since 1970, for tests with the clock of an emulator.
    """
    core = _core_session(session)
    client = client or Client()
    resolver = core.get_component("credential_provider")
    provider = ImdsProvider(client, clock)
    names = [one.METHOD for one in resolver.providers]
    for taken in (_METHOD, botocore.credentials.InstanceMetadataProvider.METHOD):
        if taken in names:
            resolver.insert_before(taken, provider)
            resolver.remove(taken)
            break
    else:
        resolver.providers.append(provider)
    _replace_source(resolver, provider)
    store = core.get_component("config_store")
    before = store.get_config_provider("region")
    if isinstance(before, RegionChain):
        before = before.before
    store.set_config_provider("region", RegionChain(before, client))


def _core_session(session: Any) -> Any:
    if session is None:
        import boto3  # type: ignore[import-untyped]

        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
    return getattr(session, "_session", session)


def _replace_source(resolver: Any, provider: ImdsProvider) -> None:
    """Serve ``credential_source = Ec2InstanceMetadata`` of profiles too."""
    for one in resolver.providers:
        sourcer = getattr(one, "_credential_sourcer", None)
        sources = getattr(sourcer, "_providers", None)
        if isinstance(sources, list):
            sources[:] = [
                provider if source.CANONICAL_NAME == ImdsProvider.CANONICAL_NAME else source
                for source in sources
            ]


class ImdsProvider(botocore.credentials.CredentialProvider):  # type: ignore[misc]
    """Provides the role's credentials to botocore."""

    METHOD = _METHOD
    CANONICAL_NAME = "Ec2InstanceMetadata"

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._client = client
        self._clock = clock

    def load(self) -> Any:
        """Return the credentials, or ``None`` for the next provider: there is no role, no service,
        or the environment forbids to ask it."""
        try:
            first = self._client.credentials()
        except (Disabled, NotFound, Unreachable) as error:
            _log.debug("no credentials from the metadata service: %s", error)
            return None
        except ImdsError as error:
            raise botocore.exceptions.CredentialRetrievalError(
                provider=self.METHOD, error_msg=str(error)
            ) from error
        if first is None:
            return None
        return ImdsCredentials(self._client, first, self._clock)


class ImdsCredentials(botocore.credentials.Credentials):  # type: ignore[misc]
    """The role's credentials, renewed before they expire, and kept through an outage.

    One thread fetches at a time; while the credentials are valid, the others go on with them.
    """

    method = _METHOD

    def __init__(self, client: Client, first: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._held: _lifetime.Held = _lifetime.fetched(first, clock(), random.random())
        self._is_failing = False
        self._lock = threading.Lock()
        _credentials.add(self)

    def get_frozen_credentials(self) -> Any:
        """Return the credentials in use, fetched anew if that is due."""
        current = self._current()
        values: dict[str, Any] = {
            "access_key": current.access_key_id,
            "secret_key": current.secret_access_key,
            "token": current.token,
        }
        if "account_id" in botocore.credentials.ReadOnlyCredentials._fields:
            values["account_id"] = current.account_id
        return botocore.credentials.ReadOnlyCredentials(**values)

    @property
    def access_key(self) -> str:
        """Access key id."""
        return self._current().access_key_id

    @property
    def secret_key(self) -> str:
        """Secret access key."""
        return self._current().secret_access_key

    @property
    def token(self) -> str:
        """The credentials' session token."""
        return self._current().token

    @property
    def account_id(self) -> str | None:
        """Account of the role, if the service says so."""
        return self._current().account_id

    def _current(self) -> Credentials:
        held = self._held
        if self._clock() < held.due:
            return held.credentials
        # An expired set is worth the wait for the next; a valid one is not.
        if not self._lock.acquire(blocking=held.has_expired(self._clock())):
            return held.credentials
        try:
            if self._clock() >= self._held.due:
                self._fetch()
            return self._held.credentials
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        try:
            found = self._client.credentials()
            if found is None:
                raise NotFound("the instance has no role")
        except ImdsError as error:
            now = self._clock()
            held = _lifetime.kept(self._held, error, now, random.random())
            if held is None:
                raise botocore.exceptions.CredentialRetrievalError(
                    provider=_METHOD, error_msg=str(error)
                ) from error
            self._held = held
            self._warn(f"cannot fetch new credentials: {error}")
            return
        now = self._clock()
        self._held = _lifetime.fetched(found, now, random.random())
        if self._held.has_expired(now):
            self._warn("the service returned credentials that have expired")
        else:
            self._is_failing = False

    def _warn(self, reason: str) -> None:
        if not self._is_failing:
            _log.warning("the last credentials of the role stay in use: %s", reason)
        self._is_failing = True


def _after_fork() -> None:
    # Another thread of the parent may have held it.
    for credentials in _credentials:
        credentials._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class RegionChain(botocore.configprovider.BaseProvider):  # type: ignore[misc]
    """Provides the Region that was configured, and the instance's if none was."""

    def __init__(self, before: Any, client: Client) -> None:
        self.before = before
        self._client = client
        self._region: str | None = None

    def provide(self) -> str | None:
        """Return the Region, or ``None`` if the service cannot be read."""
        configured: str | None = self.before.provide() if self.before is not None else None
        if configured is not None:
            return configured
        if self._region is None:
            try:
                self._region = self._client.region
            except ImdsError as error:
                _log.debug("no Region from the metadata service: %s", error)
        return self._region
