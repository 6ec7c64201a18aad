"""A cluster of hosts explored with the real step function and the real limits: who is hidden, who comes back, what is cut.

A world is a cluster at one moment. Between events its manager works round by round, with BMCs that answer at once. Events hide
hosts from the manager (a switch), show them again, cut their power, silence the manager's witness. Worlds are visited in the
order of their number of events. Every power command is judged by the truth that the test keeps, from checks alone, and not by
the limits' own words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from fencer.ha import machine
from fencer.ha.effects import CallBmc, CheckActivity, OperatorAnswer
from fencer.ha.fence_limiter import ClusterView, ManagerFacts
from fencer.ha.observations import (
    Activity,
    CancelFence,
    CommandReply,
    CommandResult,
    Health,
    Observation,
    OperatorObservation,
    OrderFence,
    OverrideLimits,
    PowerRead,
)
from fencer.ha.policy import Policy
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Power, Reading

S = HAState
POLICY = Policy(
    poll=1, health_timeout=1, request_timeout=1, clock_margin=0, lease=3, lease_renew=1, status_poll=1, unreachable_poll=1,
    auth_poll=1, stable_for=1, power_off_timeout=3, backoff_first=1, backoff_cap=1, backoff_jitter=0, max_attempts=2,
    activity_interval=1, activity_samples=1, degraded_period=9, recovery_attempts=0, recovery_boot_wait=4, recovered_wait=4,
    healthy_checks=3, start_quiet=0, brake_window=2, settle=3, max_fenced_window=1000, power_offs_per_second=1000, device_check=0,
    max_fenced=1.0,
)  # fmt: skip
GAPS = (1, 2, 5)
TAIL = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """What is true of one host as its health checks told it: when the last one passed, since when they fail."""

    passed: float = -1.0
    silent: float | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    records: tuple[HostRecord, ...]
    seen: tuple[Seen, ...]
    now: float = 10.0
    hidden: frozenset[int] = frozenset()
    dark: frozenset[int] = frozenset()
    witness: bool = True
    witness_passed: float = -1.0
    lost: tuple[float, ...] = ()  # when hosts fell silent
    storm: bool = False
    calm: float | None = None
    cuts: tuple[tuple[int, float], ...] = ()  # the first one of each silence
    vetoed: frozenset[int] = frozenset()  # their fence was cancelled, and since then they did not answer and were not ordered
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a search may vary: the policy, the number of hosts, what is special about them, and the events."""

    policy: Policy = POLICY
    hosts: int = 4
    has_witness: bool = False
    twins: bool = False  # the BMCs of the first two show one machine
    delay: float = 0.0
    override: bool = False
    orders: bool = False
    cancels: bool = False
    every: int = 1  # the hosts but the first are checked in one of so many rounds


class Round:
    """One round of the manager: checks, ticks and what comes of them, host by host."""

    def __init__(self, cluster: Cluster, setting: Setting) -> None:
        self.at, self.setting, self.policy = cluster, setting, setting.policy
        self.records, self.seen = list(cluster.records), list(cluster.seen)
        self.now = cluster.now + 1

    def play(self) -> Cluster:
        if self.at.witness:
            self.at = replace(self.at, witness_passed=self.now)
        view = self.view()
        for index in range(len(self.records)):
            if index == 0 or self.now % self.setting.every == index % self.setting.every:
                self.check(index, view.health_wanted_since)
        self.judge_storm()
        view = self.view()
        for index in range(len(self.records)):
            cuts = self.at.cuts
            self.see(index, view.tick(self.records[index]))
            if self.at.cuts != cuts:
                view = self.view()
        return replace(self.at, now=self.now, records=tuple(self.records), seen=tuple(self.seen))

    def view(self) -> ClusterView:
        me = ManagerFacts(
            owner="m", started=10.0, has_witness=self.setting.has_witness,
            witness_passed_at=self.at.witness_passed if self.at.witness_passed >= 0 else None,
        )  # fmt: skip
        return ClusterView(self.records, self.policy, self.now, me)

    def check(self, index: int, wanted: float | None) -> None:
        passed = index not in self.at.hidden and index not in self.at.dark
        before = self.seen[index]
        if passed:
            self.seen[index] = Seen(self.now, None)
            self.at = replace(self.at, vetoed=self.at.vetoed - {index})
        elif before.silent is None:
            self.seen[index] = Seen(before.passed, self.now)
            self.at = replace(self.at, lost=(*self.at.lost[-9:], self.now))
        self.see(index, Health(passed=passed, began=self.now, wanted_since=wanted))

    def see(self, index: int, seen: Observation) -> None:
        self.records[index], effects = machine.step(self.records[index], seen, self.policy, self.now)
        for effect in effects:
            if isinstance(effect, CheckActivity):
                self.see(index, Activity(active=False, epoch=1, began=self.now))
            elif isinstance(effect, CallBmc):
                self.call(index, effect.request)

    def call(self, index: int, request: BmcRequest) -> None:
        if request.ask is RequestKind.READ:
            off = index in self.at.dark
            word, power = ("Off", Power.OFF) if off else ("On", Power.ON)
            reading = Reading(power=power, word=word, at=self.now, path="redfish", shown=self.records[index].pinned)
            self.see(index, PowerRead(request=request.id, epoch=1, started=self.now, reading=reading))
            return
        self.judge(index)
        silent = self.seen[index].silent
        if not any(host == index and silent is not None and at >= silent for host, at in self.at.cuts):
            self.at = replace(self.at, cuts=(*self.at.cuts, (index, self.now)))
        if request.ask is RequestKind.OFF:
            self.at = replace(self.at, dark=self.at.dark | {index})
        self.see(index, CommandReply(request=request.id, epoch=1, result=CommandResult.ACCEPTED))

    # -- the truth

    def judge_storm(self) -> None:
        policy, at = self.policy, self.at
        suspect = [
            index
            for index, seen in enumerate(self.seen)
            if seen.silent is not None and self.records[index].state is not S.FENCED and index not in at.dark
        ]
        together = sum(1 for index in suspect if self.now - (self.seen[index].silent or 0) <= policy.brake_window)
        begins = together >= policy.brake_min and together > policy.brake_ratio * len(self.seen)
        if suspect or begins:
            self.at = replace(at, storm=at.storm or begins, calm=None)
        elif at.calm is None:
            self.at = replace(at, calm=self.now)
        elif self.now - at.calm >= policy.settle:
            self.at = replace(at, storm=False)

    def judge(self, index: int) -> None:
        """Says which promise a power command to this host breaks, if any."""
        at, policy, record = self.at, self.policy, self.records[index]
        silent = self.seen[index].silent
        count = len(self.seen)
        if silent is None:
            self.breaks("S19 its last health check passed")
            return
        healthy = [seen for seen in self.seen if seen.silent is None and seen.passed > silent]
        others = sum(1 for _, moment in at.cuts if self.now - moment < policy.max_fenced_window)
        again = any(host == index and moment >= silent for host, moment in at.cuts)
        if self.setting.twins and index < 2:
            self.breaks("S27 its BMC shows the machine of another host")
        if index in at.vetoed:
            self.breaks("S28 an operator has cancelled its fence")
        if record.override is not None:
            return
        if at.storm:
            self.breaks("S21 many hosts were lost, and it is not over")
        elif len(healthy) < ceil(policy.min_healthy * count):
            self.breaks("S20 too few hosts are healthy without it")
        elif not any(self.records[h].state is S.AVAILABLE and seen in healthy for h, seen in enumerate(self.seen)):
            self.breaks("S25 nobody is Available to take its VMs")
        elif not again and others + 1 > max(ceil(policy.max_fenced * count), 1):
            self.breaks("S22 too many hosts were cut already")
        elif self.setting.has_witness and at.witness_passed <= silent:
            self.breaks("S23 the witness of the manager is silent")
        elif self.now - 10.0 < policy.start_quiet:
            self.breaks("S24 the manager has just started")
        elif self.now < silent + self.setting.delay:
            self.breaks("S26 its delay has not passed")

    def breaks(self, promise: str) -> None:
        if not self.at.broken:
            self.at = replace(self.at, broken=f"{promise} (at {self.now:g})")


def start(setting: Setting) -> Cluster:
    uuid = (("UUID", "4c4c4544-0042-3510-8057-b7c04f4e3333"),)
    records = tuple(
        HostRecord(
            host=f"h{index}", state=S.AVAILABLE, epoch=1, lease_until=1e9, seen_healthy=True, healthy=True, delay=setting.delay,
            pinned=uuid if setting.twins and index < 2 else (),
        )
        for index in range(setting.hosts)
    )  # fmt: skip
    return Cluster(records, (Seen(10.0),) * setting.hosts)


def events(at: Cluster, setting: Setting) -> Iterator[tuple[str, Cluster]]:
    everyone = frozenset(range(setting.hosts))
    for index in sorted(everyone - at.hidden):
        yield f"h{index} is hidden", replace(at, hidden=at.hidden | {index})
    if at.hidden != everyone:
        yield "all are hidden", replace(at, hidden=everyone)
        yield "all but h0 are hidden", replace(at, hidden=everyone - {0})
    for index in sorted(at.hidden):
        yield f"h{index} is seen again", replace(at, hidden=at.hidden - {index})
    if len(at.hidden) > 1:
        last = max(at.hidden)
        yield f"all but h{last} are seen again", replace(at, hidden=frozenset({last}))
    if setting.has_witness and at.witness:
        yield "the witness falls silent", replace(at, witness=False)
    for index in sorted(everyone - at.dark)[:1]:
        yield f"h{index} loses power", replace(at, dark=at.dark | {index})
    for index, record in enumerate(at.records):
        if setting.override and record.override is None and record.healthy is False:
            granted, changed = said(at, index, OverrideLimits(request=1, who="alice", why="dead"), setting)
            if granted:
                yield f"h{index} is overridden", replace(changed, vetoed=at.vetoed - {index})
        if setting.orders and record.ordered is None:
            granted, changed = said(at, index, OrderFence(request=1, who="alice", why="dead"), setting)
            if granted:
                yield f"a fence of h{index} is ordered", replace(changed, vetoed=at.vetoed - {index})
        if setting.cancels and record.fence is not None:
            granted, changed = said(at, index, CancelFence(request=1, who="alice", why="wrong host"), setting)
            if granted:
                yield f"the fence of h{index} is cancelled", replace(changed, vetoed=at.vetoed | {index})


def said(at: Cluster, index: int, order: OperatorObservation, setting: Setting) -> tuple[bool, Cluster]:
    """Whether a host's manager grants what an operator orders, and the cluster afterwards."""
    new, effects = machine.step(at.records[index], order, setting.policy, at.now)
    granted = any(isinstance(effect, OperatorAnswer) and effect.ok for effect in effects)
    return granted, replace(at, records=(*at.records[:index], new, *at.records[index + 1 :]))


def after(at: Cluster, rounds: int, setting: Setting) -> Cluster:
    for _ in range(rounds):
        at = Round(at, setting).play()
        if at.broken:
            break
    return at


def search(setting: Setting, most_rounds: int = 6_000, depth: int = 4) -> tuple[str, list[str], list[Cluster]]:
    """Visits worlds in the order of their number of events. Returns what broke, the way there, and the worlds visited."""
    todo: deque[tuple[Cluster, list[str]]] = deque([(after(start(setting), 3, setting), [])])
    known: list[Cluster] = []
    rounds = 0
    while todo and rounds < most_rounds:
        world, way = todo.popleft()
        known.append(world)
        end = after(world, TAIL, setting)
        rounds += TAIL
        if end.broken:
            return end.broken, way, known
        if len(way) >= depth:
            continue
        for name, changed in events(world, setting):
            at = changed
            for gap, before in zip(GAPS, (0, *GAPS), strict=False):
                at = after(at, gap - before, setting)
                rounds += gap - before
                step = [*way, f"{name}, {gap} rounds"]
                if at.broken:
                    return at.broken, step, known
                todo.append((at, step))
    return "", [], known
