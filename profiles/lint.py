"""Reports how much of a profile is known, and with which confidence, for its author and reviewers.

`bmc-emulator profile lint` calls it. Mistakes are errors of the loader, and messages that are not as their registry has
them; lint counts and lists weak evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fencelab_yaml.errors import Problem
from fencelab_yaml.source import YamlList, YamlMap, child
from profiles import registry_lint
from profiles.build import build
from profiles.errors import ProfileError
from profiles.loader import AlsoCheck, Resolved, child_is_true, resolve
from profiles.model import Confidence, FactEvidence, HostEvent, Profile

_GRACEFUL = ("GracefulShutdown", "soft")
_TABLES = ("power.table.", "ipmi.chassis.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of lint. If there are `problems`, the profile does not load and the other fields are empty."""

    profile: str
    problems: tuple[Problem, ...] = ()
    cells_known: int = 0
    cells_total: int = 0
    ipmi_known: int = 0
    ipmi_total: int = 0
    claims: Mapping[Confidence, int]
    assumed: tuple[str, ...] = ()  # cells with a parent's outcome, because the vendor's is not known
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def share(self, confidence: Confidence) -> float:
        """The share of all claims with this confidence, 0 to 1."""
        total = sum(self.claims.values())
        return self.claims.get(confidence, 0) / total if total else 0.0


class Cells(NamedTuple):
    """Cells of the power tables of both protocols: set by the profile itself, taken from a parent, or unknown ("?")."""

    own: int
    inherited: int
    unknown: int


def cells_of(resolved: Resolved) -> Cells:
    """Counts the cells of a profile by where they come from."""
    counts: Counter[str] = Counter()
    for table in (child(resolved.root, "power", "table"), child(resolved.root, "ipmi", "chassis")):
        for row in table.entries.values() if isinstance(table, YamlMap) else ():
            for cell in row.entries.values() if isinstance(row, YamlMap) else ():
                assumed = isinstance(cell, YamlList) and cell.assumed
                is_own = cell.mark.file == resolved.own.mark.file
                counts["unknown" if assumed else "own" if is_own else "inherited"] += 1
    return Cells(counts["own"], counts["inherited"], counts["unknown"])


def told(report: Report) -> Mapping[str, object]:
    """The report as JSON: `problems` with file, line, column, path and message, or what is known."""
    if not report.ok:
        problems = [
            {"file": p.mark.file, "line": p.mark.line, "column": p.mark.column, "path": p.path, "message": p.message}
            for p in report.problems
        ]
        return {"profile": report.profile, "ok": False, "problems": problems}
    return {
        "profile": report.profile,
        "ok": True,
        "cells": {"known": report.cells_known, "total": report.cells_total},
        "ipmi_cells": {"known": report.ipmi_known, "total": report.ipmi_total},
        "claims": {confidence.value: count for confidence, count in report.claims.items()},
        "assumed": list(report.assumed),
        "warnings": list(report.warnings),
    }


ServiceCheck = Callable[[Resolved, Profile], Iterable[Problem]]
"""Finds what only the emulated service can know of a profile without mistakes, such as the paths of its resources."""


def lint(name_or_path: str | Path, *, also: AlsoCheck | None = None, service: ServiceCheck | None = None) -> Report:
    """Checks a shipped profile or a file. Raises nothing because of the file's content."""
    try:
        resolved = resolve(name_or_path, also, again=True)
    except ProfileError as error:
        return Report(profile=str(name_or_path), problems=error.problems, claims={})
    registry = registry_lint.check(resolved.root)
    if registry.problems:
        return Report(profile=str(name_or_path), problems=tuple(sorted(registry.problems)), claims={})
    profile = build(resolved.root, resolved.extends, {}, resolved.files)
    if service is not None and (wrong := tuple(sorted(service(resolved, profile)))):
        return Report(profile=str(name_or_path), problems=wrong, claims={})
    cells = [(f"power.{state}.{word}", cell.assumed) for state, row in profile.power.table.items() for word, cell in row.items()]
    ipmi = [(f"ipmi.{state}.{word}", cell.assumed) for state, row in profile.ipmi.chassis.items() for word, cell in row.items()]
    claims = Counter(evidence.confidence for _, evidence in _claims(profile))
    return Report(
        profile=profile.id,
        cells_known=sum(not assumed for _, assumed in cells),
        cells_total=len(cells),
        ipmi_known=sum(not assumed for _, assumed in ipmi),
        ipmi_total=len(ipmi),
        claims={confidence: claims[confidence] for confidence in Confidence},
        assumed=tuple(name for name, assumed in (*cells, *ipmi) if assumed),
        warnings=(*map(str, registry.warnings), *_warnings(profile, resolved)),
    )


def render(report: Report) -> str:
    """Formats the report: the problems, or a summary with warnings."""
    if not report.ok:
        return str(ProfileError(report.problems))
    shares = ", ".join(f"{confidence.value} {report.share(confidence):.0%}" for confidence in Confidence)
    power = f"power cells known {report.cells_known}/{report.cells_total}"
    ipmi = f"IPMI cells known {report.ipmi_known}/{report.ipmi_total}"
    lines = [f"{report.profile}: {power}, {ipmi}", f"claims {sum(report.claims.values())}: {shares}"]
    if report.assumed:
        lines.append(f"assumed from a parent: {', '.join(report.assumed)}")
    lines += [f"warning: {warning}" for warning in report.warnings]
    return "\n".join(lines)


def _claims(profile: Profile) -> Iterator[tuple[str, FactEvidence]]:
    """Returns every claim of the resolved profile. Assumed cells make no claim."""
    for state, row in profile.power.table.items():
        yield from ((f"power.table.{state}.{word}", cell.evidence) for word, cell in row.items() if not cell.assumed)
    for state, commands in profile.ipmi.chassis.items():
        yield from ((f"ipmi.chassis.{state}.{word}", cell.evidence) for word, cell in commands.items() if not cell.assumed)
    yield "power.unlisted_type", profile.power.unlisted_type.evidence
    yield from profile.evidence.items()


def _warnings(profile: Profile, resolved: Resolved) -> Iterator[str]:
    if not child_is_true(resolved.root, "abstract"):
        yield from _graceful_that_cuts_power(profile)
    used = {source for _, evidence in _claims(profile) for source in evidence.sources}
    used.update(source for deviation in profile.deviations for source in deviation.evidence.sources)
    for source in _own_sources(resolved):
        if source not in used:
            yield f"sources.{source} is used by no claim"
    inferred = {name: evidence for name, evidence in _claims(profile) if evidence.confidence is Confidence.INFERRED}
    guessed = [name for name, evidence in inferred.items() if name.startswith(_TABLES) and not evidence.sources]
    if guessed:
        yield f'a guess, which is inferred from nothing: "?" is honest: {", ".join(guessed)}'
    if inferred:
        yield f"inferred: {', '.join(inferred)}"


def _graceful_that_cuts_power(profile: Profile) -> Iterator[str]:
    """Finds graceful requests that cut the power after a fixed time. With a hung operating system, no machine does that."""
    effects = {
        f"power.table.On.{word}": profile.power.outcomes[cell.outcome].effect for word, cell in profile.power.table["On"].items()
    }
    effects |= {f"ipmi.chassis.On.{word}": cell.effect for word, cell in profile.ipmi.chassis["On"].items()}
    for name, effect in effects.items():
        steps = profile.power.effects.get(effect, ())
        if name.endswith(_GRACEFUL) and any(step.real == "Off" for step in steps):
            yield (
                f"{name} cuts the power by itself; a request to the operating system is "
                f"event: {HostEvent.OS_SHUTDOWN.value}, and power.on_os_down is what follows"
            )


def _own_sources(resolved: Resolved) -> tuple[str, ...]:
    node = child(resolved.own, "sources")
    return tuple(node.entries) if isinstance(node, YamlMap) else ()
