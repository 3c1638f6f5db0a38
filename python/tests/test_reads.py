"""Values and documents, from the client for threads."""

from __future__ import annotations

import base64
import gzip
import pickle
from datetime import datetime, timedelta, timezone

import imds_client
import pytest
from imds_client import Client


def test_a_value_is_text_and_bytes(imds_emulator):
    assert imds_client.get("placement/region") == "us-east-1"
    assert imds_client.get("/latest/meta-data/placement/region") == "us-east-1"
    assert imds_client.get_bytes("instance-id") == b"i-1234567890abcdef0"


def test_a_default_stands_for_a_404_and_for_nothing_else(imds_emulator):
    assert imds_client.get("spot/instance-action", default=None) is None
    assert imds_client.get("spot/instance-action", "none") == "none"
    imds_emulator.event("fault", fault="403")
    with pytest.raises(imds_client.Forbidden):
        imds_client.get("spot/instance-action", default=None)


def test_many_values_are_one_dictionary(imds_emulator):
    values = imds_client.get_many(["instance-id", "nothing/here"], default=None)
    assert values == {"instance-id": "i-1234567890abcdef0", "nothing/here": None}
    with pytest.raises(imds_client.NotFound) as failure:
        imds_client.get_many(["instance-id", "nothing/here"])
    assert failure.value.path == "nothing/here"


def test_properties_are_what_the_service_holds(imds_emulator):
    imds = Client()
    assert (imds.region, imds.availability_zone) == ("us-east-1", "us-east-1a")
    assert imds.account_id == "123456789012"
    assert imds.instance_id == "i-1234567890abcdef0"
    assert imds.instance_type == "m5.large"
    assert imds.tags == {"Name": "my-instance", "aws:autoscaling:groupName": "my-group"}
    assert imds.security_groups == ["default"]
    assert imds.partition == "aws"
    assert imds.target_lifecycle_state == "InService"
    assert imds.role_name == "my-role"
    assert imds.public_keys[0].name == "my-key"
    assert imds.iam_info.code == "Success"
    assert imds.block_devices["root"]
    assert imds.interfaces[0].ipv4_associations == {"203.0.113.25": ["10.0.0.157"]}
    assert imds_client.interfaces() == imds.interfaces


@pytest.mark.imds_emulator(preset="multi-interface")
def test_interfaces_are_sorted_by_their_numbers(imds_emulator):
    numbers = [(one.network_card, one.device_number) for one in Client().interfaces]
    assert numbers == sorted(numbers, key=lambda pair: (pair[0] or 0, pair[1]))
    assert len(numbers) == 3


def test_documents_are_dataclasses_with_datetimes(imds_emulator):
    document = Client().identity_document
    assert document.pending_time == datetime(2026, 1, 15, 9, 30, tzinfo=timezone.utc)
    credentials = Client().credentials()
    assert credentials.role == "my-role"
    assert credentials.expiration.tzinfo is timezone.utc
    assert credentials.secret_access_key not in repr(credentials)
    assert credentials.token not in repr(credentials)
    assert Client().credentials("my-role").access_key_id == credentials.access_key_id


@pytest.mark.imds_emulator(preset="no-role")
def test_what_an_instance_lacks_is_none(imds_emulator):
    imds = Client()
    assert imds.credentials() is None
    assert imds.role_name is None
    assert imds.user_data() is None
    assert imds.user_data(decode=True) is None
    assert imds.spot_instance_action is None
    assert imds.rebalance_recommendation is None
    assert imds.scheduled_maintenance == []


def test_notices_are_typed(imds_emulator):
    imds_emulator.event("spot-interruption", action="stop", notice=timedelta(minutes=2))
    imds_emulator.event("rebalance")
    imds_emulator.event(
        "maintenance",
        code="system-reboot",
        not_before=datetime(2027, 1, 1, tzinfo=timezone.utc),
        not_after=datetime(2027, 1, 2, tzinfo=timezone.utc),
    )
    imds = Client()
    action = imds.spot_instance_action
    assert action.action == "stop"
    assert 0 < action.seconds_left <= 120
    assert imds.rebalance_recommendation.notice_time.tzinfo is timezone.utc
    (event,) = imds.scheduled_maintenance
    assert (event.code, event.not_before) == ("system-reboot", datetime(2027, 1, 1, tzinfo=timezone.utc))


def test_a_verified_identity_is_one_that_was_signed(imds_emulator):
    verified = imds_client.verified_identity(imds_emulator.certificate())
    assert verified.document == Client().identity_document
    assert verified.signed_bytes == imds_client.get_bytes("/latest/dynamic/instance-identity/document")
    assert verified.signature == "rsa2048"
    with pytest.raises(imds_client.VerificationError) as failure:
        imds_client.verified_identity()
    assert failure.value.result == "wrong-certificate"
    assert failure.value.exit_code == 1
    with pytest.raises(ValueError):
        imds_client.verified_identity(b"no certificate")


def test_a_walk_reads_every_value_once(imds_emulator):
    leaves = {leaf.path: leaf.value for leaf in imds_client.walk()}
    below = {
        path: value
        for path, value in imds_emulator.values().items()
        # The service does not list this one.
        if path.startswith("/latest/meta-data/") and "credentials-extended" not in path
    }
    assert leaves == below
    assert all(leaf.value.decode() not in repr(leaf) for leaf in imds_client.walk("iam/security-credentials"))


def test_a_directory_is_a_list(imds_emulator):
    entries = Client().list_directory("placement")
    assert "region" in [entry.name for entry in entries]
    assert not any(entry.is_directory for entry in entries if entry.name == "region")


SCRIPT = b"#!/bin/sh\necho hello\n"
ENCODED = base64.b64encode(SCRIPT)


@pytest.mark.parametrize(
    "data",
    [
        SCRIPT,
        gzip.compress(SCRIPT),
        ENCODED,
        ENCODED.rstrip(b"="),
        b"\n".join(ENCODED[at : at + 8] for at in range(0, len(ENCODED), 8)),
        base64.b64encode(gzip.compress(SCRIPT)),
        gzip.compress(ENCODED),
        gzip.compress(SCRIPT[:7]) + gzip.compress(SCRIPT[7:]),
    ],
)
def test_user_data_are_unwrapped(imds_emulator, data):
    imds_emulator.event("user-data", value=data)
    assert imds_client.user_data() == data
    assert imds_client.user_data(decode=True) == SCRIPT


@pytest.mark.parametrize("data", [b"true", b"production", b"12345678", b"hello world", b"\xff\xfe", b"=", b"\n"])
def test_what_only_looks_like_base64_stays(imds_emulator, data):
    imds_emulator.event("user-data", value=data)
    assert imds_client.user_data(decode=True) == data


@pytest.mark.parametrize("data", [gzip.compress(SCRIPT)[:12], gzip.compress(bytes(18 * 1024 * 1024))[:16000] + b"x"])
def test_broken_gzip_is_an_error(imds_emulator, data):
    imds_emulator.event("user-data", value=data)
    with pytest.raises(imds_client.ImdsError):
        imds_client.user_data(decode=True)


def test_values_of_any_bytes_come_out_as_they_are(imds_emulator):
    imds_emulator.set("placement/region", bytes(range(256)))
    assert imds_client.get_bytes("placement/region") == bytes(range(256))
    with pytest.raises(imds_client.ProtocolError):
        imds_client.get("placement/region")


def test_options_are_checked_when_they_are_given(imds_emulator):
    for wrong in (
        {"mode": "IPv5"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"endpoint": "https://127.0.0.1"},
        {"endpoint": "nonsense"},
        {"token_ttl": 30000},
    ):
        with pytest.raises(ValueError):
            Client(**wrong)
    for times in ({"timeout": 5}, {"timeout": timedelta(seconds=5)}, {"connect_timeout": 0.5}):
        assert Client(**times).region == "us-east-1"
    with pytest.raises(TypeError):
        Client("http://127.0.0.1")


def test_a_client_survives_pickling(imds_emulator):
    copy = pickle.loads(pickle.dumps(Client(endpoint=imds_emulator.endpoint, timeout=3)))
    assert copy.region == "us-east-1"
    assert repr(copy) == f"Client(endpoint={imds_emulator.endpoint!r})"


@pytest.mark.imds_emulator(preset="snowball")
def test_imdsv1_is_spoken_only_by_name(imds_emulator):
    assert Client(imds_v1=True).get("instance-id").startswith("s.i-")
    assert imds_emulator.counters["v1"] == 1
