"""Arms, disarms and lists the faults of all BMCs of a rack, and journals what they do.

The rack owns one `FaultControl`. Front ends ask it through `BmcView`; `Effects` asks it for power faults. All calls come from the
emulator's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emulator.core.bmc.unit import Unit
from emulator.core.clock import Instant
from emulator.core.errors import NoSuchFault, RackMisconfigured
from emulator.core.faults.board import Armed, Arming, FaultId, Fired, Phase, Scene
from emulator.core.faults.fault import Fault, IncidentFault, LoginFault, PowerFault, ReportFault, Seam
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import Datum, EventKind
from emulator.core.power.system import SystemState
from emulator.core.rack_services import RackServices
from emulator.core.vocab import Rail
from profiles.model import Span

ASKED_OF = {Seam.POWER: PowerFault, Seam.REPORT: ReportFault, Seam.LOGIN: LoginFault, Seam.INCIDENT: IncidentFault}
"""What a fault of a seam must be able to do, as far as the core itself calls it."""

FaultListener = Callable[[str, FaultId, bool], None]
"""BMC, arming, and whether that was disarmed just now. Called whenever a fault of a BMC may have begun or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStatus:
    """One armed fault, as lists show it. `armed_at` is in seconds of the journal's clock."""

    id: FaultId
    bmc: str
    armed: Armed
    phase: Phase
    matched: int
    fired: int
    armed_at: Instant

    @property
    def type(self) -> str:
        return self.armed.fault.name


class FaultControl:
    def __init__(self, room: RackServices, units: dict[str, Unit]) -> None:
        self._room = room
        self._units = units
        self._homes: dict[FaultId, str] = {}
        self._count = 0
        self._listeners: tuple[FaultListener, ...] = ()
        self._last: tuple[int, ClientRequest] | None = None

    def on_change(self, listener: FaultListener) -> None:
        self._listeners += (listener,)

    # -- arming --------------------------------------------------------------------------------------------------------

    def arm(self, unit: Unit, armed: Armed) -> FaultId:
        """Raises RackMisconfigured for a fault that lacks what its seam asks of it."""
        fault = armed.fault
        asked = ASKED_OF.get(fault.seam)
        if asked is not None and not isinstance(fault, asked):
            raise RackMisconfigured(f"{fault.name} is no fault of the seam {fault.seam}: it lacks something of {asked.__name__}")
        self._count += 1
        fault_id = f"f{self._count}"
        self._homes[fault_id] = unit.name
        arming = unit.faults.arm(fault_id, armed, self._room.now, ((s.id, s.host.rail) for s in unit.systems))
        self._room.journal.record(unit.name, EventKind.ARM, None, id=fault_id, fault=fault.name, what="armed")
        for moment in (armed.after, armed.until):
            if isinstance(moment, int | float):
                self._room.after(moment, lambda: self._turned(unit.name, fault_id))
        self._stand(unit, arming)
        self._turned(unit.name, fault_id)
        return fault_id

    def disarm(self, fault_id: FaultId) -> None:
        """Takes a fault away. Raises NoSuchFault."""
        name = self._homes.pop(fault_id, None)
        if name is None:
            raise NoSuchFault(f"no fault is armed under the id {fault_id!r}")
        unit = self._units[name]
        arming = next(a for a in unit.faults.armings if a.id == fault_id)
        unit.faults.disarm(fault_id)
        self._room.journal.record(
            name, EventKind.ARM, None, id=fault_id, fault=arming.armed.fault.name, what="disarmed", fired=arming.fired
        )
        for listener in self._listeners:
            listener(name, fault_id, True)

    def forget(self, unit: Unit) -> None:
        """The BMC leaves the rack, and its faults with it."""
        for arming in unit.faults.armings:
            self.disarm(arming.id)

    def statuses(self, units: Iterable[Unit]) -> tuple[FaultStatus, ...]:
        """What is armed on these BMCs, in the order of arming."""
        return tuple(
            FaultStatus(
                id=arming.id,
                bmc=unit.name,
                armed=arming.armed,
                phase=arming.phase(self._room.now),
                matched=arming.matched,
                fired=arming.fired,
                armed_at=arming.since,
            )
            for unit in units
            for arming in unit.faults.armings
        )

    def all_statuses(self) -> tuple[FaultStatus, ...]:
        """What is armed on any BMC, without a look at those that have no fault."""
        return self.statuses(self._units[name] for name in dict.fromkeys(self._homes.values()))

    # -- acting --------------------------------------------------------------------------------------------------------

    def firing(
        self,
        unit: Unit,
        seam: Seam,
        request: ClientRequest,
        *,
        rail: Rail | None,
        cause: int | None = None,
        system: str | None = None,
        concerns: Callable[[Fault], bool] | None = None,
        asked_by: int | None = None,
    ) -> tuple[Fired, ...]:
        """The faults of a seam that act on this request; each is journaled as fired, because of `cause`. `asked_by` is the event
        of the request, where that is not `cause` itself."""
        scene = Scene(self._room.now, rail, self._roll, cause if asked_by is None else asked_by)
        fired = unit.faults.firing(seam, request, scene, concerns)
        for each in fired:
            self._journal(unit, each.arming, cause, system)
        return fired

    def standing(self, unit: Unit, seam: Seam) -> tuple[Fault, ...]:
        """The faults of a seam that act as long as they are armed, if they are active now."""
        return tuple(arming.armed.fault for arming in unit.faults.standing(seam, self._room.now))

    def came(self, unit: Unit, request: ClientRequest, seq: int) -> None:
        """A request of a client has come and stands in the journal under `seq`: what waits for one may begin behind it."""
        self._last = (seq, request)
        for arming in unit.faults.armings:
            if arming.came(request.intent, seq):
                self._turned(unit.name, arming.id)

    def completed(self, request: ClientRequest, cause: int | None) -> ClientRequest:
        """What the core asks a fault about, with how the client wrote the request `cause` that is being served: method, path and
        what it says of caches. Without those where it is not being served any more."""
        if self._last is None or self._last[0] != cause:
            return request
        _, asked = self._last
        return request._replace(method=asked.method, path=asked.path, caching=asked.caching)

    def saw(self, unit: Unit, system: SystemState) -> None:
        """The rail of a host has changed."""
        if unit.faults.armings:
            unit.faults.rail(system.id, system.host.rail, self._room.now)
            for arming in unit.faults.armings:
                self._turned(unit.name, arming.id)

    def _turned(self, name: str, fault_id: FaultId) -> None:
        unit = self._units.get(name)
        arming = next((a for a in unit.faults.armings if a.id == fault_id), None) if unit is not None else None
        if unit is None or arming is None:
            return  # disarmed meanwhile
        self._stand(unit, arming)
        for listener in self._listeners:
            listener(name, fault_id, False)

    def _stand(self, unit: Unit, arming: Arming) -> None:
        """A fault that shuts a port has no requests to count: it fires once, when it begins."""
        if arming.armed.fault.seam is Seam.PORT and arming.fired == 0 and arming.phase(self._room.now) is Phase.ACTIVE:
            arming.matched = arming.fired = 1
            self._journal(unit, arming, None, None)

    def _journal(self, unit: Unit, arming: Arming, cause: int | None, system: str | None) -> None:
        fault = arming.armed.fault
        swallows = fault.seam is Seam.PROTOCOL and getattr(fault, "executed", True) is False
        executed: dict[str, Datum] = {"executed": False} if swallows else {}
        self._room.journal.record(
            unit.name, EventKind.FAULT, cause, fault=fault.name, seam=fault.seam, system=system, id=arming.id, **executed
        )

    def _roll(self) -> float:
        return self._room.draw(Span(0.0, 1.0))
