"""The actions that send no power command: `monitor`, and the warnings of `status` and `monitor`. `fencer.agent` calls it.

Rules
  1. A device can be used if the BMC answers and takes the credentials, if exactly one System with the right identity is
     found, and if it offers a way to power the host off. The power state itself does not matter.
  2. Pacemaker stops a device whose monitor fails. So an unknown power word, and a chassis that could stop a later fence, are
     warnings.
"""

from __future__ import annotations

from dataclasses import dataclass

from fencer import command_plan, failure_text, run
from fencer.events_effects import Observe
from fencer.outcome import Action, Failure, FenceVerdict, Outcome, Power, Reading, Witness, WitnessState
from fencer.target import Limits, Target
from fencer.transport.base import CallFailed
from fencer.transport.refused_logins import RefusedLogins
from fencer.witnesses import OUTLET, is_chassis

PARTS_OF_A_MACHINE = frozenset({"Component", "Module", "Zone"})
"""ChassisType of chassis that are often the BMC's own board or a part of it, and may stay On for ever (DSP0268)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCheck:
    """Result of `monitor`. `failure` is None if the device can be used."""

    outcome: Outcome | None
    failure: Failure | None
    warnings: tuple[str, ...] = ()


def check_device(
    target: Target, limits: Limits, observe: Observe | None = None, refused: RefusedLogins | None = None
) -> DeviceCheck:
    """Checks within `limits.deadline` seconds, log-out included, whether the device can fence. Blocks the caller's thread.

    `refused` counts the refused log-ins, where several runs share one BMC.
    """
    clock = run.MonotonicClock()
    deadline_at = clock.now() + limits.deadline
    try:
        transport = run.open_transport(target, limits, limits.call, clock, refused)
    except CallFailed as call_failed:
        return DeviceCheck(outcome=None, failure=call_failed.failure)
    try:
        outcome = run.run_procedure(Action.MONITOR, transport, clock, limits, observe=observe)
        if not outcome.readings or not was_read(outcome):
            return DeviceCheck(outcome=outcome, failure=outcome.failure)
        reading = outcome.readings[-1]
        if reading.identity_missing:
            return DeviceCheck(outcome=outcome, failure=failure_text.identity_not_shown(reading))
        left = max(deadline_at - clock.now(), 0.1)
        allowed = transport.allowed_commands(min(limits.call, left))
        plan, _ = command_plan.plan(Power.OFF, allowed, limits)
        failure = None if plan else failure_text.unsupported(Power.OFF, allowed)
        return DeviceCheck(outcome=outcome, failure=failure, warnings=warnings_of(reading))
    finally:
        transport.close(min(max(deadline_at - clock.now(), 0.0), run.LOGOUT_S))


def was_read(outcome: Outcome) -> bool:
    """Whether the BMC answered with a power word, a known one or not."""
    if outcome.verdict is FenceVerdict.CONFIRMED:
        return True
    return bool(outcome.readings) and outcome.failure == failure_text.unusable_status(outcome.readings[-1])


def warnings_of(reading: Reading) -> tuple[str, ...]:
    """Returns one sentence for each thing in a reading that could stop a later fence."""
    found = []
    if reading.power is Power.UNKNOWN and reading.word != "Off":
        found.append(f"{reading.source} says {failure_text.reading_text(reading)}, which is neither On nor Off")
    found += [text for witness in reading.witnesses if (text := _witness_warning(witness, reading))]
    return tuple(found)


def _witness_warning(witness: Witness, reading: Reading) -> str | None:
    if not is_chassis(witness):
        return _protocol_warning(witness, reading)
    uri, word, knob = witness.uri, (witness.word or "")[:40], "chassis_check can leave it out"
    if witness.state is WitnessState.UNKNOWN:
        return f"the chassis {uri} gives no power state ({witness.why}), so an Off will not be believed; {knob}"
    if witness.state is WitnessState.SAYS and reading.word == "Off" and witness.word != "Off":
        return f"the System says Off and its chassis {uri} says {word}; {knob} if that is always so"
    if witness.state is WitnessState.SAYS and witness.kind in PARTS_OF_A_MACHINE:
        return f"the chassis {uri} is a {witness.kind}, and may say {word} while the host is off; {knob}"
    return None


def _protocol_warning(witness: Witness, reading: Reading) -> str | None:
    if witness.kind == OUTLET:
        return None
    if witness.state is WitnessState.SILENT:
        return f"{witness.uri} cannot confirm what Redfish says: {witness.why}"
    if reading.path != "ipmi" and witness.word != reading.word:
        return f"Redfish says {failure_text.reading_text(reading)}, and {witness.uri} says {witness.word}"
    return "Redfish does not answer; only IPMI does" if reading.path == "ipmi" else None
