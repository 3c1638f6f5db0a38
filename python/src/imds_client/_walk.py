"""Iterators over every value below a path."""

from __future__ import annotations

from . import _native
from ._documents import Leaf


class Walk:
    """The values below a path. An error belongs to its own path; ``next`` goes on after it."""

    def __init__(self, leaves: _native.Leaves) -> None:
        self._leaves = leaves

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> Leaf:
        found = self._leaves.next()
        if found is None:
            raise StopIteration
        return Leaf(*found)
