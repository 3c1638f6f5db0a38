"""The client for tasks."""

from __future__ import annotations

import asyncio

import imds_client
import pytest
from imds_client import AsyncClient, Client
from tasks import begun

PROPERTIES = [
    name
    for name, value in vars(Client).items()
    if isinstance(value, property)
]


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_is_what_it_is_for_threads(imds_emulator, name):
    async def read():
        return await getattr(AsyncClient(), name)

    assert asyncio.run(read()) == getattr(Client(), name)


def test_both_clients_have_the_same_methods():
    public = {name for name in dir(Client) if not name.startswith("_")}
    assert public == {name for name in dir(AsyncClient) if not name.startswith("_")}


def test_reads(imds_emulator):
    async def read():
        imds = AsyncClient()
        assert await imds.get("nothing", default=None) is None
        assert await imds.get_bytes("instance-id") == b"i-1234567890abcdef0"
        assert await imds.get_many(["ami-id", "nothing"], default=1) == {
            "ami-id": "ami-0abcdef1234567890",
            "nothing": 1,
        }
        with pytest.raises(imds_client.NotFound):
            await imds.get_many(["nothing"])
        with pytest.raises(imds_client.PathError):
            await imds.get("..")
        assert (await imds.credentials()).role == "my-role"
        assert await imds.user_data(decode=True) == imds_client.user_data(decode=True)
        assert (await imds.verified_identity(imds_emulator.certificate())).region == "us-east-1"
        assert [one.name for one in await imds.list_directory("placement")]
        leaves = {leaf.path: leaf.value async for leaf in imds.walk("placement")}
        assert leaves == {leaf.path: leaf.value for leaf in imds_client.walk("placement")}

    asyncio.run(read())


def test_a_cancelled_task_ends_its_request(imds_emulator):
    imds_emulator.event("fault", fault="stall", path="/latest/meta-data/placement/region")

    async def read():
        imds = AsyncClient(read_timeout=30, timeout=60)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(imds.region, 0.2)
        imds_emulator.event("clear-faults")
        assert await imds.instance_id == "i-1234567890abcdef0"

    asyncio.run(read())
    imds_emulator.assert_that("gets == 2")


def test_a_cancelled_token_fetch_is_taken_over(imds_emulator):
    imds_emulator.event("fault", fault="stall", method="PUT", count=1)

    async def read():
        imds = AsyncClient(read_timeout=2)
        first = asyncio.ensure_future(imds.region)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, imds_emulator.wait_until, "token-puts == 1")
        (second,) = await begun(imds.region)
        first.cancel()
        assert await second == "us-east-1"

    asyncio.run(read())


def test_a_client_serves_one_loop_after_another(imds_emulator):
    imds = AsyncClient()

    async def read():
        return await imds.region

    for _ in range(3):
        assert asyncio.run(read()) == "us-east-1"
    imds_emulator.assert_that("token-puts == 1")


def test_a_loop_that_was_closed_meanwhile_hurts_nobody(imds_emulator):
    imds_emulator.event("fault", fault="slow", bytes_per_second=20)
    imds = AsyncClient()
    loop = asyncio.new_event_loop()

    async def begin():
        await begun(imds.region)

    loop.run_until_complete(begin())
    loop.close()
    imds_emulator.event("clear-faults")

    async def read():
        return await imds.region

    assert asyncio.run(read()) == "us-east-1"


def test_outside_of_a_loop_nothing_is_started(imds_emulator):
    with pytest.raises(RuntimeError):
        AsyncClient().tags
    imds_emulator.assert_that("requests == 0")
