"""What a person does at the machine itself: switches the power, presses the button, pulls and plugs the cord, stops the OS.

`Rack.by_hand` calls it in the emulator's one thread, for `Emulator.power` and `bmc-emulator power`. No client has sent a command,
so no reply table and no fault of the seam power has a say. Times are in seconds on the rack's clock.

Rules
  1. On and off move the rail at once. What the BMC's views say follows as late after the rail as after a command of the profile.
  2. The button only asks the operating system of a host that is on. It switches on one that is off.
  3. What cannot be done to a host in this state is refused with a sentence, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.unit import Unit
from emulator.core.errors import ActionRefused
from emulator.core.journal import EventKind
from emulator.core.power.commands import Effects, lookup
from emulator.core.power.system import SAYS, SystemState
from emulator.core.rack_services import RackServices
from emulator.core.truth.host import Order
from emulator.core.vocab import Os, Rail
from profiles.model import EffectStep, PowerRules, Span


class PowerAction(StrEnum):
    """The words of `bmc-emulator power`."""

    ON = "on"
    OFF = "off"
    PRESS = "press"  # a short press of the power button
    UNPLUG = "unplug"  # the input power of the BMC and all its hosts fails
    PLUG = "plug"
    HANG = "hang"  # the operating system hangs and goes on writing
    CRASH = "crash"
    BOOT = "boot"


COMMAND: Final[Mapping[str, tuple[str, str]]] = {"On": ("Off", "On"), "Off": ("On", "ForceOff")}
"""The row and the ResetType of a profile's table whose effect leads to the word."""


def steps_from_rail(rules: PowerRules, word: str) -> tuple[EffectStep, ...]:
    """The profile's steps that lead to `word` (On, Off), counted from the moment at which the rail moves.

    Where the profile has no such command, all views change with the rail.
    """
    effect = rules.outcomes[lookup(rules, *COMMAND[word]).outcome].effect
    steps = rules.effects.get(effect, ())
    rail = next((step.at for step in steps if step.real == word), None)
    if rail is None:
        return (EffectStep(at=Span(0, 0), real="On" if word == "On" else "Off", says=SAYS[word]),)
    return tuple(
        replace(step, at=Span(max(0.0, step.at.low - rail.low), max(0.0, step.at.high - rail.high)))
        for step in steps
        if step.event is None
    )


def check_by_hand(unit: Unit, action: PowerAction, system: str | None) -> None:
    """Raises ActionRefused for what nobody can do at a PDU or an enclosure: outlets and slots have neither a button nor an OS."""
    feeder = unit.profile.feeder
    if feeder is None:
        return
    what = f"{unit.name} is {feeder.called}"
    if action in (PowerAction.ON, PowerAction.OFF):
        if system is None:
            raise ActionRefused(f"{what}: say which {feeder.part}, such as {unit.name}/{feeder.outlets[0]}")
    elif action not in (PowerAction.UNPLUG, PowerAction.PLUG):
        raise ActionRefused(f"{what}: its {feeder.part}s can be switched on and off, and {action} is for hosts")
    elif system is not None:
        raise ActionRefused(
            f"{unit.name} has one cord for all its {feeder.part}s: {action} {unit.name}, or switch {system} on or off"
        )


class ByHand:
    """Carries the actions out. Each returns nothing and raises ActionRefused where the host's state does not allow it."""

    def __init__(self, services: RackServices, effects: Effects) -> None:
        self._services = services
        self._effects = effects

    def act(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        """One of `ACTIONS`; the others concern a whole BMC or a driver."""
        ACTIONS[action](self, unit, system, action)

    def switch_on(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        if unit.absence.dark:
            raise ActionRefused(f"{unit.name} has no input power: plug it in first")
        if system.host.rail is not Rail.UP:
            self._move(unit, system, "On", action)

    def switch_off(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        if system.host.rail is not Rail.DOWN:
            self._move(unit, system, "Off", action)

    def press(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        if system.host.rail is Rail.DOWN:
            self.switch_on(unit, system, action)
        else:
            self._services.order(unit, system, Order.ASK_SHUTDOWN, self._note(unit, system, action))

    def crash(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        if system.host.rail is not Rail.UP or system.host.os is Os.STOPPED:
            raise ActionRefused(f"no operating system runs on {system.host_name}: it cannot crash")
        self._services.order(unit, system, Order.CRASH, self._note(unit, system, action))

    def boot(self, unit: Unit, system: SystemState, action: PowerAction) -> None:
        if system.host.rail is not Rail.UP:
            raise ActionRefused(f"{system.host_name} has no power: switch it on, and it boots")
        self._services.order(unit, system, Order.RESET, self._note(unit, system, action))

    def _move(self, unit: Unit, system: SystemState, word: str, action: PowerAction) -> None:
        system.machine.uncommanded()
        if word == "On":
            system.machine.pending = RestartCause.POWER_BUTTON
        seq = self._note(unit, system, action)
        self._effects.uncommanded(unit, system, steps_from_rail(unit.profile.power, word), seq)

    def _note(self, unit: Unit, system: SystemState, action: PowerAction) -> int:
        return self._services.journal.record(
            unit.name, EventKind.INCIDENT, None, system=system.id, host=system.host_name, what=action, by="hand"
        )


ACTIONS: Final[Mapping[PowerAction, Callable[[ByHand, Unit, SystemState, PowerAction], None]]] = {
    PowerAction.ON: ByHand.switch_on,
    PowerAction.OFF: ByHand.switch_off,
    PowerAction.PRESS: ByHand.press,
    PowerAction.CRASH: ByHand.crash,
    PowerAction.BOOT: ByHand.boot,
}
