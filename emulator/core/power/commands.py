"""Carries out power commands: the profile's reply table, the timed steps of an effect, gates and power faults.

`BmcView` calls it for a Redfish reset or an IPMI chassis control, `Rack` when a host's OS went down, all in the emulator's one
thread. Times are in seconds on the rack's clock.

Rules
  1. The table gives a reply and an effect together. After that they are independent: the answer does not change what happens.
  2. An effect is a list of steps. A step gives the host's driver an order, asks the OS, or changes what a view says.
  3. A graceful step only asks the OS (ruling 5). The rail follows when the OS has gone down, never by the profile's clock.
  4. With a gate the first step that touches the host, and all after it, wait until the fencer has read the power state
     `reads` times (ruling 8). What takes the host down behind a gate that is open already comes without that delay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVarTuple

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.unit import Unit
from emulator.core.clock import Instant
from emulator.core.faults.board import FaultId
from emulator.core.faults.fault import HoldingFault, PowerFault, Seam
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.journal import EventKind
from emulator.core.power.system import GATE_SECONDS, Gate, SystemState
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Order
from emulator.core.vocab import RESET_OF_CONTROL, ChassisControl, CompletionCode, ResetType
from profiles.model import EffectStep, HostEvent, PowerCell, PowerRules, Span

Ts = TypeVarTuple("Ts")

NO_EFFECT = "none"

ORDER_OF_EVENT: Mapping[HostEvent, Order] = {
    HostEvent.OS_SHUTDOWN: Order.ASK_SHUTDOWN,
    HostEvent.OS_REBOOT: Order.ASK_REBOOT,
    HostEvent.OS_RESTART: Order.RESET,
    HostEvent.OS_CRASH: Order.CRASH,
}
ORDER_OF_RAIL: Mapping[str, Order] = {"On": Order.ENERGISE, "Off": Order.CUT}


@dataclass(frozen=True, slots=True)
class PowerCommand:
    """A power command as a client sent it.

    `via` is the protocol, whose table in the profile answers. `word` is the ResetType as the client wrote it, or the key of the
    chassis control; `reset` is what it amounts to, None for a word that is no ResetType. `by_oem_action`: the word is that of a
    vendor's own action, which ComputerSystem.Reset need not offer.
    """

    via: str
    word: str
    reset: ResetType | None
    by_oem_action: bool = False

    @staticmethod
    def redfish(word: str, *, by_oem_action: bool = False) -> PowerCommand:
        """ComputerSystem.Reset with whatever the client sent as ResetType, or what an action of the vendor amounts to."""
        reset = ResetType(word) if word in ResetType._value2member_map_ else None
        return PowerCommand("redfish", word, reset, by_oem_action)

    @staticmethod
    def ipmi(control: ChassisControl) -> PowerCommand:
        return PowerCommand("ipmi", control.key, RESET_OF_CONTROL[control])


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReply:
    """What the front end answers to a power command. `seq` is the command's event in the journal.

    Over Redfish `reply` is a key of the profile's replies and `code` its HTTP status; over IPMI `code` is the completion code.
    """

    seq: int
    outcome: str
    reply: str
    code: int
    effect: str
    assumed: bool  # the profile has no evidence for this cell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """A cell of a reply table: what is answered, what happens, and what the journal calls the code."""

    outcome: str
    reply: str
    code: int
    code_key: str
    taken: bool
    effect: str
    assumed: bool


def lookup(rules: PowerRules, row: str, reset: str, *, by_oem_action: bool = False) -> PowerCell:
    """The cell of a ResetType in a state; but for actions of the vendor, a type that is not listed is `unlisted_type`."""
    if reset not in rules.reset_types and not by_oem_action:
        return rules.unlisted_type
    return rules.table.get(row, {}).get(reset, rules.unlisted_type)


class Effects:
    """Carries out the effects of power commands on the systems of a rack."""

    def __init__(self, services: RackServices) -> None:
        self._services = services
        self.gates_open_by: Instant | None = None
        """Gates that have been read twice open at this instant at the latest; None: GATE_SECONDS after the second read."""

    # -- commands ------------------------------------------------------------------------------------------------------

    def command(self, unit: Unit, system: SystemState, command: PowerCommand, cause: int | None) -> PowerReply:
        """Looks the command up in the table of its protocol, journals it, and begins its effect where it was accepted."""
        cell = TABLES[command.via](self, unit, system, command)
        seq = self._services.journal.append(
            unit.name,
            EventKind.COMMAND,
            cause,
            {
                "system": system.id,
                "via": command.via,
                "reset": command.word if command.via == "redfish" else command.reset,
                "row": system.row,
                "outcome": cell.outcome,
                cell.code_key: cell.code,
                "effect": cell.effect,
                "assumed": cell.assumed,
            },
        )
        if cell.taken:
            self._begin(unit, system, cell.effect, command, seq, cause)
        return PowerReply(
            seq=seq, outcome=cell.outcome, reply=cell.reply, code=cell.code, effect=cell.effect, assumed=cell.assumed
        )

    def redfish_cell(self, unit: Unit, system: SystemState, command: PowerCommand) -> _Cell:
        """A ResetType that the profile does not list is its `unlisted_type`."""
        profile = unit.profile
        found = self._window(unit, system, command.word) or lookup(
            profile.power, system.row, command.word, by_oem_action=command.by_oem_action
        )
        outcome = profile.power.outcomes[found.outcome]
        status = profile.replies[outcome.reply].status
        return _Cell(
            outcome=found.outcome,
            reply=outcome.reply,
            code=status,
            code_key="status",
            taken=status < 300,
            effect=outcome.effect,
            assumed=found.assumed,
        )

    def ipmi_cell(self, unit: Unit, system: SystemState, command: PowerCommand) -> _Cell:
        """A control that the profile does not list is 0xCC."""
        found = unit.profile.ipmi.chassis.get(system.row, {}).get(command.word)
        code = int(CompletionCode.INVALID_FIELD) if found is None else found.completion_code
        return _Cell(
            outcome=command.word,
            reply="",
            code=code,
            code_key="completion_code",
            taken=code == CompletionCode.OK,
            effect=NO_EFFECT if found is None else found.effect,
            assumed=found is not None and found.assumed,
        )

    def _window(self, unit: Unit, system: SystemState, reset: str) -> PowerCell | None:
        rules = unit.profile.power
        for window in rules.windows:
            since, length = system.began.get(window.after, (0.0, -1.0))
            if reset in window.reset and self._services.now - since <= length:
                return PowerCell(window.outcome, rules.unlisted_type.evidence)
        return None

    # -- effects -------------------------------------------------------------------------------------------------------

    def _begin(
        self, unit: Unit, system: SystemState, effect: str, command: PowerCommand, cause: int, asked_by: int | None
    ) -> None:
        """`asked_by` is the client's request, `cause` the command that came of it."""
        if effect == NO_EFFECT or (effect == system.effect and system.timers):
            return  # the same command again, while the first one is under way: nothing new happens
        steps = unit.profile.power.effects[effect]
        system.machine.commanded(_cause_of(command.reset), steps)
        asked = ClientRequest(command.via, "", "", system.id, command.reset, Intent.POWER_COMMAND)
        request = self._services.faults.completed(asked, asked_by)
        reads: int | None = None
        holds = False
        fired = self._services.faults.firing(
            unit, Seam.POWER, request, rail=system.host.rail, cause=cause, system=system.id, asked_by=asked_by
        )
        gated_by: FaultId | None = None
        for fault_id, fault, _ in fired:
            assert isinstance(fault, PowerFault)
            steps = fault.shape(steps)
            reads = fault.gate if fault.gate is not None else reads
            holds = holds or isinstance(fault, HoldingFault)
            if fault.gate is not None or isinstance(fault, HoldingFault):
                gated_by = fault_id
        beside = system.falls() and not any(step.real == "Off" for step in steps)
        if not beside:
            system.drop_timers()
            system.effect = effect
        for window in unit.profile.power.windows:
            if window.after == effect:
                system.began = {**system.began, effect: (self._services.now, self._services.draw(window.for_s))}
        if (holds or reads is not None) and system.gate is None:
            system.gate = Gate(None if holds else reads, fault_id=gated_by)
        if system.gate is not None and not system.gate.open:
            steps = self._hold(system.gate, steps, cause, beside=beside)
        elif reads is not None and any(step.real == "Off" for step in steps):
            # the fencer has waited at the gate already: what follows comes as it would have come out of it
            first = _first_that_touches(steps)
            self._schedule(unit, system, steps[:first], cause)
            self._schedule(unit, system, steps[first:], cause, from_first=True)
            return
        self._schedule(unit, system, steps, cause)

    def _hold(self, gate: Gate, steps: tuple[EffectStep, ...], cause: int, *, beside: bool) -> tuple[EffectStep, ...]:
        first = _first_that_touches(steps)
        if beside:
            gate.held += steps[first:]
        else:
            gate.held, gate.cause = steps[first:], cause
        return steps[:first]

    def _schedule(
        self, unit: Unit, system: SystemState, steps: tuple[EffectStep, ...], cause: int, *, from_first: bool = False
    ) -> None:
        # One draw for the whole effect: a slow machine is slow in every step, and the steps keep their order.
        spread = any(step.at.low != step.at.high for step in steps)
        share = self._services.draw(Span(0.0, 1.0)) if spread else 0.0
        moments = [step.at.low + share * (step.at.high - step.at.low) for step in steps]
        for step, moment in zip(steps, moments, strict=True):
            delay = moment - moments[0] if from_first else moment
            if delay <= 0:
                self._play(unit, system, step, cause)
            else:
                system.timers += ((self._services.after(delay, _later(self._play, unit, system, step, cause)), step),)

    def _play(self, unit: Unit, system: SystemState, step: EffectStep, cause: int) -> None:
        system.timers = tuple((timer, later) for timer, later in system.timers if timer.live)
        if step.event is not None:
            self._services.order(unit, system, ORDER_OF_EVENT[step.event], cause)
        if step.real is not None:
            self._services.order(unit, system, ORDER_OF_RAIL[step.real], cause, step.says)
        elif step.says:
            self._services.say(unit, system, step.says, cause)

    def uncommanded(self, unit: Unit, system: SystemState, steps: tuple[EffectStep, ...], cause: int) -> None:
        """Plays steps that no client has commanded. What was under way ends, and what a gate held back is dropped."""
        system.drop_timers()
        if system.gate is not None:
            system.gate.held = ()
        self._schedule(unit, system, steps, cause)

    def follow_os_down(self, unit: Unit, system: SystemState, cause: int | None) -> None:
        """The OS has gone down: starts the profile's `on_os_down` steps."""
        self._schedule(unit, system, unit.profile.power.on_os_down, cause or 0)

    # -- gates ---------------------------------------------------------------------------------------------------------

    def looked(self, unit: Unit, system: SystemState, cause: int | None) -> None:
        """An answer has just told its client the power state of this system. The n-th such answer still told the old state."""
        gate = system.gate
        if gate is None or gate.open:
            return
        gate.seen += 1
        if gate.reads is None:
            return
        if gate.seen >= gate.reads:
            self._open(unit, system, gate, cause, by="reads")
        elif gate.seen == 2:
            most = GATE_SECONDS if self.gates_open_by is None else self.gates_open_by - self._services.now
            self._services.after(min(GATE_SECONDS, max(0.0, most)), _later(self._open_late, unit, system, gate, cause))

    def open_gate(self, unit: Unit, system: SystemState) -> None:
        """Opens a closed gate without any read: the steps that it held back happen now."""
        if system.gate is not None and not system.gate.open:
            self._open(unit, system, system.gate, None, by="request")

    def expect_reads(self, system: SystemState, reads: int) -> None:
        """A closed gate counts from the beginning, up to so many reads. It stays when the fault that made it is disarmed."""
        if system.gate is not None and not system.gate.open:
            system.gate.reads, system.gate.seen, system.gate.fault_id = reads, 0, None

    def disarmed(self, unit: Unit, fault_id: FaultId) -> None:
        """A fault is gone, and the gates that it has made go with it: what they hold back happens now."""
        for system in unit.systems:
            gate = system.gate
            if gate is not None and gate.fault_id == fault_id:
                if not gate.open:
                    self._open(unit, system, gate, None, by="disarm")
                system.gate = None

    def forget_open_gate(self, system: SystemState) -> None:
        """Removes a gate that is open, so that the next command which a fault holds back gets a new one."""
        if system.gate is not None and system.gate.open:
            system.gate = None

    def _open_late(self, unit: Unit, system: SystemState, gate: Gate, cause: int | None) -> None:
        if not gate.open:
            self._open(unit, system, gate, cause, by="time")

    def _open(self, unit: Unit, system: SystemState, gate: Gate, cause: int | None, *, by: str) -> None:
        gate.open = True
        seq = self._services.journal.record(
            unit.name, EventKind.GATE, gate.cause or cause, system=system.id, after_reads=gate.seen, by=by
        )
        held, gate.held = gate.held, ()
        self._schedule(unit, system, held, seq, from_first=True)


def _first_that_touches(steps: tuple[EffectStep, ...]) -> int:
    """Where the steps begin that touch the host; before it the BMC only says something."""
    return next((n for n, step in enumerate(steps) if step.real is not None or step.event is not None), len(steps))


def _later(do: Callable[[*Ts], None], *args: *Ts) -> Callable[[], None]:
    return lambda: do(*args)


def _cause_of(reset: ResetType | None) -> RestartCause:
    return RestartCause.POWER_BUTTON if reset is ResetType.PUSH_POWER_BUTTON else RestartCause.CHASSIS_CONTROL


TABLES: Mapping[str, Callable[[Effects, Unit, SystemState, PowerCommand], _Cell]] = {
    "redfish": Effects.redfish_cell,
    "ipmi": Effects.ipmi_cell,
}
"""Where each protocol's answers to power commands are looked up."""
