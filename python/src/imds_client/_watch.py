"""The iterator over changes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from . import _native
from ._documents import Change, change
from ._options import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._options import Seconds


def watch(client: _native.Client, subjects: tuple[str, ...], interval: Seconds) -> Iterator[Change]:
    """Return an iterator over changes; what cannot be watched is refused at once."""
    return _changes(client, _native.Watcher(list(subjects), seconds(interval) or 0.0))


def _changes(client: _native.Client, watcher: _native.Watcher) -> Iterator[Change]:
    while True:
        lines, pause = watcher.poll(client)
        for line in lines:
            yield change(line)
        # Python's own, so that a signal interrupts it.
        time.sleep(pause)
