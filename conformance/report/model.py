"""A run's results as plain data: what the JSON report holds, and what the other reports read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TextIO

from conformance.causal_chain import ChainLine
from conformance.finding import AskFacts, Finding, PowerCellMet
from conformance.report.report import FinishedRun, ReportFormat
from conformance.result import Result, counts
from conformance.vocabulary import Verdict

SCHEMA: Final = "fencelab.conformance/1"
IDENTITY_ONLY: Final = "nobody has shown how its power behaves, so verdicts about power rest on answers that are assumed"
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def report(run: FinishedRun) -> dict[str, Json]:
    """The JSON report (docs/report.md). Keys are only ever added within one schema version."""
    every = run.results
    return {
        "schema": SCHEMA,
        "version": run.version,
        "started": run.started.isoformat(timespec="seconds") if run.started is not None else None,
        "seconds": round(run.seconds, 3),
        "seed": run.seed,
        "catalogue": run.catalogue,
        "strict": run.strict,
        "interrupted": run.interrupted,
        "not_run": list(run.not_run),
        "summary": {
            "exit_code": run.exit_code,
            "line": last_line(every),
            "fencers": list(dict.fromkeys(r.fencer for r in every)),
            "profiles": list(dict.fromkeys(r.profile for r in every)),
            "total": len(every),
            "verdicts": {verdict.value: count for verdict, count in counts(every).items()},
            "missing_protections": list(missing_protections(every)),
            "not_searched": list(not_searched(every)),
            "identity_only": list(identity_only(every)),
            "assumed": list(assumed_cells(every)),
        },
        "results": [cell(r) for r in every],
    }


def missing_protections(results: Sequence[Result]) -> tuple[str, ...]:
    """Which protections against misbehaving fencers this machine did not give, each once."""
    return tuple(dict.fromkeys(what for r in results for what in r.unprotected))


def not_searched(results: Sequence[Result]) -> tuple[str, ...]:
    """Where passwords may stand and were not looked for, each once."""
    return tuple(dict.fromkeys(what for r in results for what in r.unsearched))


def assumed_cells(results: Sequence[Result]) -> tuple[str, ...]:
    """Of each profile whose unknown cells were met: how many power commands met one, in how many scenarios."""
    met: dict[str, list[int]] = {}
    for result in results:
        if result.assumed:
            met.setdefault(result.profile, []).append(result.assumed)
    return tuple(f"{profile}: {met_assumed(sum(counts), f' in {len(counts)} cells')}" for profile, counts in met.items())


def met_assumed(commands: int, where: str = "") -> str:
    """That so many power commands met unknown cells, as the end of a sentence."""
    return f"{commands} power command{'' if commands == 1 else 's'}{where} met an answer that nobody has seen of this BMC"


def identity_only(results: Sequence[Result]) -> tuple[str, ...]:
    """A sentence for each profile of which the identity alone is known."""
    profiles = dict.fromkeys(result.profile for result in results if result.identity_only)
    return tuple(f"{profile}: {IDENTITY_ONLY}" for profile in profiles)


def reservations(results: Sequence[Result]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a reader must know before he relies on the verdicts: a label, and its sentences. Labels without any are left out."""
    every = (
        ("not protected", missing_protections(results)),
        ("not searched", not_searched(results)),
        ("identity only", identity_only(results)),
        ("assumed", assumed_cells(results)),
    )
    return tuple((label, sentences) for label, sentences in every if sentences)


def to_json(run: FinishedRun) -> str:
    return json.dumps(report(run), ensure_ascii=False, indent=1) + "\n"


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_json(run))


JSON: Final = ReportFormat(name="json", suffix=".json", help="Everything, for machines (docs/report.md).", write=_write)


def cell(r: Result) -> dict[str, Json]:
    """One result."""
    last = r.facts[-1] if r.facts else None
    return {
        "scenario": r.scenario.id,
        "profile": r.profile,
        "verdict": r.verdict.value,
        "kind": r.kind.value if r.kind else None,
        "fencer": r.fencer,
        "tier": r.scenario.tier,
        "level": r.scenario.requirement.level.value,
        "title": r.scenario.title,
        "requirement": {
            "id": r.scenario.requirement.id, "sentence": r.scenario.requirement.sentence, "source": r.scenario.requirement.source,
        },
        "source": r.scenario.source,
        "protocol": r.protocol.value if r.protocol else None,
        "why": r.why,
        "findings": [_finding(f, story) for f, story in zip(r.findings, r.stories, strict=True)],
        "notes": [_finding(f, ()) for f in r.notes],
        "claim": last.claim.value if last else None,
        "truth_at_claim": {"rail": last.rail.value, "os": last.os.value, "incarnation": last.incarnation} if last else None,
        "asks": [_facts(f) for f in r.facts],
        "counters": {
            "requests": sum(f.requests for f in r.facts),
            "state_reads": sum(f.state_reads for f in r.facts),
            "power_commands": sum(f.power_commands for f in r.facts),
            "login_failures": sum(f.login_failures for f in r.facts),
        },
        "assumed_cells": r.assumed,
        "power_cells": [_power_cell(met) for f in r.facts for met in f.cells],
        "preconditions": [{"origin": origin.value, "sentence": sentence} for origin, sentence in r.preconditions],
        "timings": {"seconds": round(r.seconds, 3), "asks": [round(f.seconds, 3) for f in r.facts], "deadline": r.deadline},
        "first_verdict": r.first_verdict.value if r.first_verdict else None,
        "runs": [{"verdict": verdict.value, "why": why} for verdict, why in r.runs],
        "remarks": list(r.remarks),
        "informational": r.informational,
        "waived_from": r.waived_from.value if r.waived_from else None,
        "said": r.said,
        "missing_protections": list(r.unprotected),
        "not_searched": list(r.unsearched),
        "digests": {"fencer": r.fencer_digest, "profile": r.profile_digest},
        "profile_version": r.profile_version,
        "repeat": r.repeat,
    }  # fmt: skip


def worst_first(results: Sequence[Result]) -> tuple[Result, ...]:
    """What somebody has to change, the worst first and informational results last; else in the order of the run."""
    open_ones = [r for r in results if r.verdict.needs_action]
    return tuple(sorted(open_ones, key=lambda r: (r.informational, r.verdict.severity)))


def _finding(finding: Finding, story: Sequence[ChainLine]) -> dict[str, Json]:
    return {
        "verdict": finding.verdict.value,
        "kind": finding.kind.value if finding.kind else None,
        "level": finding.level.value,
        "rule": finding.rule,
        "requirement_id": finding.requirement.id,
        "requirement": f"{finding.requirement.id}: {finding.requirement.sentence}",
        "source": finding.requirement.source,
        "expected": finding.expected,
        "actual": finding.actual,
        "seen": finding.seen,
        "remedy": finding.remedy,
        "ask": finding.ask,
        "chain": [
            {"seq": line.seq, "cause": line.cause, "at": round(line.at, 6), "actor": line.actor, "text": line.text}
            for line in story
        ],
    }


def _facts(facts: AskFacts) -> dict[str, Json]:
    return {
        "ask": facts.ask.value,
        "bmc": facts.bmc,
        "claim": facts.claim.value,
        "exit": facts.exit,
        "seconds": round(facts.seconds, 3),
        "rail": facts.rail.value,
        "os": facts.os.value,
        "incarnation_before": facts.incarnation_before,
        "incarnation": facts.incarnation,
    }


def _power_cell(met: PowerCellMet) -> dict[str, Json]:
    return {
        "via": met.via,
        "row": met.row,
        "reset": met.reset,
        "code": met.code,
        "effect": met.effect,
        "assumed": met.assumed,
    }


LAST_LINE_ORDER: Final = (
    Verdict.PASS, Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG, Verdict.FLAKY, Verdict.MISLEADING, Verdict.HYGIENE, Verdict.ERROR,
    Verdict.WAIVED, Verdict.XPASS, Verdict.SKIP, Verdict.NA,
)  # fmt: skip


def last_line(results: tuple[Result, ...]) -> str:
    """One line for grep: `fence_bmc x dell-idrac9: 20 run, 20 pass, 0 UNSAFE, ...`."""
    found = counts(results)
    fencers = ",".join(dict.fromkeys(r.fencer for r in results))
    profiles = ",".join(dict.fromkeys(r.profile for r in results))
    run = sum(count for verdict, count in found.items() if verdict.ran)
    words = [f"{found[v]} {v.counted_as}" for v in LAST_LINE_ORDER if found[v] or v.always_counted]
    if informational := sum(1 for r in results if r.informational):
        words.append(f"{informational} informational")
    who = f"{fencers} x {profiles}" if results else "no cell"  # stopped before the first one had ended
    return f"{who}: {run} run, {', '.join(words)}"
