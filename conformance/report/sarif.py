"""SARIF 2.1.0, for code scanning: a rule per scenario, a result per finding, the fencer's file as its place.

What passes, is skipped or not applicable is no result: viewers show every result as an alert. What could not be tried on this
machine, and what an interrupted run has left, are notifications of the invocation.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, TextIO
from urllib.parse import quote

from conformance.report.model import Json, last_line, reservations
from conformance.report.place import FencerPlace, place_of
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.scenario import Scenario
from conformance.vocabulary import SarifLevel, Verdict

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LONGEST_MESSAGE: Final = 8_000
"""Characters of one message: a finding in full has some 2,000."""
ROOT, SUITE = "SRCROOT", "FENCELAB"
BASES: Final[dict[str, Json]] = {
    ROOT: {"description": {"text": "The repository that the fencer's file lies in, or the directory in which the suite ran."}},
    SUITE: {"description": {"text": "The suite's own files: this fencer comes with it."}},
}


def to_sarif(run: FinishedRun) -> str:
    """The whole run as a SARIF log."""
    shown = [result for result in run.results if is_result(result)]
    scenarios = list({result.scenario.id: result.scenario for result in shown}.values())
    numbers = {scenario.id: number for number, scenario in enumerate(scenarios)}
    rules: list[Json] = [_rule(scenario, [r for r in shown if r.scenario.id == scenario.id]) for scenario in scenarios]
    log: Json = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "fence-conformance", "version": run.version, "rules": rules}},
                "originalUriBaseIds": BASES,
                "invocations": [_invocation(run)],
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, numbers[result.scenario.id]) for result in shown],
                "properties": {
                    "seed": run.seed,
                    "catalogue": run.catalogue,
                    "strict": run.strict,
                    "summary": last_line(run.results),
                },
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=1) + "\n"


def is_result(result: Result) -> bool:
    """Whether a cell is shown as a result: what somebody has to change, and what a waiver accepts."""
    return result.verdict.needs_action or result.verdict is Verdict.WAIVED


def level_of(result: Result) -> SarifLevel:
    return SarifLevel.NOTE if result.informational else result.verdict.sarif


def fingerprint(result: Result) -> str:
    """The same for the same scenario, profile and fencer, whatever else has changed."""
    key = json.dumps([result.scenario.id, result.profile, result.fencer])
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _rule(scenario: Scenario, results: Sequence[Result]) -> Json:
    requirement = scenario.requirement
    remedies = tuple(dict.fromkeys(f.remedy for r in results for f in r.findings if f.remedy))
    lines = [f"{requirement.id} ({requirement.level}): {requirement.sentence} [{requirement.source}]"]
    lines += [f"Remedy: {remedy}" for remedy in remedies]
    lines.append(f"More: fence-conformance explain {scenario.id} {requirement.id}")
    worst = min(results, key=lambda result: result.verdict.severity)
    return {
        "id": scenario.id,
        "name": scenario.id.replace("-", ""),
        "shortDescription": {"text": scenario.title},
        "fullDescription": {"text": requirement.sentence},
        "help": {"text": "\n".join(lines), "markdown": "\n\n".join(lines)},
        "defaultConfiguration": {"level": level_of(worst).value},
        "properties": {"tags": ["fencing", scenario.group], "tier": scenario.tier, "source": scenario.source},
    }


def _result(result: Result, number: int) -> Json:
    place = place_of(result.fencer_file)
    told: dict[str, Json] = {
        "ruleId": result.scenario.id,
        "ruleIndex": number,
        "level": level_of(result).value,
        "message": {"text": _message(result)},
        "locations": [_location(place)] if place is not None else [],
        # Code scanning tells results apart by the first one; all of a fencer's findings stand at the same line.
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint(result)}:1", "fencelab/v1": fingerprint(result)},
        "properties": {
            "fencer": result.fencer,
            "profile": result.profile,
            "verdict": result.verdict.value,
            "kind": result.kind.value if result.kind else None,
            "informational": result.informational,
            "repeat": result.repeat,
        },
    }
    if result.verdict is Verdict.WAIVED:
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": result.why}]
    return told


def _message(result: Result) -> str:
    if result.verdict is Verdict.WAIVED:
        return f"{result.fencer} x {result.profile}: {result.why}"
    text = plain(result).rstrip()
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} [...]"


def _location(place: FencerPlace) -> Json:
    absolute = PurePosixPath(place.path).is_absolute()
    path = quote(place.path.encode(errors="surrogateescape"))  # a name of a file may be any bytes
    uri = f"file://{path}" if absolute else path
    base: dict[str, Json] = {} if absolute else {"uriBaseId": SUITE if place.shipped else ROOT}
    return {"physicalLocation": {"artifactLocation": {"uri": uri, **base}, "region": {"startLine": place.line}}}


def _invocation(run: FinishedRun) -> Json:
    times: dict[str, Json] = {}
    if run.started is not None:
        ended = run.started + datetime.timedelta(seconds=run.seconds)
        times = {"startTimeUtc": _utc(run.started), "endTimeUtc": _utc(ended)}
    told: list[Json] = [
        {"level": level, "message": {"text": text}} for level, texts in _notifications(run).items() for text in texts
    ]
    whole = not run.interrupted and not any(result.verdict is Verdict.ERROR for result in run.results)
    return {"executionSuccessful": whole, "exitCode": run.exit_code, **times, "toolExecutionNotifications": told}


def _notifications(run: FinishedRun) -> Mapping[str, Sequence[str]]:
    def skipped() -> Iterator[str]:
        for result in run.results:
            if result.verdict is Verdict.SKIP:
                yield f"{result.scenario.id} {result.fencer} x {result.profile}: not tried, {result.why}"

    left = [f"the run was interrupted: {len(run.not_run)} cells were not run"] if run.interrupted else []
    known = tuple(f"{label}: {sentence}" for label, sentences in reservations(run.results) for sentence in sentences)
    return {"error": left, "warning": tuple(skipped()), "note": known}


def _utc(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_sarif(run))


SARIF: Final = ReportFormat(name="sarif", suffix=".sarif", help="SARIF 2.1.0, for code scanning.", write=_write)
