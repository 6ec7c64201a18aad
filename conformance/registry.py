"""What there is of a kind, by name: our own modules first, then those that other distributions plug in.

Scenarios, adapters and reports each have one `Registry`. Commands ask it by name; plug-ins are imported only when a name is
wanted that is not our own, or when everything is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Generic, TypeVar

import fencelab_plugins

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Registry(Generic[T]):
    """`kind` is its word for people; `find_in` takes the objects out of a module; `name_of` is what users type for one."""

    kind: str
    group: str
    package: str
    find_in: Callable[[ModuleType], Iterable[T]]
    name_of: Callable[[T], str]
    sort_key: Callable[[T], object] | None = field(default=None)

    @cached_property
    def shipped(self) -> Mapping[str, T]:
        """Our own. Raises ValueError where two have one name."""
        found = [item for module in fencelab_plugins.modules_in(self.package) for item in self._distinct(module)]
        named: dict[str, T] = {}
        for item in sorted(found, key=self.sort_key) if self.sort_key is not None else found:  # type: ignore[arg-type]
            name = self.name_of(item)
            if named.setdefault(name, item) is not item:
                raise ValueError(f"two {self.kind}s are called {name!r}")
        return MappingProxyType(named)

    def _distinct(self, module: ModuleType) -> Iterable[T]:
        """What a module holds, each once; not all of it can be hashed."""
        return {id(item): item for item in self.find_in(module)}.values()

    @cached_property
    def _plugged(self) -> tuple[Mapping[str, T], tuple[str, ...]]:
        group = fencelab_plugins.load(self.group)
        named: dict[str, T] = dict(self.shipped)
        complaints = [str(broken) for broken in group.broken]
        for plugin in group.plugins:
            for item in self._distinct(plugin.module):
                name = self.name_of(item)
                if named.setdefault(name, item) is not item:
                    complaints.append(
                        str(
                            fencelab_plugins.BrokenPlugin(
                                group=plugin.group,
                                name=plugin.name,
                                distribution=plugin.distribution,
                                why=f"there is another {self.kind} called {name!r}",
                            )
                        )
                    )
        if self.sort_key is not None:
            named = {self.name_of(item): item for item in sorted(named.values(), key=self.sort_key)}  # type: ignore[arg-type]
        return MappingProxyType(named), tuple(complaints)

    @property
    def all(self) -> Mapping[str, T]:
        """Our own and those that are plugged in; imports the plug-ins."""
        return self._plugged[0]

    @property
    def broken(self) -> tuple[str, ...]:
        """What is plugged in and cannot be used, one sentence each; imports the plug-ins."""
        return self._plugged[1]

    def get(self, name: str) -> T | None:
        """The one of that name. Plug-ins are imported only where it is not our own."""
        return self.shipped[name] if name in self.shipped else self.all.get(name)
