"""Which adapters there are: those in this package, and those that other distributions plug in."""

from __future__ import annotations

from functools import partial

import fencelab_plugins
from conformance.adapters.base import Adapter
from conformance.registry import Registry
from conformance.vocabulary import Convention

REGISTRY: Registry[type[Adapter]] = Registry(
    kind="adapter",
    group="fencelab.adapters",
    package="conformance.adapters",
    find_in=partial(fencelab_plugins.subclasses, kind=Adapter),  # type: ignore[type-abstract] # it finds what is below it
    name_of=lambda adapter: adapter.name,
)


def following(convention: Convention) -> tuple[str, ...]:
    """Names of our own adapters that follow a convention."""
    return tuple(name for name, adapter in REGISTRY.shipped.items() if convention in adapter.conventions)
