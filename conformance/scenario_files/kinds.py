"""The words of scenario files: one for each kind of precondition, expectation and happening, and its keys.

The word is the name of the class in small letters with hyphens (`ReadsBeforeClaim`: reads-before-claim), or its `yaml_word`. The
keys are the fields of the class. Kinds of plug-ins are found where a plug-in's module holds them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Final, get_type_hints

import fencelab_plugins
from conformance import happenings
from conformance.expectations.expectation import Expectation
from conformance.givens.given import Given
from conformance.happenings import Happening
from conformance.scenario import Scenario

BASES: Final[tuple[type, ...]] = (Given, Expectation, Happening)
LEFT_OUT: Final[Mapping[type, frozenset[str]]] = {Scenario: frozenset({"file"})}
"""Fields that say nothing of what is played."""
RENAMED: Final[Mapping[type, Mapping[str, str]]] = {Scenario: {"steps": "asks"}}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class KindField:
    """One key of a kind. `hint` is the type of its value; `default` is `dataclasses.MISSING` where the key must be there."""

    name: str
    key: str
    hint: object
    default: object

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING


@cache
def fields_of(cls: type[object]) -> tuple[KindField, ...]:
    """The keys of a dataclass in the order in which its fields stand."""
    hints, renamed = get_type_hints(cls), RENAMED.get(cls, {})
    return tuple(
        KindField(field.name, renamed.get(field.name, field.name), hints[field.name], _default(field))
        for field in (dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ())
        if field.name not in LEFT_OUT.get(cls, ())
    )


def _default(field: dataclasses.Field[object]) -> object:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def word_of(cls: type) -> str:
    """What scenario files call a kind."""
    return getattr(cls, "yaml_word", "") or _HUMP.sub("-", cls.__name__).lower()


def shipped(base: type) -> Mapping[str, type]:
    """Our own kinds of this base by their words."""
    return _named(base, tuple(_our_modules()))


@cache
def every(base: type) -> Mapping[str, type]:
    """Our own kinds and those of plug-ins, which it imports. Our own words are ours."""
    plugged = tuple(plugin.module for plugin in fencelab_plugins.load("fencelab.scenarios").plugins)
    return MappingProxyType({**_named(base, plugged), **shipped(base)})


def _our_modules() -> Iterator[ModuleType]:
    yield from fencelab_plugins.modules_in("conformance.givens")
    yield from fencelab_plugins.modules_in("conformance.expectations")
    yield happenings


@cache
def _named(base: type, modules: tuple[ModuleType, ...]) -> Mapping[str, type]:
    found: dict[str, type] = {}
    for module in modules:
        classes: tuple[type, ...] = fencelab_plugins.subclasses(module, base)
        found |= {word_of(cls): cls for cls in classes}
    return MappingProxyType(dict(sorted(found.items())))


def about(cls: type) -> str:
    """The first paragraph of the class's own description, in one line."""
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())
