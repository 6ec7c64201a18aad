"""Results as a run brings them back, made up: for tests of reports that want more cells than a test can play."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Final

from rich.console import Console

from conformance.causal_chain import ChainLine, tell
from conformance.finding import AskFacts, Finding
from conformance.report import github, html, junit, markdown, model, sarif, tap, terminal
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenario import Scenario
from conformance.scenarios import ALL
from conformance.vocabulary import Ask, Claim, FindingKind, Protocol, Verdict
from emulator import Event, Os, Rail, event_from_json

STARTED = datetime.datetime(2026, 11, 28, 9, 30, tzinfo=datetime.UTC)
SYSTEM = "System.Embedded.1"
MIXES: dict[str, Sequence[Verdict]] = {
    "careful": (Verdict.PASS, Verdict.PASS, Verdict.NA, Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.WAIVED),
    "careless": (Verdict.UNSAFE, Verdict.PASS, Verdict.STUCK, Verdict.NA, Verdict.MISLEADING, Verdict.UNSAFE, Verdict.HANG),
    "failing": (Verdict.UNSAFE, Verdict.STUCK, Verdict.HYGIENE, Verdict.UNSAFE, Verdict.FLAKY),
}
"""How the made-up fencers do; scenario and profile decide which of these a cell has."""
REMEDY = "Poll the power state after the command until it says Off twice; that a command was accepted proves nothing"


@cache
def journal(shift: float = 0.0, reads: int = 6, protocol: str = "redfish") -> str:
    """A fencer that reads, commands, claims too early; the rail falls later. `shift` delays everything behind the command."""
    return "".join(f"{event.to_json()}\n" for event in _events(shift, reads, protocol))


def _events(shift: float, reads: int, protocol: str) -> Iterator[Event]:
    number = count(1)
    asked = {"protocol": protocol, "user": "root", "system": SYSTEM, **({"auth": "basic"} if protocol == "redfish" else {})}
    read = (
        {"method": "GET", "path": f"/redfish/v1/Systems/{SYSTEM}"}
        if protocol == "redfish"
        else {"method": "IPMI", "path": "chassis-status"}
    )
    reset = (
        {"method": "POST", "path": f"/redfish/v1/Systems/{SYSTEM}/Actions/ComputerSystem.Reset"}
        if protocol == "redfish"
        else {"method": "IPMI", "path": "chassis-control"}
    )
    answered = {"status": 200} if protocol == "redfish" else {"completion_code": 0}
    accepted = {"status": 204} if protocol == "redfish" else {"completion_code": 0}

    def event(t: float, kind: str, cause: int | None = None, **data: object) -> Event:
        head = {"seq": next(number), "t": t, "bmc": "target", "kind": kind, "cause": cause}
        return event_from_json(json.dumps({**head, **data}))

    yield event(0.0, "rail", system=SYSTEM, host="target", rail="up", os="running", incarnation=1, was="initial")
    yield event(0.01, "fencer", what="start", ask=0, action="off", system=SYSTEM)
    at = 0.2
    for step in range(reads):
        at = 0.2 + 0.4 * step + (shift if step > 0 else 0.0)
        request = event(at, "request", **asked, **read, intent="power-read")
        yield request
        yield event(at + 0.01, "response", request.seq, **answered, protocol=protocol)
        view, word = "system" if protocol == "redfish" else "ipmi", "On" if step < reads - 1 else "Off"
        yield event(at + 0.01, "look", request.seq, system=SYSTEM, view=view, word=word)
        if step == 0:
            order = event(at + 0.1, "request", **asked, **reset, intent="power-command", reset="ForceOff")
            yield order
            yield event(
                at + 0.11, "command", order.seq, system=SYSTEM, reset="ForceOff", row="On", effect="force_off", **accepted
            )
            yield event(at + 0.12, "response", order.seq, **accepted, protocol=protocol)
    yield event(at + 0.3, "fencer", what="claim", ask=0)
    yield event(at + 0.35, "fencer", what="end", ask=0, claim="off", exit=0)
    yield event(at + 1.4, "rail", system=SYSTEM, host="target", rail="down", os="stopped", incarnation=2, was="went-down")


@cache
def _story(told: str) -> tuple[ChainLine, ...]:
    return tell(tuple(event_from_json(line) for line in told.splitlines()), (1,), 0)


def sample(scenario: Scenario, fencer: str, profile: str, verdict: Verdict, **more: object) -> Result:
    """One result as the runner makes it."""
    ran = verdict.ran
    told = journal(
        0.1 * (len(scenario.title) % 7), 3 + len(profile) % 9, "ipmi" if scenario.protocol is Protocol.IPMI else "redfish"
    )
    findings: tuple[Finding, ...] = ()
    kind = FindingKind.EARLY if verdict is Verdict.UNSAFE else None
    if verdict.is_defect:
        findings = (
            Finding(
                verdict=verdict,
                rule="G1",
                requirement=scenario.requirement,
                expected="no claim of off while the host's rail is up",
                actual=f"claimed off (exit 0) while the host had rail up, OS running; {profile} went off after the claim",
                ask=0,
                kind=kind,
                anchors=(1,),
                seen="read On at +0.2 s; sent ForceOff at +0.3 s: HTTP 204; read Off at +2.6 s",
                remedy=REMEDY,
            ),
        )
    facts = AskFacts(
        ask=Ask.OFF, bmc="target", system=SYSTEM, claim=Claim.OFF, exit=0, seconds=2.6, rail=Rail.UP, os=Os.RUNNING,
        incarnation_before=1, incarnation=1, requests=9, state_reads=6, power_commands=1, login_failures=0, assumed=0,
    )  # fmt: skip
    values: dict[str, object] = {
        "fencer": fencer,
        "fencer_digest": f"{abs(hash(fencer)):064x}"[:64],
        "profile": profile,
        "profile_digest": "7e840b3f30e8b4ea101f2f3cf61acea84d3cc07c713a3c664f1df7f1fdd91c02",
        "profile_version": "6.00.30.00",
        "scenario": scenario,
        "verdict": verdict,
        "kind": kind,
        "why": "" if verdict is Verdict.PASS else (findings[0].actual if findings else f"{fencer} does not declare sessions"),
        "protocol": Protocol.REDFISH if ran else None,
        "findings": findings,
        "stories": (_story(told),) if findings else (),
        "facts": (facts,) if ran else (),
        "seconds": 2.75 if ran else 0.0,
        "deadline": 15.0,
        "repeat": f"fence-conformance run --fencer {fencer} --profile {profile} --scenario {scenario.id}",
        "runs": ((verdict, ""),) if ran else (),
        "waived_from": Verdict.STUCK if verdict is Verdict.WAIVED else None,
        "journal": told if ran else "",
        "started": STARTED.timestamp() if ran else 0.0,
        **more,
    }
    return Result(**values)  # type: ignore[arg-type]


def many(fencers: Iterable[str], profiles: int, scenarios: Sequence[Scenario] = ALL) -> FinishedRun:
    """All scenarios on so many made-up profiles; `fencers` are keys of `MIXES`."""
    names = [f"vendor{number:02d}-model{number % 4}" for number in range(profiles)]
    results = tuple(
        sample(scenario, fencer, profile, MIXES[fencer][(row * 5 + column * 3 + row * column) % len(MIXES[fencer])])
        for fencer in fencers
        for column, profile in enumerate(names)
        for row, scenario in enumerate(scenarios)
    )
    return finished(*results)


def finished(*results: Result, **more: object) -> FinishedRun:
    """A run that has these results."""
    values: dict[str, object] = {
        "results": results, "version": "1.0", "seed": 0, "exit_code": exit_code(results), "catalogue": "2026.1",
        "started": STARTED, "seconds": 61.5, **more,
    }  # fmt: skip
    return FinishedRun(**values)  # type: ignore[arg-type]


def _terminal(run: FinishedRun) -> str:
    said = io.StringIO()
    terminal.close(Console(file=said, width=200), run.results)
    return said.getvalue()


FORMS: Final[Mapping[str, Callable[[FinishedRun], str]]] = {
    "github": github.to_annotations,
    "html": html.page,
    "json": model.to_json,
    "junit": junit.to_junit,
    "markdown": markdown.to_markdown,
    "sarif": sarif.to_sarif,
    "tap": tap.to_tap,
    "terminal": _terminal,
}
"""Every report that is a text, by its name."""
