"""Fencer files: YAML to `Definition`. All mistakes come at once, each as `file:line:column: path: message`.

Keys that every fencer has are read here; the adapter that the file names reads its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from conformance import capabilities, catalogues
from conformance.adapters.base import Adapter
from conformance.adapters.definition import Definition
from conformance.adapters.placeholders import SPEAKS
from conformance.adapters.registry import REGISTRY
from conformance.adapters.section import Section
from conformance.capabilities import DUAL, PDU
from conformance.catalogues import Catalogue
from conformance.vocabulary import Ask, Cause, Protocol
from fencelab_yaml.errors import Mark, Problem, Problems, YamlFileError, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlScalar, parse

COMMON: Final = ("fencer", "adapter", "limits", "capabilities", "causes", "catalogue", "needs", "over")
LIMITS: Final = ("deadline", "power_timeout", "stable_for")
OVER: Final = (*Protocol, DUAL, PDU)
DEFAULT_DEADLINE: Final = 60.0


class FencerFileError(Exception):
    """The file cannot be used; whoever wrote it has to change it. `str()` is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def read(file: Path, *, built_in: bool = False) -> Definition:
    """The fencer in a file. Raises FencerFileError with every mistake in it."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FencerFileError((Problem(Mark(str(file)), "", f"cannot be read: {error.strerror}"),)) from None
    problems = Problems("fencer file")
    try:
        root = parse(data, str(file), problems)
        section = Section(file=file, built_in=built_in, problems=problems, node=root)
        definition = _definition(section, hashlib.sha256(data).hexdigest()[:16])
        problems.raise_any()
    except YamlFileError as error:
        raise FencerFileError(error.problems) from None
    assert definition is not None  # whatever leaves none behind is a problem
    return definition


def _definition(root: Section, digest: str) -> Definition | None:
    """None where the file names no adapter; that is one of the problems then."""
    name = root.word("fencer") or root.file.stem
    adapter = _adapter(root)
    declared = _capabilities(root)
    limits = _limits(root)
    causes = _causes(root)
    catalogue = _catalogue(root)
    needs = "" if (node := root.get("needs")) is None else root.text(node, "needs") or ""
    if adapter is None:
        if root.get("adapter") is None or not REGISTRY.broken:  # else the other keys may be those of the adapter that is broken
            root.only((*COMMON, *dict.fromkeys(key for known in REGISTRY.shipped.values() for key in known.keys)))
        return None
    root.only((*COMMON, *adapter.keys), _of_others(adapter))
    base = adapter.read(root, None)
    changed = _changed(root, base)
    named = frozenset(ask for ask in Ask if declared is not None and ask in declared)
    return Definition(
        name=name,
        file=root.file,
        ways=_ways(root, base, {Protocol(key): way for key, way in changed.items() if key not in (DUAL, PDU)}, declared),
        asks=(base.asks | base.asks_if_declared) & named if named else base.asks,
        conventions=adapter.conventions,
        capabilities=declared,
        deadline=limits.get("deadline", DEFAULT_DEADLINE),
        limits=MappingProxyType(limits),
        causes=causes,
        digest=digest,
        built_in=root.built_in,
        catalogue=catalogue,
        needs=needs,
        both=changed.get(DUAL),
        pdu=changed.get(PDU),
    )


def _adapter(root: Section) -> type[Adapter] | None:
    name = root.word("adapter")
    if name is None:
        return None
    found = REGISTRY.get(name)
    if found is None:
        known = tuple(REGISTRY.all)
        broken = "".join(f"; {sentence}" for sentence in REGISTRY.broken)
        root.bad(
            root.node.entries["adapter"],
            "adapter",
            f"no such adapter{did_you_mean(name, known)}; there are: {listed(known)}{broken}",
        )
    return found


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _of_others(adapter: type[Adapter]) -> Mapping[str, str]:
    """What to say of keys that only other adapters read."""
    readers: dict[str, list[str]] = {}
    for other in REGISTRY.shipped.values():
        for key in other.keys:
            readers.setdefault(key, []).append(other.name)
    return {
        key: f"the adapter {adapter.name} does not read it, only {_and(names)}"
        for key, names in readers.items()
        if key not in adapter.keys
    }


def _changed(root: Section, base: Adapter) -> Mapping[str, Adapter]:
    """How it is asked over one protocol, over both for the same claim, or at a PDU, where that is not as ever."""
    changed: dict[str, Adapter] = {}
    for key, value, path in root.entries("over"):
        if key not in OVER:
            root.bad(value, path, f"no such protocol{did_you_mean(key, OVER)}; there are: {listed(OVER)}")
        elif (section := root.child(value, path, "must be a map")) is not None:
            section.only(base.over_keys)
            changed[key] = base.read(section, base)
    return changed


def _ways(
    root: Section, base: Adapter, changed: Mapping[Protocol, Adapter], declared: frozenset[str] | None
) -> Mapping[Protocol, Adapter]:
    """How it is asked over each protocol that it speaks: as its capabilities say, else as its placeholders show."""
    spoken = {SPEAKS[name] for name in base.placeholders() if name in SPEAKS}
    named = {protocol for protocol in Protocol if declared is not None and protocol in declared}
    protocols = named or spoken | set(changed) or base.default_protocols
    if not protocols:
        root.bad(root.node, "", "names no port: use {bmc.url}, {bmc.port} or {bmc.ipmi_port}, or it cannot reach an emulated BMC")
    return MappingProxyType({protocol: changed.get(protocol, base) for protocol in sorted(protocols)})


def _capabilities(root: Section) -> frozenset[str] | None:
    node = root.get("capabilities")
    if node is None:
        return None
    if not isinstance(node, YamlList):
        root.bad(node, "capabilities", "must be a list")
        return frozenset()
    words: set[str] = set()
    for number, item in enumerate(node.items):
        path = f"capabilities[{number}]"
        word = root.text(item, path)
        if word is not None and (why := capabilities.slip(word)) is not None:
            root.bad(item, path, why)
        elif word is not None:
            words.add(word)
    return frozenset(words)


def _limits(root: Section) -> dict[str, float]:
    limits: dict[str, float] = {}
    for key, value, path in root.entries("limits"):
        if key not in LIMITS:
            root.bad(value, path, f"no such limit{did_you_mean(key, LIMITS)}; there are: {listed(LIMITS)}")
        elif not isinstance(value, YamlScalar) or type(value.value) not in (int, float) or not 0 < float(value.raw) <= 3600:
            root.bad(value, path, "must be a number of seconds, more than 0 and at most 3600")
        else:
            limits[key] = float(value.raw)
    return limits


def _catalogue(root: Section) -> Catalogue | None:
    node = root.get("catalogue")
    if node is None:
        return None
    name = node.raw if isinstance(node, YamlScalar) else ""
    if name not in catalogues.ALL:
        root.bad(node, "catalogue", f"no such catalogue{did_you_mean(name, catalogues.ALL)}; there are: {listed(catalogues.ALL)}")
    return catalogues.ALL.get(name)


def _causes(root: Section) -> Mapping[Cause, re.Pattern[str]] | None:
    if root.get("causes") is None:
        return None
    causes: dict[Cause, re.Pattern[str]] = {}
    for key, value, path in root.entries("causes"):
        if key not in list(Cause):
            root.bad(value, path, f"no such cause{did_you_mean(key, Cause)}; there are: {listed(Cause)}")
        elif (pattern := root.pattern(value, path)) is not None:
            causes[Cause(key)] = pattern
    return MappingProxyType(causes)
