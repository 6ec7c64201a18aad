"""Decides which power commands a fence procedure sends, in which order, and when the next one is due.

`fencer.procedure` calls these functions. Pure; times are seconds of the caller's monotonic clock.

Rules
  1. Only what the BMC lists is sent; if it lists nothing, ForceOff or On.
  2. PushPowerButton toggles the power. It is sent only if the read immediately before shows the opposite state, and never
     again after an answer that does not exclude that it worked.
  3. A refused command is repeated after its Retry-After, but not earlier than after 2 s; without one after 2, 4, 8 s, and the On
     of a reboot after 2, 2, 2, 4, 8 s, unless the BMC is busy. One that was lost, which nobody refused, is repeated after 2 s
     each time and makes no later wait longer (all with the default `limits.poll`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from fencer.events_effects import AllowedCommands
from fencer.outcome import Cause, Power, PowerCommand
from fencer.procedure_state import LOST, ProcedureState
from fencer.target import Limits

CommandOrder = tuple[PowerCommand, ...]

OPPOSITE_POWER: Mapping[Power, Power] = {Power.OFF: Power.ON, Power.ON: Power.OFF}
BACK_OFF_POLLS = 4  # times `limits.poll`: the first pause after a refused command
MAX_DOUBLINGS = 2
FIRST_EVEN_TRIES = 3
PART_WITHOUT_EFFECT = 1 / 3  # of the deadline: then an accepted ForceOff is sent once more
ON_WITHOUT_EFFECT_POLLS = 8  # times `limits.poll`: then an accepted On is sent again
MAY_HAVE_BEEN_DONE = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BAD_RESPONSE, Cause.BUSY})


def plan(goal: Power, allowed: AllowedCommands, limits: Limits) -> tuple[CommandOrder, CommandOrder]:
    """Returns the power commands for `goal` in the order in which they are tried, and those that replace an unknown one.

    The first is empty if the BMC allows no way to the goal.
    """
    graceful, button = PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON

    def only_allowed(*commands: PowerCommand) -> CommandOrder:
        return tuple(command for command in commands if command in allowed.commands)

    if goal is Power.ON:
        if not allowed.listed:
            return (PowerCommand.ON,), ()
        ways = only_allowed(PowerCommand.ON, PowerCommand.FORCE_ON, button)
        return ways[:1], ways[1:2]
    if allowed.listed and PowerCommand.FORCE_OFF not in allowed.commands:
        return only_allowed(graceful, button), ()
    # If only one command may be sent, it must be ForceOff: a host may ignore GracefulShutdown.
    if limits.graceful > 0 and limits.max_commands > 1 and (not allowed.listed or graceful in allowed.commands):
        return (graceful, PowerCommand.FORCE_OFF), only_allowed(button)
    return (PowerCommand.FORCE_OFF,), only_allowed(graceful, button)


def may_send(state: ProcedureState, command: PowerCommand, now: float) -> bool:
    """Whether `command` may be sent now. The last reading is the one immediately before."""
    if command is PowerCommand.PUSH_POWER_BUTTON and state.goal and state.readings[-1].power is not OPPOSITE_POWER[state.goal]:
        return False
    endless = state.off_evidence is not None and state.limits.max_commands > 1
    return now >= state.next_send and (endless or state.counted < state.limits.max_commands)


def after_refusal(state: ProcedureState, failure_cause: Cause, retry_after: float | None, now: float) -> float:
    """When the refused command may be sent again; never for a button that may have been pushed."""
    if state.plan[0] is PowerCommand.PUSH_POWER_BUTTON and failure_cause in MAY_HAVE_BEEN_DONE:
        return inf
    shortest = BACK_OFF_POLLS * state.limits.poll
    if retry_after or failure_cause in LOST:
        return now + max(retry_after or 0.0, shortest)
    # The On of a reboot may be refused just after the Off; the host is fenced already, and each wait keeps it from coming back.
    first = FIRST_EVEN_TRIES if state.off_evidence is not None and failure_cause is not Cause.BUSY else 1
    doublings = min(max(state.sent - state.lost - first, 0), MAX_DOUBLINGS)
    return now + shortest * 2.0**doublings


def after_acceptance(state: ProcedureState, now: float) -> float:
    """When an accepted command that shows no effect is sent again."""
    match state.plan[0]:
        case PowerCommand.FORCE_OFF if state.accepted is not PowerCommand.FORCE_OFF:
            return now + PART_WITHOUT_EFFECT * state.limits.deadline
        case PowerCommand.ON | PowerCommand.FORCE_ON:
            return now + ON_WITHOUT_EFFECT_POLLS * state.limits.poll
        case _:
            return inf
