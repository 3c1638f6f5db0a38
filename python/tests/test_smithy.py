"""The resolver for the AWS SDK for Python v4."""

from __future__ import annotations

import asyncio
import time

import pytest
from imds_client import AsyncClient
from imds_client.smithy import ImdsCredentialsResolver
from smithy_core.exceptions import SmithyIdentityError


def test_identity_of_the_role(imds_emulator):
    async def resolve():
        resolver = ImdsCredentialsResolver()
        identities = await asyncio.gather(*[resolver.get_identity(properties={}) for _ in range(20)])
        assert len({identity.access_key_id for identity in identities}) == 1
        expected = await AsyncClient().credentials()
        assert identities[0].secret_access_key == expected.secret_access_key
        assert identities[0].session_token == expected.token
        assert identities[0].account_id == "123456789012"
        assert not identities[0].is_expired

    asyncio.run(resolve())
    imds_emulator.assert_that("token-puts == 1 and v1 == 0 and gets <= 4")


def test_the_last_credentials_are_kept_through_an_outage(imds_emulator):
    now = time.time()

    async def resolve():
        nonlocal now
        resolver = ImdsCredentialsResolver(AsyncClient(attempts=1), clock=lambda: now)
        first = await resolver.get_identity(properties={})
        imds_emulator.event("fault", fault="503")
        now += 7 * 3600
        kept = await resolver.get_identity(properties={})
        assert kept.access_key_id == first.access_key_id
        imds_emulator.event("clear-faults")
        imds_emulator.event("rotate-credentials")
        now += 601
        assert (await resolver.get_identity(properties={})).access_key_id != first.access_key_id

    asyncio.run(resolve())


@pytest.mark.imds_emulator(preset="no-role")
def test_without_a_role_there_is_no_identity(imds_emulator):
    async def resolve():
        with pytest.raises(SmithyIdentityError, match="no role"):
            await ImdsCredentialsResolver().get_identity(properties={})

    asyncio.run(resolve())
