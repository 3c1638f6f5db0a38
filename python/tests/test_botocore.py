"""boto3 with credentials and Region of this package, against a fake endpoint of STS."""

from __future__ import annotations

import http.server
import logging
import re
import threading
import time

import boto3
import botocore.exceptions
import botocore.session
import imds_client
import pytest
from imds_client import botocore as integration


class Sts(http.server.BaseHTTPRequestHandler):
    """Answers GetCallerIdentity and keeps the access key ids and tokens that signed."""

    signed: list[tuple[str, str, str]]
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        credential = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", self.headers["Authorization"])
        key, region = credential.groups()
        with self.server.changed:
            self.server.signed.append((key, region, self.headers["X-Amz-Security-Token"]))
            self.server.changed.notify_all()
        body = (
            b"<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'>"
            b"<GetCallerIdentityResult><Arn>arn</Arn><UserId>u</UserId><Account>1</Account>"
            b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def sts():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    server.signed = []
    server.changed = threading.Condition()
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def puts(emulator):
    return emulator.counters["token_puts"]


def test_boto3_signs_with_the_roles_credentials_in_the_instances_region(imds_emulator, sts):
    imds_emulator.set("placement/region", "eu-north-1")
    session = boto3.Session()
    integration.install(session)
    session.client("sts", endpoint_url=sts.url).get_caller_identity()
    expected = imds_client.Client().credentials()
    assert sts.signed == [(expected.access_key_id, "eu-north-1", expected.token)]
    imds_emulator.assert_imdsv2_only()
    assert puts(imds_emulator) == 1


def test_every_kind_of_session(imds_emulator, sts):
    core = botocore.session.Session()
    integration.install(core)
    assert core.get_credentials().method == "imds-client"
    assert core.get_config_variable("region") == "us-east-1"
    boto3.DEFAULT_SESSION = None
    integration.install()
    # A second time changes nothing.
    integration.install()
    boto3.client("sts", endpoint_url=sts.url).get_caller_identity()
    assert len(sts.signed) == 1
    boto3.DEFAULT_SESSION = None


def test_what_is_configured_goes_first(imds_emulator, sts, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    session = boto3.Session()
    integration.install(session)
    session.client("sts", endpoint_url=sts.url).get_caller_identity()
    assert sts.signed[0][:2] == ("AKIAIOSFODNN7EXAMPLE", "eu-west-1")
    assert imds_emulator.counters["requests"] == 0


def test_a_profile_with_the_instance_as_source(imds_emulator, monkeypatch, tmp_path):
    session = boto3.Session()
    integration.install(session)
    resolver = session._session.get_component("credential_provider")
    sources = [
        source
        for provider in resolver.providers
        for source in getattr(getattr(provider, "_credential_sourcer", None), "_providers", [])
    ]
    named = [source for source in sources if source.CANONICAL_NAME == "Ec2InstanceMetadata"]
    assert named and all(isinstance(source, integration.ImdsProvider) for source in named)


@pytest.mark.imds_emulator(preset="no-role")
def test_without_a_role_there_are_no_credentials_and_no_imdsv1(imds_emulator, sts):
    session = boto3.Session()
    integration.install(session)
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        session.client("sts", endpoint_url=sts.url).get_caller_identity()
    assert imds_emulator.counters["v1"] == 0


def test_where_the_service_is_forbidden_there_are_none(imds_emulator, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session()
    with pytest.raises(imds_client.Disabled):
        imds_client.get("ami-id")
    integration.install(session, client=None)
    assert session.get_credentials() is None
    assert session.region_name is None


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


def credentials_with(emulator, clock):
    session = boto3.Session()
    integration.install(session, client=imds_client.Client(attempts=1), clock=clock)
    return session.get_credentials()


def test_credentials_are_fetched_again_minutes_before_they_expire(imds_emulator):
    clock = Clock()
    credentials = credentials_with(imds_emulator, clock)
    first = credentials.get_frozen_credentials()
    before = imds_emulator.counters["gets"]
    clock.now += 6 * 3600 - 300
    assert credentials.get_frozen_credentials() == first
    assert imds_emulator.counters["gets"] == before
    imds_emulator.event("rotate-credentials")
    clock.now += 300 - 119
    assert credentials.get_frozen_credentials() != first


@pytest.mark.parametrize("fault", ["500", "stall", "reset", "429"])
def test_the_last_credentials_are_kept_through_an_outage(imds_emulator, fault, caplog):
    clock = Clock()
    credentials = credentials_with(imds_emulator, clock)
    first = credentials.get_frozen_credentials()
    imds_emulator.event("fault", fault=fault)
    with caplog.at_level(logging.WARNING, logger="imds_client"):
        clock.now += 7 * 3600
        for _ in range(20):
            assert credentials.get_frozen_credentials() == first
        faults = imds_emulator.counters["faults"]
        clock.now += 299
        assert credentials.get_frozen_credentials() == first
        assert imds_emulator.counters["faults"] == faults
        clock.now += 302
        assert credentials.get_frozen_credentials() == first
        assert imds_emulator.counters["faults"] > faults
    assert len(caplog.records) == 1
    assert first.secret_key not in caplog.text
    imds_emulator.event("clear-faults")
    imds_emulator.event("rotate-credentials")
    clock.now += 601
    assert credentials.get_frozen_credentials() != first


def test_a_role_that_was_taken_away_ends_with_its_credentials(imds_emulator):
    clock = Clock()
    credentials = credentials_with(imds_emulator, clock)
    first = credentials.get_frozen_credentials()
    imds_emulator.unset("iam")
    clock.now += 6 * 3600 - 100
    assert credentials.get_frozen_credentials() == first
    clock.now += 200
    with pytest.raises(botocore.exceptions.CredentialRetrievalError):
        credentials.get_frozen_credentials()


@pytest.mark.imds_emulator(clock="x60")
def test_eight_threads_sign_while_credentials_rotate(imds_emulator, sts):
    """Hours of the emulator's time in seconds: no request fails, and each is signed with
    credentials that were issued."""
    session = boto3.Session()
    integration.install(session, clock=lambda: imds_emulator.now.timestamp())
    client = session.client("sts", endpoint_url=sts.url)
    stop, failures = threading.Event(), []

    def sign():
        while not stop.is_set():
            try:
                client.get_caller_identity()
            except Exception as error:
                failures.append(error)
                return

    issued = set()
    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    reader = imds_client.Client()
    while len({key for key, *_ in sts.signed}) < 4 and not failures:
        imds_emulator.event("rotate-credentials")
        issued.add(reader.credentials().access_key_id)
        # The held credentials come due, as if their hours had passed.
        for credentials in list(integration._credentials):
            held = credentials._held
            credentials._held = type(held)(held.credentials, 0.0)
        with sts.changed:
            wanted = len(sts.signed) + 50
            assert sts.changed.wait_for(lambda: len(sts.signed) >= wanted or failures, timeout=30)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len({key for key, *_ in sts.signed}) >= 4
    assert {key for key, *_ in sts.signed} - issued <= {sts.signed[0][0]}
    imds_emulator.assert_that("token-puts == 1 and v1 == 0")
