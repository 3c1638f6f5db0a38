"""``python -m imds_client``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "imds_client", *arguments], capture_output=True, timeout=60, **options
    )


def test_a_value_is_printed_byte_for_byte(imds_emulator):
    imds_emulator.event("user-data", value=b"\x00\xff\n")
    assert command("get", "placement/region").stdout == b"us-east-1"
    assert command("get", "/latest/user-data").stdout == b"\x00\xff\n"


def test_several_values_are_lines_or_an_object(imds_emulator):
    assert command("get", "ami-id", "mac").stdout == b"ami-0abcdef1234567890\n02:29:96:8f:6a:2d\n"
    assert json.loads(command("get", "ami-id", "mac", "--output", "json").stdout) == {
        "ami-id": "ami-0abcdef1234567890",
        "mac": "02:29:96:8f:6a:2d",
    }
    assert json.loads(command("get", "ami-id", "-o", "json").stdout) == "ami-0abcdef1234567890"
    assert command("get", "spot/instance-action", "--default", "none").stdout == b"none"
    assert command("get", "ami-id", "nothing", "--default", "").stdout == b"ami-0abcdef1234567890\n\n"


@pytest.mark.parametrize(
    ("fault", "code"), [("403", 5), ("404", 3), ("429", 6), ("503", 6), ("reset", 4), ("truncate", 1)]
)
def test_exit_codes_are_those_of_imds(imds_emulator, fault, code):
    imds_emulator.event("fault", fault=fault, path="/latest/meta-data")
    ended = command("get", "placement/region")
    assert (ended.returncode, ended.stdout) == (code, b"")
    assert ended.stderr.startswith(b"error: ")
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["get"],
        ["get", ".."],
        ["get", "x", "--endpoint", "ftp://x"],
        ["get", "x", "--timeout", "-1"],
        ["get", "x", "--endpoint-mode", "IPv5"],
        ["get", "x", "--output", "xml"],
    ],
)
def test_wrong_use_is_2(imds_emulator, arguments):
    ended = command(*arguments)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"Traceback" not in ended.stderr


def test_disabled_is_5_with_a_hint(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ended = command("get", "placement/region")
    assert ended.returncode == 5
    assert b"hint: unset `AWS_EC2_METADATA_DISABLED` to ask the service\n" in ended.stderr
