"""The fixture ``imds_emulator``, for pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from .emulator import Emulator

_MARKER = "imds_emulator"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(preset, tokens, scenario, clock, link_local, ...): options of the fixture "
        "`imds_emulator`, those of `imds_client.emulator.Emulator`",
    )


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of the markers, the closest last, and of an indirect parameter."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(f"the marker `{_MARKER}` takes options by name only")
        options.update(marker.kwargs)
    options.update(getattr(request, "param", {}))
    return options


@pytest.fixture
def imds_emulator(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulator]:
    """An emulated instance metadata service that the environment points to.

    Options come from the marker ``imds_emulator``, or from indirect parametrization.
    """
    from .emulator import Emulator

    with Emulator(**_options(request)) as emulator:
        for name in (
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        ):
            monkeypatch.delenv(name, raising=False)
        # A directory of its own: the token of another emulator is none of this one's.
        for name, value in emulator.environment(tmp_path_factory.mktemp("imds")).items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture
def imds_emulator_factory() -> Iterator[Callable[..., Emulator]]:
    """A function that starts further emulators, which the environment does not point to."""
    from contextlib import ExitStack

    from .emulator import Emulator

    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Emulator(**options))
