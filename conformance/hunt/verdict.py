"""What one run of a hunt comes to. Pure.

Rules
  1. Only UNSAFE, HANG and STUCK count. STUCK is a failure although every deviation had come and the goal held at that moment, or
     a forced power-off had been executed and nothing stood in its way, or the BMC had done nothing but to say once that it is
     busy; without any deviation every failure is one. A fencer may believe a BMC that has denied its requests twice, and may
     fail where silence has taken more than half of its deadline, or where it has waited for the host and looked too seldom to
     open the gate that the host of a hunt waits at (`observation.was_held_back`). Credentials that were never accepted, were
     refused, sent again and got no answer may have been refused twice: BMCs hold the answer to a wrong password back.
  2. What no fencer could have known is UNSAFE and `undetectable`: it is listed and never counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.finding import AskFacts, Judgement
from conformance.hunt.deviation import RANK, cost
from conformance.hunt.observation import ObservedStep
from conformance.hunt.trace import ManagerStart, Start, Trace
from conformance.vocabulary import Ask, Claim, Verdict
from emulator import Rail

COUNTED: Final = (Verdict.UNSAFE, Verdict.HANG, Verdict.STUCK)
DENIALS: Final[Mapping[str, int]] = {"unauthorized": 1, "not-found": 1, "unreadable": 2, "gone": 2, "locked-out": 2, "deaf": 2}
"""Deviations that deny a request, and for how many denials each counts."""
MOST_DENIALS: Final = 1
SILENCES: Final = frozenset({"lost-request", "lost-answer", "hang"})
PASSES: Final = ("busy",)
"""All that came was one answer that asks for patience."""
WITHHELD: Final = frozenset({"ignored", "late", "bounce", "word-first"})
"""Deviations after which an executed command does not do what it should, or not in time."""
MOST_SILENCE: Final = 0.5
FORCED: Final = "sends ForceOff"


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntedRun:
    """One run. `verdict` is UNSAFE, HANG, STUCK, PASS, or ERROR where it could not be played; `kind` that of the finding.

    `end` says how the fencer ended, in words. `key` is equal for runs that nobody could tell apart. With `complete` every
    deviation of the trace has come. `assumed` counts power commands that met a cell `"?"` of the profile.
    """

    trace: Trace
    steps: tuple[ObservedStep, ...]
    end: str
    key: str
    verdict: Verdict
    kind: str = ""
    why: str = ""
    undetectable: bool = False
    complete: bool = True
    assumed: int = 0

    @property
    def is_find(self) -> bool:
        """Whether it counts."""
        return self.verdict in COUNTED and not self.undetectable and self.complete

    @property
    def signature(self) -> tuple[str, str]:
        """What must stay the same when a find is made smaller or played again."""
        return self.verdict.value, self.kind


def worst(
    judgement: Judgement, trace: Trace, steps: Sequence[ObservedStep], silent_share: float = 0.0, *, held_back: bool = False
) -> tuple[Verdict, str, str]:
    """Verdict, kind and sentence of the worst finding that counts here; PASS where there is none.

    Every deviation of the trace has come. `silent_share` is the part of the deadline that requests without an answer took.
    `held_back` is what `observation.was_held_back` says.
    """
    for finding in judgement.findings:
        if finding.verdict in (Verdict.UNSAFE, Verdict.HANG):
            return finding.verdict, finding.kind.value if finding.kind is not None else "", finding.actual
    stuck = next((f for f in judgement.findings if f.verdict is Verdict.STUCK), None)
    excused = held_back or silent_share > MOST_SILENCE
    if stuck is not None and not excused and (not trace.deviations or _could_succeed(judgement.facts[0], trace, steps)):
        return Verdict.STUCK, stuck.kind.value if stuck.kind is not None else "", stuck.actual
    return Verdict.PASS, "", ""


def _could_succeed(facts: AskFacts, trace: Trace, steps: Sequence[ObservedStep]) -> bool:
    words = tuple(placed.word for placed in trace.deviations)
    if sum(DENIALS.get(word, 0) for word in words) + _refusals_in_silence(trace) > MOST_DENIALS:
        return False
    coming = facts.ask is Ask.OFF and any(step.effective and step.did == FORCED for step in steps)
    return words == PASSES or goal_holds(facts) or (coming and not WITHHELD & set(words))


def _refusals_in_silence(trace: Trace) -> int:
    """1 where the first request was refused for its credentials and the second one got no answer."""
    told = {placed.at: placed.word for placed in trace.deviations}
    return int(told.get(1) == "unauthorized" and told.get(2) in SILENCES)


def goal_holds(facts: AskFacts) -> bool:
    """Whether what was asked for was the case when the answer was final."""
    if facts.ask is Ask.REBOOT:
        return facts.rail is Rail.UP and facts.incarnation > facts.incarnation_before
    return facts.rail is (Rail.UP if facts.ask is Ask.ON else Rail.DOWN)


def end_of(claim: Claim) -> str:
    return {Claim.NONE: "hangs", Claim.FAILED: "fails"}.get(claim, f"claims {claim}")


def smallest(runs: Sequence[HuntedRun]) -> HuntedRun:
    """The find to show: fewest deviations, then the mildest, then the earliest."""
    return min(runs, key=lambda run: size(run.trace))


def size(trace: Trace) -> tuple[object, ...]:
    """Orders traces from small to large: fewer, milder, earlier; then the plainer start."""
    placed = trace.deviations
    start = (*Start, *ManagerStart).index(trace.world.start)
    return cost(trace), len(placed), sum(RANK[d.word] for d in placed), sum(d.at for d in placed), start, trace
