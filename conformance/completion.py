"""Completion of names in a shell: fencers, profiles, scenarios and groups. Each is a type of an option or argument of click.

A shell runs `fence-conformance` once for each completion, so nothing heavy is imported before names are wanted. Values that may
be lists (`a,b`) are completed behind their last comma. Where files may be named too, the shell completes them if no name fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

# Generic for the type checker only: older releases of click do not support `ParamType[str]` at run time.
if TYPE_CHECKING:
    _TextType = click.ParamType[str]
else:
    _TextType = click.ParamType


class NamesType(_TextType):
    """Text that names one of `names()`, or several with commas between them. With `files`, files complete as well."""

    def __init__(self, name: str, names: Callable[[], Iterable[str]], *, files: bool = False, any_case: bool = False) -> None:
        self.name = name
        self._names = names
        self._files = files
        self._any_case = any_case

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, word = incomplete.rpartition(",")
        begun = word.upper() if self._any_case else word
        named = set(before.split(","))
        found = [
            CompletionItem(f"{before}{comma}{name}") for name in self._names() if name.startswith(begun) and name not in named
        ]
        return [CompletionItem(incomplete, type="file"), *found] if self._files else found


def _fencers() -> Iterable[str]:
    from conformance import fencers

    return fencers.names()


def _profiles() -> Iterable[str]:
    from profiles import loader

    return ("all", *loader.names())


def _scenarios() -> Iterable[str]:
    from conformance import scenarios

    shipped = scenarios.REGISTRY.shipped
    return (*scenarios.groups_of(shipped.values()), *shipped)


def _explained() -> Iterable[str]:
    from conformance import requirement
    from conformance.vocabulary import FindingKind, Verdict

    return (*_scenarios(), *(each.id for each in requirement.ALL), *Verdict, *FindingKind)


def _adapters() -> Iterable[str]:
    from conformance import templates

    return templates.names()


def _catalogues() -> Iterable[str]:
    from conformance import catalogues

    return catalogues.ALL


FENCERS: Final = NamesType("fencer", _fencers, files=True)
PROFILES: Final = NamesType("profile", _profiles, files=True)
SCENARIOS: Final = NamesType("scenario", _scenarios, any_case=True)
EXPLAINED: Final = NamesType("id", _explained, any_case=True)
ADAPTERS: Final = NamesType("adapter", _adapters)
CATALOGUES: Final = NamesType("catalogue", _catalogues)
