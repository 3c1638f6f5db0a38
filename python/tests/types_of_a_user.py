"""What a program's type checker makes of the package."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import imds_client
from imds_client import AsyncClient, Change, Client, IdentityDocument, NotFound
from imds_client.emulator import Emulator


def threads() -> None:
    region: str = imds_client.get("placement/region")
    zone: str | None = imds_client.get("placement/availability-zone", default=None)
    both: dict[str, str] = imds_client.get_many(["ami-id", "mac"])
    some: dict[str, str | None] = imds_client.get_many(["ami-id"], default=None)
    imds = Client(endpoint="http://127.0.0.1", timeout=timedelta(seconds=5), store=False)
    account: str | None = imds.account_id
    tags: dict[str, str] = imds.tags
    document: IdentityDocument = imds.identity_document
    launched: datetime | None = document.pending_time
    data: bytes | None = imds.user_data(decode=True)
    changes: Iterator[Change] = imds.watch("spot-interruption")
    left: list[int | None] = [change.seconds_left for change in changes]
    print(region, zone, both, some, account, tags, launched, data, left)


async def tasks() -> None:
    imds = AsyncClient()
    region: str = await imds.region
    zone: str | None = await imds.get("placement/availability-zone", default=None)
    async for change in imds.watch("tags"):
        print(change.new)
    async for leaf in imds.walk():
        print(leaf.text)
    try:
        await imds.get("nothing")
    except NotFound as error:
        code: int = error.exit_code
        print(region, zone, code)


def test(imds_emulator: Emulator) -> None:
    imds_emulator.event("spot-interruption", action="stop", notice=120)
    paths: list[str] = [request.path for request in imds_emulator.requests]
    imds_emulator.assert_imdsv2_only(at_least=len(paths))
