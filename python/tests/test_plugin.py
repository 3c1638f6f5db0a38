"""The pytest plugin, and the emulator that it starts."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from datetime import datetime, timedelta, timezone

import imds_client
import pytest
from imds_client.emulator import Emulator

OPTIONS = """
import imds_client, pytest

@pytest.mark.imds_emulator(preset="spot", clock="stepped")
class TestSpot:
    def test_a_step_brings_the_notice(self, imds_emulator):
        imds_emulator.event("spot-interruption", action="stop", after=30)
        assert imds_client.get("spot/instance-action", default=None) is None
        imds_emulator.step(30)
        assert imds_client.Client().spot_instance_action.action == "stop"

    @pytest.mark.imds_emulator(tokens="optional", values={"placement/region": "eu-west-1"})
    def test_the_closest_marker_is_added(self, imds_emulator):
        assert imds_client.get("placement/region") == "eu-west-1"
        assert imds_client.get("instance-life-cycle") == "spot"

@pytest.mark.parametrize("imds_emulator", [{"preset": "no-role"}, {"preset": "asg"}], indirect=True)
def test_parameters(imds_emulator):
    imds_client.get("instance-id")
    imds_emulator.assert_imdsv2_only()

def test_another_emulator(imds_emulator, imds_emulator_factory):
    other = imds_emulator_factory(preset="asg")
    assert imds_client.Client(endpoint=other.endpoint, store=False).region == "us-east-1"
    assert (imds_emulator.counters["requests"], other.counters["v2"]) == (0, 1)

def test_without_the_fixture():
    with pytest.raises(imds_client.ImdsError):
        imds_client.Client(timeout=0.2).region
"""


@pytest.mark.parametrize("arguments", [[], ["-n", "3"]], ids=["one process", "xdist"])
def test_options_of_the_fixture(pytester, arguments):
    pytester.makepyfile(OPTIONS)
    result = pytester.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(passed=6)


def test_the_marker_takes_names_only(pytester):
    pytester.makepyfile(
        "import pytest\n@pytest.mark.imds_emulator('spot')\ndef test(imds_emulator): pass\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes options by name only*"])


def read(emulator, path="/latest/meta-data/placement/region"):
    return urllib.request.urlopen(emulator.endpoint + path).read()


@pytest.mark.imds_emulator(tokens="optional")
def test_imdsv1_is_found(imds_emulator):
    with pytest.raises(AssertionError, match="at least 1"):
        imds_emulator.assert_imdsv2_only()
    imds_client.get("placement/region")
    imds_emulator.assert_imdsv2_only()
    read(imds_emulator)
    with pytest.raises(AssertionError, match="1 requests used IMDSv1: /latest/meta-data/placement/region"):
        imds_emulator.assert_imdsv2_only()
    with pytest.raises(AssertionError, match="`v1 == 0` does not hold: it is 1"):
        imds_emulator.assert_that("v1 == 0 and token-puts == 1")
    with pytest.raises(ValueError, match="is not an assertion"):
        imds_emulator.assert_that("v3 == 0")
    imds_emulator.forget_requests()
    assert imds_emulator.requests == []


def test_requests_tell_what_was_asked(imds_emulator):
    imds_client.get("placement/region")
    token, value = imds_emulator.requests
    assert (token.method, token.path, token.version, token.status) == ("PUT", "/latest/api/token", None, 200)
    assert (value.method, value.path, value.version) == ("GET", "/latest/meta-data/placement/region", "v2")
    assert (value.number, value.connection, value.fault, value.forwarded_for) == (2, 1, None, False)
    assert value.time.tzinfo is timezone.utc
    assert value.client.startswith("127.0.0.1:") and value.client == token.client
    assert value.user_agent.startswith("imds")


def test_a_request_is_waited_for(imds_emulator):
    reader = threading.Thread(target=imds_client.get, args=("placement/region",))
    reader.start()
    imds_emulator.wait_until("gets == 1")
    reader.join()
    with pytest.raises(AssertionError, match="`gets == 2` does not hold: it is 1"):
        imds_emulator.wait_until("gets == 2", timeout=0.01)
    with pytest.raises(ValueError, match="is not an assertion"):
        imds_emulator.wait_until("v3 == 0")


def test_a_scenario_of_steps_and_one_of_a_file(imds_emulator_factory, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    file = tmp_path / "spot.toml"
    file.write_text('[[step]]\nafter = "30s"\nevent = "rebalance"\n')
    steps = [{"after": timedelta(seconds=30), "event": "rebalance"}]
    for scenario in (file, str(file), steps):
        emulator = imds_emulator_factory(scenario=scenario, clock="stepped")
        imds = imds_client.Client(endpoint=emulator.endpoint, store=False)
        imds.region
        emulator.step(29)
        assert imds.get("events/recommendations/rebalance", default=None) is None
        emulator.step(timedelta(seconds=1))
        assert imds.get("events/recommendations/rebalance", default=None) is not None


def test_clocks(imds_emulator_factory):
    start = datetime(2030, 1, 1, tzinfo=timezone.utc)
    emulator = imds_emulator_factory(clock=start)
    assert emulator.now == start
    emulator.step(3600)
    assert emulator.now == start + timedelta(hours=1)
    with pytest.raises(ValueError):
        imds_emulator_factory(clock="x60").step(1)
    fast = imds_emulator_factory(clock="x1000")
    before = fast.now
    while fast.now - before < timedelta(seconds=10):
        pass


def test_an_instance_file(imds_emulator_factory, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    file = tmp_path / "instance.toml"
    file.write_text('[instance]\ninstance-type = "c7g.large"\n')
    emulator = imds_emulator_factory(instance=file, values={"ami-id": None, "x/y": b"z"})
    imds = imds_client.Client(endpoint=emulator.endpoint, store=False)
    assert imds.instance_type == "c7g.large"
    assert imds.get("ami-id", default=None) is None
    emulator.set("ami-id", "ami-1")
    assert imds.ami_id == "ami-1"
    emulator.unset("ami-id")
    assert imds.get("ami-id", default=None) is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"preset": "nope"}, ValueError),
        ({"tokens": "nope"}, ValueError),
        ({"clock": "nope"}, ValueError),
        ({"hop_limit": 0}, ValueError),
        ({"hop_limit": 1000}, (ValueError, TypeError, OverflowError)),
        ({"instance": "/nowhere.toml"}, (ValueError, OSError)),
        ({"scenario": "/nowhere.toml"}, OSError),
        ({"scenario": [{"event": "nope"}]}, ValueError),
        ({"values": {"../x": "y"}}, ValueError),
        ({"listen": ["nonsense"]}, ValueError),
        ({"listen": ["192.0.2.1:1"]}, OSError),
        ({"colour": "red"}, TypeError),
    ],
)
def test_what_cannot_be_is_refused(options, error):
    with pytest.raises(error):
        Emulator(**options)


@pytest.mark.parametrize(
    ("event", "parameters"),
    [("nope", {}), ("rebalance", {"state": "x"}), ("interrupt", {"action": "x"}), ("tag", {}), ("fault", {"rate": 2})],
)
def test_an_event_that_cannot_be_says_what_can(imds_emulator, event, parameters):
    with pytest.raises(ValueError, match="`"):
        imds_emulator.event(event, **parameters)


def test_an_emulator_stops_once(imds_emulator_factory):
    emulator = imds_emulator_factory()
    emulator.stop()
    emulator.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        emulator.requests


@pytest.mark.imds_emulator(link_local=True)
def test_the_services_own_address_is_the_emulators(imds_emulator):
    assert imds_emulator.endpoint == "http://169.254.169.254:80"
    assert imds_client.get("placement/region") == "us-east-1"
    assert imds_client.Client(mode="IPv6", store=False).region == "us-east-1"
    script = (
        "import urllib.request as u; "
        "put = u.Request('http://169.254.169.254/latest/api/token', method='PUT', "
        "headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'}); "
        "token = u.urlopen(put).read().decode(); "
        "print(u.urlopen(u.Request('http://169.254.169.254/latest/meta-data/ami-id', "
        "headers={'X-aws-ec2-metadata-token': token})).read().decode())"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert child.stdout == "ami-0abcdef1234567890\n"
    values = []
    thread = threading.Thread(target=lambda: values.append(imds_client.get("ami-id")))
    thread.start()
    thread.join()
    assert values == ["ami-0abcdef1234567890"]
    imds_emulator.assert_imdsv2_only()


def test_the_namespace_is_left_again(imds_emulator_factory, monkeypatch):
    import asyncio
    import os

    here = os.readlink("/proc/thread-self/ns/net")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")

    async def region(imds):
        return await imds.region

    imds = imds_client.AsyncClient(store=False)
    for _ in range(2):
        emulator = imds_emulator_factory(link_local=True)
        assert os.readlink("/proc/thread-self/ns/net") != here
        assert asyncio.run(region(imds)) == "us-east-1"
        emulator.stop()
        assert os.readlink("/proc/thread-self/ns/net") == here
