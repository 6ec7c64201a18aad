"""Modules that other distributions plug in through entry points, and what a module holds of a kind.

    [project.entry-points."fencelab.scenarios"]
    acme = "acme_fencing.scenarios"

The value names a module. Whoever needs the kind loads its group (`load`) and takes the objects that it knows (`instances`,
`subclasses`); a fault registers itself when its module is imported. The groups are `fencelab.scenarios`, `fencelab.adapters`,
`fencelab.reports`, `fencelab.faults` and `fencelab.profiles`; of the last, the folder of the module counts.

A module of its own beside the packages, since the emulator and the suite both use it. Nothing is imported before somebody asks
for a group. What cannot be loaded is kept as one sentence: it stops only those who need what it would have provided.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A module that was loaded, and who named it."""

    group: str
    name: str
    distribution: str
    module: ModuleType


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPlugin:
    """A plug-in that cannot be used, and why; `str()` is one line."""

    group: str
    name: str
    distribution: str
    why: str

    def __str__(self) -> str:
        return f"the plug-in {self.name!r} of {self.distribution} ({self.group}) cannot be used: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginGroup:
    """All that is installed under one group, in the order of names."""

    plugins: tuple[Plugin, ...]
    broken: tuple[BrokenPlugin, ...]


@cache
def load(group: str) -> PluginGroup:
    """Imports every module of a group, once per process. Never raises for what a plug-in does wrong."""
    plugins: list[Plugin] = []
    broken: list[BrokenPlugin] = []
    for point in sorted(metadata.entry_points(group=group), key=lambda point: point.name):
        distribution = point.dist.name if point.dist is not None else "an unknown distribution"
        try:
            module = point.load()
            if not isinstance(module, ModuleType):
                raise TypeError(f"{point.value} is no module")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises when it is imported
            why = " ".join(f"{type(error).__name__}: {error}".split())
            broken.append(BrokenPlugin(group=group, name=point.name, distribution=distribution, why=why))
        else:
            plugins.append(Plugin(group=group, name=point.name, distribution=distribution, module=module))
    return PluginGroup(plugins=tuple(plugins), broken=tuple(broken))


def modules_in(package: str) -> Iterator[ModuleType]:
    """The modules of a package of ours, in the order of names, without those below sub-packages."""
    home = importlib.import_module(package)
    for found in pkgutil.iter_modules(home.__path__, f"{package}."):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def instances(module: ModuleType, kind: type[T]) -> tuple[T, ...]:
    """The objects of a class that a module holds under a name."""
    return tuple(value for value in vars(module).values() if isinstance(value, kind))


def subclasses(module: ModuleType, kind: type[T]) -> tuple[type[T], ...]:
    """The classes below a class that a module holds under a name and that can be instantiated."""
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, kind) and value is not kind and not inspect.isabstract(value)
    )
