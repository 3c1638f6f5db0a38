"""Credentials of the instance for the AWS SDK for Python v4 (``smithy-aws-core``)."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Any

from smithy_aws_core.identity import AWSCredentialsIdentity
from smithy_core.aio.interfaces.identity import IdentityResolver
from smithy_core.exceptions import SmithyIdentityError

from . import _lifetime
from ._async import AsyncClient
from ._documents import datetime_of
from ._errors import ImdsError, NotFound

_log = logging.getLogger(__name__)


class ImdsCredentialsResolver(IdentityResolver[AWSCredentialsIdentity, Any]):
    """Resolves the role's credentials: renewed before they expire, and kept through an outage.

    :param client: the client to read with; the environment's by default.
    :param clock: seconds since 1970, for tests with the clock of an emulator.
    """

    def __init__(self, client: AsyncClient | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client or AsyncClient()
        self._clock = clock
        self._held: _lifetime.Held | None = None
        self._is_failing = False
        self._lock = asyncio.Lock()

    async def get_identity(self, *, properties: Any = None) -> AWSCredentialsIdentity:
        """Return the credentials in use; their expiration is the time of the next fetch.

        :raises SmithyIdentityError: there were never any, or they have expired and the service
            says that there are none.
        """
        held = self._held
        if held is None or self._clock() >= held.due:
            if held is None or held.has_expired(self._clock()) or not self._lock.locked():
                async with self._lock:
                    if self._held is None or self._clock() >= self._held.due:
                        self._held = await self._fetched(self._held)
                    held = self._held
        credentials = held.credentials
        return AWSCredentialsIdentity(
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            session_token=credentials.token,
            expiration=datetime_of(held.due),
            account_id=credentials.account_id,
        )

    async def _fetched(self, held: _lifetime.Held | None) -> _lifetime.Held:
        try:
            found = await self._client.credentials()
            if found is None:
                raise NotFound("the instance has no role")
        except ImdsError as error:
            now = self._clock()
            still = None if held is None else _lifetime.kept(held, error, now, random.random())
            if still is None:
                raise SmithyIdentityError(f"cannot resolve credentials of the instance: {error}") from error
            self._warn(f"cannot fetch new credentials: {error}")
            return still
        now = self._clock()
        fresh = _lifetime.fetched(found, now, random.random())
        if fresh.has_expired(now):
            self._warn("the service returned credentials that have expired")
        else:
            self._is_failing = False
        return fresh

    def _warn(self, reason: str) -> None:
        if not self._is_failing:
            _log.warning("the last credentials of the role stay in use: %s", reason)
        self._is_failing = True
