"""Changes, and an interpreter that ends while something waits for them."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys

import imds_client
import pytest
from imds_client import AsyncClient, Client


def test_a_notice_appears_with_the_seconds_that_are_left(imds_emulator):
    changes = imds_client.watch("spot-interruption", "lifecycle", interval=0.01)
    first = next(changes)
    assert (first.event, first.change, first.new) == ("lifecycle", "appeared", "InService")
    imds_emulator.event("spot-interruption", action="terminate", notice=120)
    notice = next(changes)
    assert (notice.event, notice.change) == ("spot-interruption", "appeared")
    assert notice.new["action"] == "terminate"
    assert 110 < notice.seconds_left <= 120
    imds_emulator.event("clear-spot")
    assert next(changes).change == "removed"
    changes.close()


def test_an_outage_is_no_removal(imds_emulator):
    changes = Client(attempts=1).watch("lifecycle", interval=0.01)
    assert next(changes).change == "appeared"
    imds_emulator.event("fault", fault="503")
    outage = next(changes)
    assert (outage.event, outage.change) == ("service", "unreachable")
    assert outage.reason.startswith("server")
    imds_emulator.event("clear-faults")
    assert next(changes).change == "recovered"


def test_tasks_watch_too(imds_emulator):
    async def watch():
        seen = []
        async for change in AsyncClient().watch("tags", "maintenance", "credentials", interval=0.01):
            seen.append((change.event, change.change))
            if len(seen) == 3:
                imds_emulator.event("tag", key="Name", value="other")
            if len(seen) == 4:
                assert change.new == "other"
                return seen

    assert asyncio.run(watch()) == [
        ("tags", "appeared"),
        ("tags", "appeared"),
        ("credentials", "appeared"),
        ("tags", "changed"),
    ]


def test_secrets_are_not_shown(imds_emulator):
    changes = list(itertools.islice(imds_client.watch("credentials", "user-data", interval=0.01), 2))
    secrets = [imds_client.user_data().decode(), Client().credentials().secret_access_key]
    assert not any(secret in repr(changes) for secret in secrets)


def test_what_cannot_be_watched_is_refused_at_once(imds_emulator, monkeypatch):
    with pytest.raises(ValueError, match="spot-interruption"):
        imds_client.watch()
    with pytest.raises(imds_client.PathError):
        imds_client.watch("../x")
    with pytest.raises(ValueError):
        imds_client.watch("tags", interval=0)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(imds_client.Disabled):
        next(imds_client.watch("tags"))


WATCHING = """
import threading, imds_client
from imds_client import Client
started = threading.Semaphore(0)
def watch():
    started.release()
    for change in Client().watch("tags", "network", interval=0.0001):
        pass
def read():
    started.release()
    imds = Client()
    while True:
        imds.region
for target in [watch] * 4 + [read] * 8:
    threading.Thread(target=target, daemon=True).start()
for _ in range(12):
    started.acquire()
"""

TASKS = """
import asyncio, threading, imds_client
started = threading.Event()
async def read():
    imds = imds_client.AsyncClient()
    started.set()
    while True:
        await asyncio.gather(*[imds.region for _ in range(20)])
threading.Thread(target=lambda: asyncio.run(read()), daemon=True).start()
started.wait()
"""

WALKING = """
import threading, imds_client
walk = imds_client.walk()
next(walk)
threading.Thread(target=lambda: list(imds_client.walk()), daemon=True).start()
"""

AT_EXIT = """
import atexit, imds_client
atexit.register(lambda: print(imds_client.get("instance-id")))
imds_client.get("instance-id")
"""


@pytest.mark.parametrize("script", [WATCHING, TASKS, WALKING, AT_EXIT], ids=["watching", "tasks", "walking", "atexit"])
def test_an_interpreter_that_ends_meanwhile_ends_well(imds_emulator, script):
    for _ in range(10):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
    if script is AT_EXIT:
        assert ended.stdout == "i-1234567890abcdef0\n"


def test_ctrl_c_ends_a_watch(imds_emulator):
    script = """
import os, signal, threading, imds_client
# Ignored where a shell started the tests in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for change in imds_client.watch("lifecycle", interval=60):
        pass
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert ended.stdout == "interrupted\n"
