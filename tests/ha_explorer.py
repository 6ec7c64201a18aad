"""States of one host, one VM, two managers and one BMC, explored with the real step function; and mutants of it.

The world around the machine is small and adversarial: a stale BMC, a power-off that takes its time, a BMC that goes away,
managers that crash or freeze with requests on the wire, an operator who disables, enables, orders and cancels fences, and
switches the host on. Truth is kept here. Each mutant must be caught.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache

from fencer.ha import machine, proof
from fencer.ha.effects import CallBmc, OperatorAnswer, Release
from fencer.ha.fence_limiter import LIMITS
from fencer.ha.observations import (
    Activity,
    CancelFence,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Enable,
    Health,
    Hold,
    OrderFence,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Power, Reading

POLICY = Policy(
    poll=1, health_timeout=1, request_timeout=1, clock_margin=0, lease=3, lease_renew=1, status_poll=1,
    unreachable_poll=1, auth_poll=1,
    stable_for=1, power_off_timeout=2, backoff_first=1, backoff_cap=1, backoff_jitter=0, max_attempts=2, activity_interval=1,
    activity_samples=1, degraded_period=9, recovery_attempts=0, healthy_checks=1, start_quiet=0, device_check=0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Op:
    """A BMC request of a manager. `left`: how much longer it may be on the wire; `said`: what the BMC answered."""

    manager: int
    request: str
    ask: RequestKind
    epoch: int
    stage: str = "decided"
    left: int = 1
    started: float = 0.0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Man:
    alive: bool = True
    frozen: bool = False
    epoch: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    fail: int = 1
    on: int = 1
    flap: int = 1
    crash: int = 1
    freeze: int = 1
    returns: int = 1
    admin: int = 0
    busy: int = 0
    cancels: int = 0
    orders: int = 0


@dataclass(frozen=True, slots=True)
class World:
    power: str
    word: str
    rec: HostRecord
    vm: bool = True
    bmc: bool = True
    mans: tuple[Man, Man] = (Man(), Man())
    ops: tuple[Op, ...] = ()
    ledger: tuple[str, int] = ("none", 0)
    starter: tuple[int, int] = (-1, 0)
    key_used: bool = False
    starts: int = 0
    offseen: bool = False
    cancelled: str = ""  # the fence whose cancel was answered
    vetoed: bool = False  # since then neither Available nor ordered
    budget: Budget = Budget()
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    ledger_cas: bool = True
    lease: bool = True


def past(moment: float | None, floor: float) -> float | None:
    return None if moment is None else max(moment, floor)


@lru_cache(maxsize=100_000)  # most steps lead to a record that was met before
def shifted(rec: HostRecord, by: float) -> HostRecord:
    """The same record `by` later, now being 0, and without what decides nothing."""
    f, run, flight = rec.fence, rec.off_run, rec.inflight
    if f:
        f = replace(
            f, started_at=max(f.started_at - by, -4), next_attempt_at=max(f.next_attempt_at - by, 0), refusal=None,
            confirm_until=past(None if f.confirm_until is None else f.confirm_until - by, 0), level_since=None, level_attempts=0,
            not_off_at=past(None if f.not_off_at is None else f.not_off_at - by, -2), attempts=min(f.attempts, 2),
        )  # fmt: skip
    if run:
        first, last = (replace(read, at=max(read.at - by, -3), request="") for read in (run.first, run.last))
        run = replace(run, first=first, last=last, count=min(run.count, 2))
    if flight:
        flight = replace(flight, at=0.0)
    return replace(
        rec, version=0, since=max(rec.since - by, -3), suspect_since=None, next_activity_at=max(rec.next_activity_at - by, 0),
        next_read_at=max(rec.next_read_at - by, 0), lease_until=max(rec.lease_until - by, 0), returned_at=None, last_read="",
        last_error=None, alerts=(), requests=rec.requests % 6, fence=f, off_run=run, inflight=flight, silent_since=None,
        passed_at=None, cut_at=None, next_check_at=0.0, last_off_at=None, on_again_at=past(rec.on_again_at, 0.0) and 0.0,
        login_refused_at=None, held_since=None, ordered=rec.ordered and replace(rec.ordered, at=0.0),
        cancelled=rec.cancelled and replace(rec.cancelled, at=0.0),
    )  # fmt: skip


def put(w: World, i: int, m: Man) -> World:
    return replace(w, mans=(m, w.mans[1]) if i == 0 else (w.mans[0], m))


def apply(w: World, i: int, seen: object, mutant: Mutant) -> World:
    """What `Manager._apply` does: only the owner, only under its lease, one transaction."""
    m, old = w.mans[i], w.rec
    if m.until <= 0 or old.epoch != m.epoch:
        return w
    new, effects = machine.step(old, seen, POLICY, 0.0)  # type: ignore[arg-type]
    w = replace(w, rec=new)
    if new.fences > old.fences:
        w = replace(w, offseen=w.power == "Off")
    if new.state is HAState.AVAILABLE:
        w = replace(w, vetoed=False)
    for effect in effects:
        if isinstance(effect, CallBmc):
            if effect.request.ask is RequestKind.OFF and old.healthy:
                w = broke(w, "S19 a power-off is decided for a host whose last health check passed")
            w = replace(w, ops=(*w.ops, Op(i, effect.request.id, effect.request.ask, effect.epoch)))
        elif isinstance(effect, Release):
            w = replace(w, ledger=("pending", 0), starter=(-1, 0), key_used=False, starts=0)
            if effect.fence_id == w.cancelled:
                w = broke(w, "S16 a fence is committed after its cancel was answered")
            if not w.offseen:
                w = broke(w, "S3 Fenced although never off since the fence began")
        elif isinstance(effect, OperatorAnswer) and effect.ok and isinstance(seen, CancelFence | OrderFence):
            cancelled = isinstance(seen, CancelFence)
            w = replace(w, vetoed=cancelled, cancelled=old.fence.id if cancelled and old.fence else w.cancelled)
    return w


def broke(w: World, what: str) -> World:
    return w if w.broken else replace(w, broken=what)


def dark(w: World) -> World:
    return replace(w, power="Off", vm=False, offseen=True)


def spend(w: World, **by: int) -> World:
    return replace(w, budget=replace(w.budget, **{name: getattr(w.budget, name) - count for name, count in by.items()}))


def environment(w: World):
    b = w.budget
    if w.power == "PoweringOff":
        yield "goes dark", dark(w)
    if w.word != w.power:
        yield "bmc refreshes", replace(w, word=w.power)
    if b.fail and w.power == "On":
        yield "power fails", dark(spend(w, fail=1))
    if b.on and w.power == "Off":
        yield "human switches on", replace(spend(w, on=1), power="On")
    if b.flap:
        yield "bmc flaps", replace(spend(w, flap=1), bmc=not w.bmc)
    for i, m in enumerate(w.mans):
        if b.crash and m.alive:
            kept = tuple(op for op in w.ops if op.manager != i or op.stage == "wire")
            kept = tuple(replace(op, manager=-1) if op.manager == i else op for op in kept)
            yield f"manager {i} dies", put(replace(spend(w, crash=1), ops=kept), i, Man(alive=False))
        if b.freeze and m.alive and not m.frozen and m.epoch:
            yield f"manager {i} freezes", put(spend(w, freeze=1), i, replace(m, frozen=True))
        if m.frozen:
            yield f"manager {i} thaws", put(w, i, replace(m, frozen=False))
    for op in w.ops:
        if op.stage == "wire":
            yield f"{op.ask} lands", lands(w, op)
            if b.busy and op.ask is RequestKind.OFF and op.manager >= 0:
                others = tuple(other for other in w.ops if other is not op)
                yield (
                    "off is refused: busy",
                    replace(spend(w, busy=1), ops=(*others, replace(op, stage="answered", said="refused"))),
                )
    if all(op.stage != "wire" or op.left > 0 for op in w.ops):
        yield "time passes", later(w)


def lands(w: World, op: Op) -> World:
    others = tuple(other for other in w.ops if other is not op)
    if op.ask is RequestKind.OFF and w.bmc:
        if w.rec.state is HAState.AVAILABLE:
            w = broke(w, "S5 a power-off lands on a host that is Available")
        if w.rec.state is HAState.DISABLED:
            w = broke(w, "S16 a power-off lands after disable was answered")
        if w.vetoed:
            w = broke(w, "S28 a power-off lands after the cancel of its fence was answered")
        said = "refused" if w.power == "Off" else "accepted"
        if w.power == "On":
            w = replace(w, power="PoweringOff")
    else:
        said = w.word if w.bmc else "unreachable"
    if op.manager < 0:
        return replace(w, ops=others)
    return replace(w, ops=(*others, replace(op, stage="answered", said=said)))


def later(w: World) -> World:
    mans = []
    rec = shifted(w.rec, 1.0)
    for m in w.mans:
        m = replace(m, until=max(m.until - 1, 0))
        if m.alive and not m.frozen and m.until > 0 and rec.epoch == m.epoch and m.epoch:
            m = replace(m, until=POLICY.lease)
            rec = replace(rec, lease_until=POLICY.lease)
        mans.append(m)
    ops = tuple(
        replace(op, left=op.left - (op.stage == "wire"), started=max(op.started - (op.stage != "decided"), -4)) for op in w.ops
    )
    return replace(w, rec=rec, mans=(mans[0], mans[1]), ops=ops, word=w.power)  # a BMC is at most `stable_for` behind


def manager(w: World, i: int, mutant: Mutant):
    m = w.mans[i]
    if not m.alive or m.frozen:
        return
    if w.rec.lease_until <= 0 and (w.rec.epoch or i == 0) and w.rec.epoch < 3 and (m.until <= 0 or m.epoch != w.rec.epoch):
        epoch = w.rec.epoch + 1
        claimed = put(
            replace(w, rec=replace(w.rec, epoch=epoch, owner=f"m{i}", lease_until=POLICY.lease)),
            i,
            Man(epoch=epoch, until=POLICY.lease),
        )
        yield f"{i} claims", apply(claimed, i, Claimed(), mutant)
    for op in w.ops:
        if op.manager != i:
            continue
        others = tuple(other for other in w.ops if other is not op)
        if op.stage == "decided":
            permitted = (
                op.ask is RequestKind.READ or not mutant.lease or (m.epoch == op.epoch and proof.may_start(m.until, POLICY, 0.0))
            )
            if permitted:
                yield f"{i} sends {op.ask}", replace(w, ops=(*others, replace(op, stage="wire")))
            else:
                reply = CommandReply(request=op.request, epoch=op.epoch, result=CommandResult.NOT_SENT)
                yield f"{i} withholds {op.ask}", apply(replace(w, ops=others), i, reply, mutant)
        elif op.stage == "answered":
            yield f"{i} hears {op.said}", apply(replace(w, ops=others), i, heard(op), mutant)
    if m.until <= 0 or m.epoch != w.rec.epoch:
        return
    cancelled = LIMITS[Hold.CANCELLED](None, w.rec)  # type: ignore[arg-type]
    ticked = apply(w, i, Tick(hold=Hold.CANCELLED if cancelled else None), mutant)
    if ticked is not w and ticked.rec != w.rec:
        yield f"{i} ticks", ticked
    if w.rec.state is HAState.AVAILABLE and w.rec.fences < 2:
        yield f"{i} sees no health", apply(w, i, Health(passed=False), mutant)
    if w.rec.state is HAState.CHECKING:  # partition: nothing is seen, the VM writes on
        yield f"{i} sees no activity", apply(w, i, Activity(active=False, epoch=w.rec.epoch), mutant)
    if w.budget.returns and w.power == "On" and w.rec.state in (HAState.SUSPECT, HAState.FENCING):
        yield f"{i} sees health", apply(spend(w, returns=1), i, Health(passed=True), mutant)
    if w.budget.admin:
        yield f"{i} disables", orders(spend(w, admin=1), i, Disable(request=1), mutant)
    if w.budget.cancels and w.rec.fence is not None:
        yield f"{i} cancels", orders(spend(w, cancels=1), i, CancelFence(request=3, who="a", why="b"), mutant)
    if w.budget.orders:
        yield f"{i} is ordered to fence", apply(spend(w, orders=1), i, OrderFence(request=4, who="a", why="b"), mutant)
    if w.rec.state is HAState.DISABLED:
        yield f"{i} enables", apply(w, i, Enable(request=2), mutant)
    yield from restarts(w, i, mutant)


def orders(w: World, i: int, order: Disable | CancelFence, mutant: Mutant) -> World:
    """What `Manager` does with an order that ends commands: one that has not left is withdrawn; one that is leaving delays the
    answer."""
    commands = [op for op in w.ops if op.manager == i and op.ask is RequestKind.OFF]
    withdrawn = all(op.stage == "decided" for op in commands)
    if not withdrawn:
        return apply(w, i, order, mutant)
    w = replace(w, ops=tuple(op for op in w.ops if op not in commands))
    w = apply(w, i, replace(order, withdrawn=True), mutant)
    for op in commands:
        w = apply(w, i, CommandReply(request=op.request, epoch=op.epoch, result=CommandResult.NOT_SENT), mutant)
    return w


def restarts(w: World, i: int, mutant: Mutant):
    """The ledger's rules as the store keeps them: claim by CAS and epoch, one key, one target."""
    status, epoch = w.ledger
    mine = w.mans[i].epoch
    if w.rec.released is None:
        return
    if (
        status == "pending"
        or (status == "claimed" and epoch < mine)
        or (not mutant.ledger_cas and status == "claimed" and w.starts < 2)
    ):
        yield (
            f"{i} claims the VM",
            replace(w, ledger=("claimed", mine), starter=(i, mine), key_used=w.key_used and mutant.ledger_cas),
        )
    if w.starter == (i, mine) and status == "claimed":
        if not w.key_used:
            started = replace(w, key_used=True, starts=w.starts + 1)
            if w.vm:
                started = broke(started, "S1 two copies of the VM run")
            if started.starts > 1:
                started = broke(started, "S2 the VM was started twice")
            yield f"{i} starts the VM", started
        else:
            yield f"{i} notes that the VM runs", replace(w, ledger=("done", mine), starter=(-1, 0))


def heard(op: Op) -> PowerRead | CommandReply:
    if op.ask is RequestKind.OFF:
        results = {
            "accepted": CommandResult.ACCEPTED,
            "refused": CommandResult.REFUSED,
            "unreachable": CommandResult.AMBIGUOUS,
        }
        failure = None if op.said == "accepted" else Failure(cause=Cause.CONFLICT, text=op.said)
        return CommandReply(
            request=op.request, epoch=op.epoch, result=results.get(op.said, CommandResult.AMBIGUOUS), failure=failure
        )
    if op.said == "unreachable":
        failure = Failure(cause=Cause.UNREACHABLE, text="no answer")
        return PowerRead(request=op.request, epoch=op.epoch, started=op.started, failure=failure)
    power = {"On": Power.ON, "Off": Power.OFF}.get(op.said, Power.UNKNOWN)
    reading = Reading(power=power, word=op.said, at=0.0, path="redfish")
    return PowerRead(request=op.request, epoch=op.epoch, started=op.started, reading=reading)


def successors(w: World, mutant: Mutant):
    yield from environment(w)
    for i in (0, 1):
        yield from manager(w, i, mutant)


def normal(w: World) -> World:
    return replace(w, rec=shifted(w.rec, 0.0))


def start(budget: Budget) -> list[World]:
    rec = HostRecord(host="h", state=HAState.AVAILABLE, seen_healthy=True)
    return [
        normal(World(power=power, word=word, rec=rec, vm=power == "On", budget=budget))
        for power, word in (("On", "On"), ("On", "Off"), ("Off", "Off"))
    ]


def explore(
    budget: Budget, mutant: Mutant = Mutant(), cap: int = 400_000, starts: int = 3
) -> tuple[int, str, list[str], list[World]]:
    """Breadth first. The number of states, what broke (or nothing), and the shortest way there."""
    came: dict[World, tuple[World | None, str]] = {}
    todo: deque[World] = deque()
    for w in start(budget)[:starts]:
        came[w] = (None, "start")
        todo.append(w)
    while todo and len(came) < cap:
        w = todo.popleft()
        for name, after in successors(w, mutant):
            if after.rec is not w.rec:
                after = normal(after)
            if after in came:
                continue
            came[after] = (w, name)
            if after.broken:
                way, at = [], after
                while at is not None:
                    before, step = came[at]
                    way.append(step)
                    at = before  # type: ignore[assignment]
                return len(came), after.broken, way[::-1], list(came)
            todo.append(after)
    return len(came), "", [], list(came)
