"""Which verdicts are repeated, and what becomes of several runs. The runner asks after each run of a cell. Pure.

Rules
  1. A verdict hangs on the clock if it is HANG, STUCK or MISLEADING, or about something that was left open, and
       - the fencer still worked in the second half of its time when it was ended,
       - or an ask with a finding took nearly all of its deadline, or more,
       - or a gate opened because time was up, not because the fencer had read,
       - or the machine was late meanwhile; for a log-out half a second is enough, since it may not hold a fencer up for long.
     UNSAFE and PASS never do: a claim is compared with the truth at its position in the journal, and clocks have no say in that.
  2. Such a verdict is repeated once. UNSAFE in either run wins. The same verdict again stands. Another one makes the cell FLAKY,
     which fails the gate and shows both.
  3. A run on a late machine is void where it hangs on the clock: it is repeated, up to three runs in all, and does not make a
     cell FLAKY. If all three were void, the last one stands, with a remark.
  4. A user may want a cell played N times (`--repeat N`). Each repeat is settled by the rules above. Then UNSAFE in any of them
     wins, else ERROR; the same verdict in all stands; others are FLAKY. A repeat whose runs were all void counts only where
     there is no other.

Theory
  A load on the machine takes time from the fencer that its deadline does not give back. It can make a good fencer look slow; it
  cannot make a bad one look good, since gates and not clocks decide when a host falls. So a void run is never needed for a PASS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from conformance.finding import Judgement
from conformance.outcome import FencerOutcome
from conformance.timeline import text
from conformance.vocabulary import FindingKind, Verdict
from emulator import Event, EventKind

NEAR_DEADLINE: Final = 0.8
MOST_RUNS: Final = 3
LATE_S: Final = 0.5
LATE_SHARE: Final = 0.1
TIMED: Final = frozenset({Verdict.HANG, Verdict.STUCK, Verdict.MISLEADING})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """One run of a cell. `lag_s` is by how much the machine was late; `deadline` and `cap` are the fencer's, in seconds.

    A run `on_virtual_time` never hangs on the clock: it would come out the same.
    """

    judgement: Judgement
    outcomes: Sequence[FencerOutcome]
    events: Sequence[Event]
    deadline: float
    cap: float
    lag_s: float = 0.0
    on_virtual_time: bool = False

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def left_something(self) -> bool:
        """Whether the verdict is that something was left open, such as a session."""
        return self.judgement.kind is FindingKind.LEFTOVER and self.verdict is Verdict.HYGIENE

    @property
    def was_late(self) -> bool:
        """Whether the machine was late enough to change what a fencer could do."""
        share = 0.0 if self.left_something else LATE_SHARE
        return self.lag_s >= max(LATE_S, share * sum(o.duration for o in self.outcomes))

    @property
    def is_void(self) -> bool:
        return self.was_late and hangs_on_the_clock(self) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRuns:
    """What several runs come to. `shown` is the run whose journal and findings are reported."""

    shown: JudgedRun
    judgement: Judgement


def hangs_on_the_clock(run: JudgedRun) -> str | None:
    """Why a slow machine could have made this verdict, in words; None where it could not (rule 1)."""
    if run.on_virtual_time or not (run.verdict in TIMED or run.left_something):
        return None
    if run.verdict is Verdict.HANG and not _worked_to_the_end(run):
        return None
    if run.was_late:
        return f"the machine was late by {run.lag_s:.1f} s"
    if run.verdict is Verdict.HANG:
        return "it was still working when its time was up"
    asks = {finding.ask for finding in run.judgement.findings}
    if any(o.duration >= NEAR_DEADLINE * run.deadline for n, o in enumerate(run.outcomes) if n in asks):
        return "it took nearly all of its time"
    if any(e.kind is EventKind.GATE and text(e, "by") == "time" for e in run.events):
        return "the host moved because time was up, not because its power had been read"
    return None


def _worked_to_the_end(run: JudgedRun) -> bool:
    """A fencer that has been silent for half of its time hangs by itself."""
    quiet_since = max((e.t for e in run.events if e.kind is EventKind.REQUEST), default=0.0)
    ended = max(e.t for e in run.events if e.kind is EventKind.FENCER)
    return ended - quiet_since < run.cap / 2


def is_open(runs: Sequence[JudgedRun]) -> bool:
    """Whether the cell needs another run."""
    last = runs[-1]
    if last.verdict is Verdict.UNSAFE or len(runs) == MOST_RUNS:
        return False
    return last.is_void or (len(runs) == 1 and hangs_on_the_clock(last) is not None)


def settle(runs: Sequence[JudgedRun]) -> SettledRuns:
    """The verdict of a cell on its runs (rules 2 and 3)."""
    worst = min(runs, key=lambda run: run.verdict.severity)
    counted = [run for run in runs if not run.is_void] or [runs[-1]]
    void = len(runs) - sum(1 for run in runs if not run.is_void)
    remarks = _void_remarks(runs, void)
    if worst.verdict in (Verdict.UNSAFE, Verdict.ERROR):
        others = [run for run in runs if run.verdict is not worst.verdict]
        remarks += tuple(f"another run came out as {run.verdict}" for run in others[:1])
        return _shown(worst, remarks)
    first, last = counted[0], counted[-1]
    if first.verdict is last.verdict:
        return _shown(last, remarks)
    worse, better = sorted((first, last), key=lambda run: run.verdict.severity)
    flaky = replace(
        worse.judgement,
        verdict=Verdict.FLAKY,
        kind=None,
        why=f"{worse.verdict} in one run ({worse.judgement.why}; {hangs_on_the_clock(first)}), {_told(better)} in the other",
        remarks=(*worse.judgement.remarks, *remarks),
    )
    return SettledRuns(shown=worse, judgement=flaky)


def settle_repeats(repeats: Sequence[SettledRuns]) -> SettledRuns:
    """The verdict of a cell that was played several times because the user wanted it so (rule 4)."""
    if len(repeats) == 1:
        return repeats[0]
    counted = [repeat for repeat in repeats if not repeat.shown.is_void] or repeats[-1:]
    verdicts = Counter(repeat.judgement.verdict for repeat in counted)
    worst = min(counted, key=lambda repeat: repeat.judgement.verdict.severity)
    if len(verdicts) == 1:
        return replace(worst, judgement=_remarked(worst.judgement, f"the same in {len(counted)} of {len(repeats)} repeats"))
    each = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    if worst.judgement.verdict in (Verdict.UNSAFE, Verdict.ERROR):
        return replace(worst, judgement=_remarked(worst.judgement, f"{len(counted)} repeats: {each}"))
    why = f"{len(counted)} repeats: {each}; the worst: {worst.judgement.why}"
    return replace(worst, judgement=replace(worst.judgement, verdict=Verdict.FLAKY, kind=None, why=why))


def _remarked(judgement: Judgement, remark: str) -> Judgement:
    return replace(judgement, remarks=(*judgement.remarks, remark))


def _told(run: JudgedRun) -> str:
    return f"{run.verdict} ({run.judgement.why})" if run.judgement.why else run.verdict.value


def _void_remarks(runs: Sequence[JudgedRun], void: int) -> tuple[str, ...]:
    if void == 0 or (void < len(runs) and len({run.verdict for run in runs}) == 1):
        return ()
    most = max(run.lag_s for run in runs)
    if void == len(runs):
        return (f"the machine was late in every run, by up to {most:.1f} s: run it again on one that is less busy",)
    return (f"not counted: {void} run{'s' if void > 1 else ''} in which the machine was late, by up to {most:.1f} s",)


def _shown(run: JudgedRun, remarks: tuple[str, ...]) -> SettledRuns:
    return SettledRuns(shown=run, judgement=replace(run.judgement, remarks=(*run.judgement.remarks, *remarks)))
