"""The reference fencer: `fence(target)` returns an Outcome that may be believed.

Importing this package loads no network code; the transport of a target's protocol is loaded on first use.
"""

from __future__ import annotations

from fencer.events_effects import Observe, Permit
from fencer.outcome import (
    Action,
    Cause,
    Evidence,
    Failure,
    FenceVerdict,
    Outcome,
    Power,
    PowerCommand,
    Reading,
)
from fencer.target import Auth, ChassisCheck, FenceError, Limits, Protocol, Target

__all__ = [
    "Action",
    "Auth",
    "Cause",
    "ChassisCheck",
    "Evidence",
    "Failure",
    "FenceError",
    "FenceVerdict",
    "Limits",
    "Observe",
    "Outcome",
    "Permit",
    "Power",
    "PowerCommand",
    "Protocol",
    "Reading",
    "Target",
    "fence",
    "power_on",
    "read",
    "reset",
]


def fence(
    target: Target, limits: Limits | None = None, *, permit: Permit | None = None, observe: Observe | None = None
) -> Outcome:
    """Brings the host to a confirmed Off, and says why that may be believed.

    `permit` is asked in the instant before each power command leaves; False vetoes it and ends the action. `observe` is
    told every event and effect with its time. Blocks for at most `limits.deadline` seconds plus one log-out of at most
    two; raises nothing that a BMC can cause.
    """
    return _perform(Action.OFF, target, limits, permit, observe)


def power_on(
    target: Target, limits: Limits | None = None, *, permit: Permit | None = None, observe: Observe | None = None
) -> Outcome:
    """Brings the host to On. Arguments as for `fence`."""
    return _perform(Action.ON, target, limits, permit, observe)


def reset(
    target: Target, limits: Limits | None = None, *, permit: Permit | None = None, observe: Observe | None = None
) -> Outcome:
    """A confirmed Off, then On. CONFIRMED says that the old run has ended; `notes` say so if On did not follow."""
    return _perform(Action.REBOOT, target, limits, permit, observe)


def read(target: Target, timeout: float, *, chassis_check: ChassisCheck = ChassisCheck.REQUIRE) -> Reading:
    """One live read of the power state, within `timeout` seconds.

    Reading.power is OFF only if the BMC says exactly Off and no chassis contradicts it. One such read is not yet proof.
    Raises FenceError.
    """
    from fencer.run import read_once

    return read_once(target, timeout, chassis_check)


def _perform(action: Action, target: Target, limits: Limits | None, permit: Permit | None, observe: Observe | None) -> Outcome:
    from fencer.run import fence_target

    return fence_target(action, target, limits or Limits(), permit=permit, observe=observe)
