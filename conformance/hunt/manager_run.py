"""One run of a manager in a hunt: its requests since the failure, and what the run comes to. Pure; made from the journal.

Rules
  1. The truth is the only judge. UNSAFE: it called a host down that had power, started a workload while another copy ran, or cut
     a host that is well. STUCK: the host was off, and by the deadline it was not called down, or its workloads ran nowhere.
  2. A host that has missed two of its probes in a row need not be well: nobody can know, and cutting it is not counted. Nor is a
     false claim that no fencer could have known to be false (`detectability`).
  3. STUCK counts only if the last deviation came in the first half of the deadline, and the BMC refused no credentials: who
     waits for long after that keeps an account from being locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from conformance.finding import Judgement
from conformance.hunt import agent_deviation
from conformance.hunt.agent_deviation import AGENT, MISSED
from conformance.hunt.detectability import is_undetectable
from conformance.hunt.observation import GATE, ObservedStep, observe
from conformance.hunt.trace import Trace
from conformance.timeline import AskWindow, text
from conformance.vocabulary import FindingKind, Verdict
from conformance.workloads import ASKED, WATCHED
from emulator import Event, EventKind, Rail

DID: Final = {"health": "probes", "list": "lists VMs of", "start": "starts a VM on", "stop": "stops a VM on"}
CUTS: Final = frozenset({FindingKind.OVERREACH, FindingKind.WRONG_TARGET})
DENIED: Final = "unauthorized"
ENOUGH_TIME: Final = 0.5
ENDS: Final = {"claims off": "calls it down", "fails": "calls nobody down"}


def since_failure(window: AskWindow) -> AskWindow:
    """The window from the moment on in which the manager had taken up all hosts; with no such moment, one that is empty."""
    mark = next((e for e in window.during if _is(e, WATCHED)), window.claim)
    past = (*window.past, window.start, *(e for e in window.during if e.seq <= mark.seq))
    return replace(window, past=past, during=tuple(e for e in window.during if e.seq > mark.seq))


def observe_watch(window: AskWindow) -> tuple[ObservedStep, ...]:
    """The requests since the failure, to the BMC of the target and to agents, in order; `window` is that of the whole watch.

    Requests to agents after the claim belong to it too: workloads are started then. Of the probes of one agent the
    first PROBES are kept.
    """
    cut = since_failure(window)
    bmc = replace(cut, during=tuple(e for e in cut.during if e.bmc == window.bmc))
    asked = [e for e in (*cut.during, *window.after) if _is(e, ASKED)]
    requests = [e.seq for e in bmc.during if e.kind is EventKind.REQUEST]
    steps = [*zip(requests, observe(bmc), strict=True), *((e.seq, _step(e, window)) for e in asked if _is_kept(e))]
    return tuple(step for _, step in sorted(steps, key=lambda placed: placed[0]))


def _is(event: Event, what: str) -> bool:
    return event.kind is EventKind.MANAGER and text(event, "what") == what


def _is_kept(event: Event) -> bool:
    return text(event, "request") != "health" or int(text(event, "nth")) <= agent_deviation.PROBES


def _step(event: Event, window: AskWindow) -> ObservedStep:
    request, nth = text(event, "request"), int(text(event, "nth"))
    return ObservedStep(
        did=f"{DID[request]} {event.bmc}",
        told=text(event, "told"),
        protocol=AGENT,
        intent=request,
        what=f"{request}@{event.bmc}",
        view="",
        word=text(event, "state"),
        rail=_rail(window, event),
        sent=nth,
        served=nth,
        viewed=0,
        effective=0,
        deviated=bool(text(event, "deviation")),
    )


def _rail(window: AskWindow, at: Event) -> str:
    rails = [e for e in (*window.past, *window.during, *window.after) if e.kind is EventKind.RAIL and window.is_host(e)]
    return next((text(e, "rail") for e in reversed(rails) if e.seq < at.seq), "")


def worst_of_watch(judgement: Judgement, trace: Trace, window: AskWindow, deadline: float) -> tuple[Verdict, str, str]:
    """Verdict, kind and sentence of the worst finding that counts here; PASS where there is none."""
    for finding in judgement.findings:
        kind = finding.kind.value if finding.kind is not None else ""
        if finding.verdict is Verdict.HANG or (finding.verdict is Verdict.UNSAFE and not _is_excused(finding.kind, trace)):
            return finding.verdict, kind, finding.actual
        if finding.verdict is Verdict.STUCK and judgement.facts[0].rail is Rail.DOWN and _had_time(trace, window, deadline):
            return finding.verdict, kind, finding.actual
    return Verdict.PASS, "", ""


def _is_excused(kind: FindingKind | None, trace: Trace) -> bool:
    """Whether a host was cut that had missed two probes in a row."""
    missed = sorted((placed.what, placed.nth) for placed in trace.deviations if placed.word in MISSED)
    in_a_row = any((what, nth + 1) in missed for what, nth in missed)
    return kind in CUTS and in_a_row


def _had_time(trace: Trace, window: AskWindow, deadline: float) -> bool:
    if any(placed.word == DENIED for placed in trace.deviations):
        return False
    cut = since_failure(window)
    began = cut.past[-1].t
    return all(t - began <= ENOUGH_TIME * deadline for t in _deviated(cut))


def _deviated(window: AskWindow) -> Iterator[float]:
    """When something deviated."""
    for event in (*window.during, *window.after):
        is_fault = event.kind in (EventKind.FAULT, EventKind.WIRE) and text(event, "fault") != GATE
        if is_fault or (_is(event, ASKED) and text(event, "deviation")):
            yield event.t


def is_hidden(window: AskWindow, trace: Trace, stable_for_s: float, *, has_chassis: bool) -> bool:
    """Whether no manager could have known that its claim was false."""
    return is_undetectable(since_failure(window), trace.world.protocol, stable_for_s, has_chassis=has_chassis)


def ended(end: str, steps: Sequence[ObservedStep]) -> str:
    """How a manager ended, in words."""
    starts = any(step.intent == "start" and step.told == "200" for step in steps)
    return f"{ENDS.get(end, end)}{' and starts VMs' if starts else ''}"
