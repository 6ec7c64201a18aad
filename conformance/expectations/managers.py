"""What an HA manager does with the hosts that it watches and with their workloads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.expectation import Expectation, should
from conformance.finding import Finding
from conformance.site import OPERATOR
from conformance.timeline import is_power_command, text
from conformance.vocabulary import Aspect, FindingKind, Level, Verdict
from conformance.workloads import Workloads
from emulator import Event, Rail

ON_AGAIN: Final = re.compile(r"(?i)\bon again\b|\bis on\b|\breturned\b|\bcame back\b|\banswers again\b|powered on")


def _seen(case: AskCase) -> tuple[Event, ...]:
    """Everything up to the end of the watch."""
    window = case.window
    return (*window.past, window.start, *window.during, window.claim, *window.after)


@dataclass(frozen=True, slots=True)
class OneCopy(Expectation):
    """S: no workload is started while another copy of it runs."""

    def phrase(self) -> str:
        return "never starts a workload while another copy of it runs"

    def check(self, case: AskCase) -> Finding | None:
        before = len(Workloads(case.window.past).double_starts)
        double = Workloads(_seen(case)).double_starts[before:]
        if not double:
            return None
        first = double[0]
        return case.finding(
            Verdict.UNSAFE,
            "S",
            "one copy of every workload",
            f"{first.vm} was started on {first.event.bmc} while it was running on {', '.join(first.others)}",
            kind=FindingKind.TWICE,
            requirement=req.ONE_COPY,
            anchors=(first.event.seq,),
        )


@dataclass(frozen=True, slots=True)
class RestartsWorkloads(Expectation):
    """L: what ran on the host that is down runs elsewhere in the end."""

    def phrase(self) -> str:
        return "starts every workload of the host that is down elsewhere"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded:
            return None  # found as STUCK already
        before = Workloads((*case.window.past, case.window.start)).running
        lost = sorted(vm for vm, hosts in before.items() if hosts <= {case.window.bmc})
        running = Workloads(_seen(case)).running
        missing = [vm for vm in lost if not running[vm]]
        if not missing:
            return None
        return case.finding(
            Verdict.STUCK,
            "L",
            f"{', '.join(lost)} running on another host",
            f"called {case.window.bmc} down, and {', '.join(missing)} ran nowhere in the end",
            requirement=req.RESTARTS,
            anchors=tuple(e.seq for e in Workloads(_seen(case)).starts[:3]),
        )


@dataclass(frozen=True, slots=True)
class StartsNothing(Expectation):
    """S: as long as no host is called down, no workload is started."""

    def phrase(self) -> str:
        return "starts no workload before it has called its host down"

    def check(self, case: AskCase) -> Finding | None:
        if case.succeeded:
            return None
        starts = Workloads((*case.window.during, *case.window.after)).starts
        if not starts:
            return None
        return case.finding(
            Verdict.UNSAFE,
            "S",
            "no workload started while nobody knows whether its host is off",
            f"started {text(starts[0], 'vm')} on {starts[0].bmc} without having called its host down",
            kind=FindingKind.UNVERIFIED,
            requirement=req.ONE_COPY,
            anchors=(starts[0].seq,),
        )


@dataclass(frozen=True, slots=True)
class CutsNobody(Expectation):
    """S: no power command to any host; with `after_claim` none after the claim that the host is down, if there was one."""

    after_claim: bool = False

    def phrase(self) -> str:
        return "sends no power command" + (" to a host that has returned" if self.after_claim else " to any host")

    def check(self, case: AskCase) -> Finding | None:
        window = case.window
        if self.after_claim and not case.succeeded:
            return None  # nobody has switched the host on: it was never called down
        sent = [e for e in (*(() if self.after_claim else window.during), *window.after) if is_power_command(e)]
        if not sent:
            return None
        hosts, first = ", ".join(dict.fromkeys(e.bmc for e in sent)), text(sent[0], "reset") or "a reset"
        return case.finding(
            Verdict.UNSAFE,
            "S",
            self.phrase(),
            f"sent {len(sent)} power command{'s' if len(sent) > 1 else ''} ({first} first) to {hosts}",
            kind=FindingKind.OVERREACH,
            requirement=req.NOT_BLIND if not self.after_claim else req.ONLY_POWER,
            anchors=tuple(e.seq for e in sent[:3]),
        )


@dataclass(frozen=True, slots=True)
class StaysOff(Expectation):
    """H: a host that is off is still off when the watch ends."""

    def phrase(self) -> str:
        return "leaves a host that is off as it is"

    def check(self, case: AskCase) -> Finding | None:
        rails = [e for e in (*case.window.during, *case.window.after) if case.window.is_target(e) and "rail" in e.data]
        on = [e for e in rails if text(e, "rail") == Rail.UP and text(rails[0], "rail") == Rail.DOWN]
        if not on:
            return None
        return case.finding(
            Verdict.UNSAFE,
            "S",
            "the host stays off",
            f"{case.window.bmc} was off and was switched on",
            kind=FindingKind.OVERREACH,
            requirement=req.ONLY_POWER,
            anchors=(on[0].seq,),
        )


@dataclass(frozen=True, slots=True)
class TrueAlerts(Expectation):
    """T: an alert of success comes once, and only if the host was called down; every alert before it speaks of a failure."""

    def phrase(self) -> str:
        return "alerts that a fence has succeeded once, after it has; that an attempt has failed otherwise"

    def check(self, case: AskCase) -> Finding | None:
        counts = case.outcome.alerts
        if counts is None:
            return None
        allowed = 1 if case.succeeded else 0
        if counts.successes <= allowed and counts.failures:
            return None
        actual = f"{counts.successes} alerts of success, {counts.failures} of failure"
        return case.finding(
            Verdict.MISLEADING,
            Aspect.TRUTH.value,
            f"{allowed} alert{'s' if allowed != 1 else ''} of success, and at least one of failure",
            actual,
            kind=FindingKind.WRONG_ANSWER,
            requirement=req.TRUE_ALERTS,
        )


@dataclass(frozen=True, slots=True)
class SaysWhoConfirmed(Expectation):
    """T: a manager that calls a host down on the word of an operator says on whose."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"says who has confirmed that the host is off{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or OPERATOR in case.outcome.text:
            return None
        return case.finding(
            Verdict.MISLEADING,
            Aspect.TRUTH.value,
            f"the name of the operator ({OPERATOR}) with the claim",
            f"{case.window.bmc} was called down on the word of an operator, and nothing says on whose",
            kind=FindingKind.WRONG_ANSWER,
            level=self.level,
            requirement=req.TRUE_ALERTS,
        )


@dataclass(frozen=True, slots=True)
class SaysThatItIsOn(Expectation):
    """T: a host that is on again after it was called down is said to be on."""

    level: Level = Level.SHOULD

    def phrase(self) -> str:
        return f"says that the host is on again{should(self.level)}"

    def check(self, case: AskCase) -> Finding | None:
        if not case.succeeded or ON_AGAIN.search(case.outcome.text):
            return None
        return case.finding(
            Verdict.MISLEADING,
            Aspect.TRUTH.value,
            "a word that the host is on again",
            f"{case.window.bmc} was switched on after it had been called down, and nothing says so",
            kind=FindingKind.WRONG_ANSWER,
            level=self.level,
            requirement=req.TRUE_ALERTS,
        )
