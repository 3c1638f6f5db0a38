"""One session token for all: threads, tasks, processes, forks."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import imds_client
import pytest
from imds_client import AsyncClient, Client
from tasks import begun

#: Faults of the token request and of the value, in the order in which they meet requests; then the
#: expected exception, PUTs and GETs.
TABLE = [
    ("nothing fails", [], None, 1, 1),
    ("a token request fails once", [("503", "PUT", 1)], None, 2, 1),
    ("a token request is throttled once", [("429", "PUT", 1)], None, 2, 1),
    ("a token request is reset once", [("reset", "PUT", 1)], None, 2, 1),
    ("a token request stalls once", [("stall", "PUT", 1)], None, 2, 1),
    ("a token request is refused", [("403", "PUT", None)], imds_client.Forbidden, 1, 0),
    ("there is no token path", [("404", "PUT", None)], imds_client.ProtocolError, 1, 0),
    ("token requests fail", [("503", "PUT", None)], imds_client.ServerError, 3, 0),
    ("a token is refused once", [("401", "GET", 1)], None, 2, 2),
    ("a token is refused again", [("401", "GET", 2)], imds_client.Unauthorized, 2, 2),
    ("a value fails once", [("500", "GET", 1)], None, 1, 2),
    ("a value is cut once", [("truncate", "GET", 1)], None, 1, 2),
    ("a value is throttled once", [("429", "GET", 1)], None, 1, 2),
    ("a value is forbidden", [("403", "GET", None)], imds_client.Forbidden, 1, 1),
    ("values fail", [("503", "GET", None)], imds_client.ServerError, 1, 3),
    ("token and value fail once", [("503", "PUT", 1), ("503", "GET", 1)], None, 2, 2),
]


@pytest.mark.parametrize("kind", ["threads", "tasks"])
@pytest.mark.parametrize(("faults", "error", "puts", "gets"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_session(imds_emulator, kind, faults, error, puts, gets):
    for fault, method, count in faults:
        imds_emulator.event("fault", fault=fault, method=method, count=count)
    options = {"read_timeout": 0.2, "store": False}

    def read():
        if kind == "threads":
            return Client(**options).region

        async def task():
            return await AsyncClient(**options).region

        return asyncio.run(task())

    if error is None:
        assert read() == "us-east-1"
    else:
        with pytest.raises(error):
            read()
    counters = imds_emulator.counters
    assert (counters["token_puts"], counters["gets"], counters["v1"]) == (puts, gets, 0)


@pytest.mark.parametrize("store", [True, False])
def test_two_hundred_threads_cost_one_put(imds_emulator, store):
    imds = Client(store=store)
    start = threading.Barrier(200)
    values = []

    def read():
        start.wait()
        values.append(imds.region)

    threads = [threading.Thread(target=read) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == ["us-east-1"] * 200
    imds_emulator.assert_that("token-puts == 1 and v1 == 0 and gets == 200")


def test_threads_of_the_default_client_cost_one_put(imds_emulator):
    start = threading.Barrier(64)

    def read():
        start.wait()
        imds_client.get("instance-id")

    threads = [threading.Thread(target=read) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    imds_emulator.assert_that("token-puts == 1 and gets == 64")


@pytest.mark.parametrize("store", [True, False])
def test_two_hundred_tasks_cost_one_put_and_no_thread_each(imds_emulator, store):
    async def read():
        imds = AsyncClient(store=store)
        before = len(os.listdir("/proc/self/task"))
        reads = await begun(*(imds.region for _ in range(200)))
        during = len(os.listdir("/proc/self/task"))
        assert await asyncio.gather(*reads) == ["us-east-1"] * 200
        assert during - before <= 1

    asyncio.run(read())
    imds_emulator.assert_that("token-puts == 1 and gets == 200")


def test_fifty_processes_cost_one_put(imds_emulator):
    script = "import imds_client; print(imds_client.get('placement/region'))"
    children = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(50)
    ]
    assert [child.communicate()[0] for child in children] == ["us-east-1\n"] * 50
    imds_emulator.assert_that("token-puts == 1 and gets == 50")


def test_tasks_and_threads_share_the_store(imds_emulator):
    async def read():
        return await AsyncClient().region

    assert Client().region == asyncio.run(read())
    imds_emulator.assert_that("token-puts == 1")


def test_a_forgotten_token_is_fetched_anew(imds_emulator):
    imds = Client()
    assert imds.region == "us-east-1"
    assert imds.forget_token() is True
    assert imds.region == "us-east-1"
    imds_emulator.assert_that("token-puts == 2")


def in_child(work):
    """Return what ``work`` returns in a forked child, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # No test must hang.
            signal.alarm(20)
            os.write(write, str(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as result:
        text = result.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_uses_its_own_connections(imds_emulator):
    imds = Client()
    assert imds.region == "us-east-1"
    before = {request.connection for request in imds_emulator.requests}
    assert in_child(lambda: imds.region) == "us-east-1"
    inside = {request.connection for request in imds_emulator.requests} - before
    assert len(inside) == 1
    assert imds.region == "us-east-1"
    assert {request.connection for request in imds_emulator.requests} == before | inside
    imds_emulator.assert_that("token-puts == 1 and gets == 3")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_in_the_middle_of_a_token_fetch(imds_emulator):
    imds_emulator.event("fault", fault="stall", method="PUT", count=1)
    imds = Client()
    thread = threading.Thread(target=lambda: imds.region)
    thread.start()
    while imds_emulator.counters["faults"] == 0:
        pass
    # The lock file is locked, the session is being fetched, a connection is in use.
    assert in_child(lambda: imds.region) == "us-east-1"
    thread.join()
    # The child waited for the parent's second attempt.
    imds_emulator.assert_that("token-puts == 2 and gets == 2")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_under_load(imds_emulator):
    imds, stop = Client(), threading.Event()

    def load():
        while not stop.is_set():
            imds.region

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            assert in_child(lambda: imds.region) == "us-east-1"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    imds_emulator.assert_that("token-puts == 1")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_among_tasks(imds_emulator):
    async def child_read():
        return await AsyncClient().region

    async def read():
        imds = AsyncClient()
        assert await imds.region == "us-east-1"
        reads = await begun(*(imds.region for _ in range(20)))
        text = await asyncio.get_running_loop().run_in_executor(
            None, lambda: in_child(lambda: asyncio.run(child_read()))
        )
        assert text == "us-east-1"
        assert await asyncio.gather(*reads) == ["us-east-1"] * 20

    asyncio.run(read())
    imds_emulator.assert_that("token-puts == 1 and gets == 22")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_emulator_of_the_parent_is_not_the_childs(imds_emulator):
    assert "parent" in in_child(lambda: pytest.raises(RuntimeError, lambda: imds_emulator.counters).value)
    assert in_child(imds_emulator.stop) == "None"
    assert Client().region == "us-east-1"


def _pool_read(_):
    return imds_client.get("placement/region")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes(imds_emulator, method):
    assert imds_client.get("placement/region") == "us-east-1"
    with multiprocessing.get_context(method).Pool(4) as pool:
        assert pool.map(_pool_read, range(16)) == ["us-east-1"] * 16
    imds_emulator.assert_that("token-puts == 1")
