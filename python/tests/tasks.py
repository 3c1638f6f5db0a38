"""Tasks that have begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def begun(*reads: Awaitable[Any]) -> list[asyncio.Task[Any]]:
    """Return a task for each read, all of which run until they wait for the service."""
    marks = [asyncio.Event() for _ in reads]

    async def run(read: Awaitable[Any], mark: asyncio.Event) -> Any:
        mark.set()
        return await read

    tasks = [asyncio.ensure_future(run(read, mark)) for read, mark in zip(reads, marks)]
    for mark in marks:
        await mark.wait()
    return tasks
