"""Fencer files: YAML to `Definition`. All mistakes come at once, each as `file:line:column: path: message`.

`fencer_forms` checks the form of a file. The keys that every fencer has are read here; the adapter that the file names reads its
own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from conformance import catalogues
from conformance.adapters.base import Adapter
from conformance.adapters.checked_files import is_checked
from conformance.adapters.definition import Definition
from conformance.adapters.placeholders import SPEAKS, parts, placeholders
from conformance.adapters.registry import REGISTRY
from conformance.adapters.section import Section
from conformance.capabilities import DUAL, PDU
from conformance.catalogues import Catalogue
from conformance.vocabulary import Ask, Cause, Protocol
from fencelab_yaml.errors import Mark, Problem, Problems, YamlFileError, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, parse, text_of

DEFAULT_DEADLINE: Final = 60.0
NO_PORT: Final = "names no port: use {bmc.url}, {bmc.port} or {bmc.ipmi_port}, or it cannot reach an emulated BMC"


class FencerFileError(Exception):
    """The file cannot be used; whoever wrote it has to change it. `str()` is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def read(file: Path, *, built_in: bool = False, again: bool = False) -> Definition:
    """The fencer in a file. Raises FencerFileError with every mistake in it.

    The form of a shipped file that has been checked as it is now is not checked once more, unless `again`.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FencerFileError((Problem(Mark(str(file)), "", f"cannot be read: {error.strerror}"),)) from None
    problems = Problems("fencer file")
    digest = hashlib.sha256(data).hexdigest()
    try:
        root = parse(data, str(file), problems)
        section = Section(file=file, built_in=built_in, problems=problems, node=root, checked=True)
        adapter = REGISTRY.get(text_of(root.entries.get("adapter")) or "")
        if again or not is_checked(file, digest):
            _check(section, adapter)
        if adapter is None or adapter.form:
            problems.raise_any()
        assert adapter is not None  # that there is none is a problem
        definition = _definition(section, adapter, digest[:16])
        problems.raise_any()
    except YamlFileError as error:
        raise FencerFileError(error.problems) from None
    return definition


# -- the form ----------------------------------------------------------------------------------------------------------------


def _check(root: Section, adapter: type[Adapter] | None) -> None:
    """Notes every mistake in the form of a file."""
    from conformance.fencer_forms.whole import form_of, form_without_adapter  # they load pydantic, which takes 100 ms

    problems, node = root.problems, root.node
    if adapter is None:
        named = root.get("adapter") is not None
        # where an adapter is broken, other keys may be its own
        form_without_adapter(node.entries if named and REGISTRY.broken else ()).check(node, problems)
        _no_adapter(root)
        return
    form_of(adapter).check(node, problems)
    if adapter.form and problems.found and _names_no_port(root, adapter):
        problems.add(node.mark, "", NO_PORT)


def _no_adapter(root: Section) -> None:
    node = root.get("adapter")
    if not isinstance(node, YamlScalar):
        return  # the form has said so
    known = tuple(REGISTRY.all)
    broken = "".join(f"; {sentence}" for sentence in REGISTRY.broken)
    root.bad(node, "adapter", f"no such adapter{did_you_mean(node.raw, known)}; there are: {listed(known)}{broken}")


def _names_no_port(root: Section, adapter: type[Adapter]) -> bool:
    """Whether a file with mistakes seems to have this one too, which is known for sure when all others are gone."""
    texts = " ".join(text for key, node in root.node.entries.items() if key not in ("causes", "needs") for text in _texts(node))
    spoken = {SPEAKS[name] for name in placeholders(texts) if name in SPEAKS}
    words = set(_texts(root.node.entries["capabilities"])) if "capabilities" in root.node.entries else set()
    return not (spoken or adapter.default_protocols or words & set(Protocol) or "over" in root.node.entries)


def _texts(node: YamlNode) -> Iterator[str]:
    match node:
        case YamlScalar(raw=raw):
            yield raw
        case YamlList(items=items):
            for item in items:
                yield from _texts(item)
        case YamlMap(entries=entries):
            for each in entries.values():
                yield from _texts(each)


# -- what it says ------------------------------------------------------------------------------------------------------------


def _definition(root: Section, adapter: type[Adapter], digest: str) -> Definition:
    own = replace(root, checked=bool(adapter.form))
    base = adapter.read(own, None)
    changed = {
        key: base.read(replace(own, node=value, path=path), base)
        for key, value, path in root.entries("over")
        if isinstance(value, YamlMap)
    }
    root.problems.raise_any()
    declared = _capabilities(root)
    limits = _limits(root)
    named = frozenset(ask for ask in Ask if declared is not None and ask in declared)
    return Definition(
        name=root.raw("fencer"),
        file=root.file,
        ways=_ways(root, base, {Protocol(key): way for key, way in changed.items() if key not in (DUAL, PDU)}, declared),
        asks=(base.asks | base.asks_if_declared) & named if named else base.asks,
        conventions=adapter.conventions,
        capabilities=declared,
        deadline=limits.get("deadline", DEFAULT_DEADLINE),
        limits=MappingProxyType(limits),
        causes=_causes(root),
        digest=digest,
        built_in=root.built_in,
        catalogue=_catalogue(root),
        needs=root.raw("needs"),
        both=changed.get(DUAL),
        pdu=changed.get(PDU),
    )


def _ways(
    root: Section, base: Adapter, changed: Mapping[Protocol, Adapter], declared: frozenset[str] | None
) -> Mapping[Protocol, Adapter]:
    """How it is asked over each protocol that it speaks: as its capabilities say, else as its placeholders show."""
    spoken = {SPEAKS[name] for name in base.placeholders() if name in SPEAKS}
    named = {protocol for protocol in Protocol if declared is not None and protocol in declared}
    protocols = named or spoken | set(changed) or base.default_protocols
    if not protocols:
        root.bad(root.node, "", NO_PORT)
    return MappingProxyType({protocol: changed.get(protocol, base) for protocol in sorted(protocols)})


def _capabilities(root: Section) -> frozenset[str] | None:
    node = root.get("capabilities")
    return None if node is None else frozenset(parts(root.line(node, "capabilities")))


def _limits(root: Section) -> dict[str, float]:
    part = root.part("limits")
    return {} if part is None else {key: float(seconds) for key in part.node.entries for seconds in part.numbers(key)}


def _catalogue(root: Section) -> Catalogue | None:
    """The one that a file pins. 2026.10 and 2026.1 are one number to the form."""
    name = root.raw("catalogue")
    if name and name not in catalogues.ALL:
        root.bad(root.node.entries["catalogue"], "catalogue", f"there is no {name}; there are: {listed(catalogues.ALL)}")
    return catalogues.ALL.get(name)


def _causes(root: Section) -> Mapping[Cause, re.Pattern[str]] | None:
    if root.get("causes") is None:
        return None
    found = ((key, root.pattern(value, path)) for key, value, path in root.entries("causes"))
    return MappingProxyType({Cause(key): pattern for key, pattern in found if pattern is not None})
