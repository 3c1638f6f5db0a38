"""One class of exception for each kind of failure, and the exit code of each."""

from __future__ import annotations

import pickle

import imds_client
import pytest
from imds_client import Client


@pytest.mark.parametrize(
    ("fault", "kind", "exit_code"),
    [
        ("401", imds_client.Unauthorized, 5),
        ("403", imds_client.Forbidden, 5),
        ("404", imds_client.NotFound, 3),
        ("429", imds_client.Throttled, 6),
        ("500", imds_client.ServerError, 6),
        ("503", imds_client.ServerError, 6),
        ("reset", imds_client.Unreachable, 4),
        ("stall", imds_client.Unreachable, 4),
        ("truncate", imds_client.ProtocolError, 1),
    ],
)
def test_a_fault_is_an_exception(imds_emulator, fault, kind, exit_code):
    imds_emulator.event("fault", fault=fault, path="/latest/meta-data/")
    imds = Client(attempts=1, read_timeout=0.1, store=False)
    with pytest.raises(kind) as failure:
        imds.get("placement/region")
    error = failure.value
    assert type(error) is kind
    assert error.exit_code == exit_code
    assert error.path == "/latest/meta-data/placement/region"
    assert isinstance(error, imds_client.ImdsError)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


def test_nothing_is_sent_where_the_environment_forbids_it(imds_emulator, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(imds_client.Disabled) as failure:
        imds_client.get("placement/region")
    assert failure.value.exit_code == 5
    assert imds_emulator.counters["requests"] == 0


def test_what_is_no_path_is_refused(imds_emulator):
    for path in ("..", "a/../b", "x\ny", ""):
        with pytest.raises(imds_client.PathError) as failure:
            imds_client.get(path)
        assert isinstance(failure.value, ValueError)
        assert failure.value.exit_code == 2


def test_a_settings_error_names_its_source(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ftp://127.0.0.1")
    with pytest.raises(imds_client.ConfigError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT") as failure:
        imds_client.get("placement/region")
    assert failure.value.exit_code == 2


def test_the_default_client_follows_the_environment(imds_emulator_factory, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    for region in ("eu-west-1", "eu-north-1"):
        emulator = imds_emulator_factory(values={"placement/region": region})
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", emulator.endpoint)
        assert imds_client.get("placement/region") == region


def test_a_secret_is_in_no_message(imds_emulator):
    secret = imds_emulator.values()["/latest/meta-data/iam/security-credentials/my-role"].decode()
    imds_emulator.set("iam/security-credentials-extended/my-role", secret[:-40])
    imds_emulator.set("iam/security-credentials/my-role", secret[:-40])
    with pytest.raises(imds_client.ProtocolError) as failure:
        Client(attempts=1).credentials("my-role")
    assert "ASIA" not in f"{failure.value!r} {vars(failure.value)}"
