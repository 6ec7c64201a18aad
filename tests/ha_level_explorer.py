"""States of one host with two cords, its BMC and two PDUs, explored with the real step function.

Levels are [[bmc], [pdu1, pdu2]]. The world is small and adversarial: a BMC that goes away with or without its host, PDUs that
come and go, outlets that do not obey or say Off before they are, people who switch an outlet on, devices that are read one
after the other while all this happens, and managers that take over. Truth is kept here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from fencer.ha import machine
from fencer.ha.effects import CallBmc, Release
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    DeviceRead,
    Health,
    Observation,
    PowerRead,
    Tick,
)
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Power, Reading
from tests import ha_explorer

LEVELS = (("bmc",), ("pdu1", "pdu2"))
POLICY = replace(ha_explorer.POLICY, level_attempts=1, level_timeout=2, fast_path=False)
PDUS = ("pdu1", "pdu2")


@dataclass(frozen=True, slots=True)
class Budget:
    """How often each thing may still happen. `dark`: the BMC goes away; `gone`: a PDU comes or goes; `on`: one switches on."""

    dark: int = 0
    gone: int = 0
    on: int = 0
    takeover: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way: the devices that have been reached, with what each of them said."""

    request: BmcRequest
    epoch: int
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    rec: HostRecord
    rail: str = "On"
    outlets: tuple[str, str] = ("On", "On")
    obeys: tuple[bool, bool, bool] = (True, True, True)  # BMC, PDUs
    here: tuple[bool, bool, bool] = (True, True, True)
    calls: tuple[Call, ...] = ()
    was_off: bool = False  # since the fence began
    budget: Budget = Budget()
    broken: str = ""

    @property
    def has_power(self) -> bool:
        return self.rail != "Off" and self.outlets != ("Off", "Off")

    def says(self, device: str) -> str:
        """The word of a device; empty: it does not answer. Off may be said before it is true."""
        place = 0 if device == "bmc" else PDUS.index(device) + 1
        truth = self.rail if place == 0 else self.outlets[place - 1]
        if not self.here[place] or (place == 0 and self.outlets == ("Off", "Off")):
            return ""
        return "On" if truth == "On" else "Off"


def seen(w: World) -> World:
    return w if w.was_off or w.has_power else replace(w, was_off=True)


@lru_cache(maxsize=100_000)
def aged(rec: HostRecord, by: float) -> HostRecord:
    was, rec = rec.fence, replace(ha_explorer.shifted(rec, by), lease_until=1e9)
    if was is not None and rec.fence is not None:
        since = None if was.level_since is None else max(was.level_since - by, -3)
        rec = replace(rec, fence=replace(rec.fence, level_since=since, level_attempts=min(was.level_attempts, 2)))
    return rec


def apply(w: World, observation: Observation) -> World:
    rec, effects = machine.step(w.rec, observation, POLICY, 0.0)
    if rec.fences > w.rec.fences:
        w = replace(w, was_off=not w.has_power)
    w = replace(w, rec=rec)
    for effect in effects:
        if isinstance(effect, CallBmc):
            w = replace(w, calls=(*w.calls, Call(effect.request, effect.epoch)))
        elif isinstance(effect, Release) and not w.was_off:
            w = replace(w, broken="S29 Fenced although it had power all the time since the fence began")
    return w


def reached(w: World, call: Call) -> World:
    """The next device of a request is reached; after the last one the manager hears the answer."""
    others = tuple(one for one in w.calls if one is not call)
    device = call.request.devices[len(call.said)]
    word = w.says(device)
    if call.request.ask is RequestKind.OFF:
        w = obey(w, device) if word == "On" else w
        word = word and "accepted"
    call = replace(call, said=(*call.said, word or "no answer"))
    if len(call.said) < len(call.request.devices):
        return replace(w, calls=(*others, call))
    return apply(replace(w, calls=others), answer(w, call))


def obey(w: World, device: str) -> World:
    place = 0 if device == "bmc" else PDUS.index(device) + 1
    if not w.obeys[place]:
        return w
    if place == 0:
        return replace(w, rail="Falling")
    return replace(w, outlets=tuple("Falling" if at == place else one for at, one in enumerate(w.outlets, 1)))  # type: ignore[arg-type]


def answer(w: World, call: Call) -> PowerRead | CommandReply:
    lost = Failure(cause=Cause.UNREACHABLE, text="no answer")
    if call.request.ask is RequestKind.OFF:
        result = CommandResult.ACCEPTED if "no answer" not in call.said else CommandResult.AMBIGUOUS
        return CommandReply(request=call.request.id, epoch=call.epoch, result=result)
    reads = []
    for device, word in zip(call.request.devices, call.said, strict=True):
        power = {"On": Power.ON, "Off": Power.OFF}.get(word, Power.UNKNOWN)
        reading = None if word == "no answer" else Reading(power=power, word=word, at=0.0, path="redfish")
        reads.append(DeviceRead(device=device, reading=reading, failure=None if reading else lost))
    own = None
    if call.request.own_too and set(call.said) == {"Off"} and (word := w.says("bmc")):
        power = Power.ON if word == "On" else Power.OFF
        own = DeviceRead(device="bmc", reading=Reading(power=power, word=word, at=0.0, path="redfish"))
    return PowerRead(
        request=call.request.id, epoch=call.epoch, started=call.request.at, reading=reads[0].reading, failure=reads[0].failure,
        others=tuple(reads[1:]), own=own,
    )  # fmt: skip


def later(w: World) -> World:
    calls = tuple(replace(call, request=replace(call.request, at=max(call.request.at - 1, -3))) for call in w.calls)
    fallen = tuple("Off" if one == "Falling" else one for one in w.outlets)
    rail = "Off" if w.rail == "Falling" else w.rail
    return replace(w, rec=aged(w.rec, 1.0), calls=calls, outlets=fallen, rail=rail)  # type: ignore[arg-type]


def successors(w: World) -> Iterator[tuple[str, World]]:
    b = w.budget
    for call in w.calls:
        yield f"{call.request.ask} reaches {call.request.devices[len(call.said)]}", reached(w, call)
    ticked = apply(w, Tick())
    if ticked.rec != w.rec:
        yield "ticks", ticked
    if b.dark and w.here[0]:
        yield "the BMC goes away", replace(w, here=(False, *w.here[1:]), budget=replace(b, dark=b.dark - 1))
    for place in (1, 2) if b.gone else ():
        here = tuple(not one if at == place else one for at, one in enumerate(w.here))
        yield f"pdu{place} comes or goes", replace(w, here=here, budget=replace(b, gone=b.gone - 1))  # type: ignore[arg-type]
    for place in (0, 1) if b.on else ():
        if w.outlets[place] != "On":
            outlets = tuple("On" if at == place else one for at, one in enumerate(w.outlets))
            yield f"a person switches outlet {place + 1} on", replace(w, outlets=outlets, budget=replace(b, on=b.on - 1))  # type: ignore[arg-type]
    if b.takeover:
        claimed = replace(w, rec=replace(w.rec, epoch=w.rec.epoch + 1), calls=(), budget=replace(b, takeover=b.takeover - 1))
        yield "another manager takes over", apply(claimed, Claimed())
    yield "time passes", later(w)


def normal(w: World) -> World:
    return replace(seen(w), rec=aged(w.rec, 0.0))


def start(budget: Budget, **world: object) -> World:
    rec = HostRecord(host="h", state=HAState.AVAILABLE, seen_healthy=True, epoch=1, lease_until=1e9, levels=LEVELS)
    w = apply(World(rec=rec, budget=budget, **world), Health(passed=False))  # type: ignore[arg-type]
    w = apply(apply(w, Tick()), Activity(active=False, epoch=1))
    if w.rec.state is not HAState.FENCING:
        raise ValueError(f"it begins as {w.rec.state}")
    return normal(w)


def explore(worlds: list[World], cap: int = 60_000) -> tuple[int, str, list[str], list[World]]:
    """Breadth first. The number of states, what broke (or nothing), the shortest way there, and all states."""
    came: dict[World, tuple[World | None, str]] = dict.fromkeys(worlds, (None, "start"))
    todo = deque(worlds)
    while todo and len(came) < cap:
        w = todo.popleft()
        if w.rec.state is HAState.FENCED:
            continue
        for name, after in successors(w):
            after = normal(after)
            if after in came:
                continue
            came[after] = (w, name)
            if after.broken:
                return len(came), after.broken, way(came, after), list(came)
            todo.append(after)
    return len(came), "", [], list(came)


def way(came: dict[World, tuple[World | None, str]], at: World | None) -> list[str]:
    steps = []
    while at is not None:
        before, step = came[at]
        steps.append(step)
        at = before
    return steps[::-1]


def settled(w: World) -> World:
    """Everything that can go on goes on, without faults, until the host is Down or 60 s have passed."""
    for _ in range(60):
        for _ in range(30):
            if w.rec.state is HAState.FENCED:
                return w
            ticked = apply(w, Tick())
            following = reached(w, w.calls[0]) if w.calls else ticked if ticked.rec != w.rec else None
            if following is None:
                break
            w = normal(following)
        w = normal(later(w))
    return w
