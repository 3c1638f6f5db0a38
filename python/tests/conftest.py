"""Tests of the installed wheel. Run them where nothing but loopback can be reached."""

from __future__ import annotations

import sys

import pytest

pytest_plugins = ["pytester"]

# The AWS SDK for Python v4 needs Python 3.12.
collect_ignore = [] if sys.version_info >= (3, 12) else ["test_smithy.py"]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave only what a test sets: no profile, no credentials, no proxy, no token store."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("IMDS_CACHE_DIR", str(home / "imds"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
