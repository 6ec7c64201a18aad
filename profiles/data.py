"""Makes trees read-only, and copies them back to dicts and lists.

All machines of a rack share a profile, so it must not change; JSON writers need dicts and lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def frozen(value: Any) -> Any:
    """Returns the tree with read-only maps and tuples instead of dicts and lists, at every depth."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def thawed(value: Any) -> Any:
    """Returns a new copy of free-form JSON from a profile (reply bodies, resource patches) as dicts and lists."""
    if isinstance(value, Mapping):
        return {key: thawed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thawed(item) for item in value]
    return value
