"""The reference fencer. Powers one host off or on through its BMC and returns an Outcome with the evidence.

`fence_bmc` and `fence-ha` use these functions; other programs may call them too. Each call blocks its caller's thread and
may run in any thread. Times are seconds. Importing this package loads no network code; the transport of a target's
protocol is imported on first use.
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
    """Powers the host off and confirms it with live reads.

    The fencer calls `permit` immediately before it sends each power command; False stops the command and ends the action.
    It calls `observe` with the time (monotonic seconds) and each event and effect. The call blocks for at most
    `limits.deadline` seconds plus a log-out of at most 2 s. Whatever the BMC does, it raises no exception: the failure is
    in the Outcome.
    """
    return _perform(Action.OFF, target, limits, permit, observe)


def power_on(
    target: Target, limits: Limits | None = None, *, permit: Permit | None = None, observe: Observe | None = None
) -> Outcome:
    """Powers the host on and confirms it with a live read. Arguments as for `fence`."""
    return _perform(Action.ON, target, limits, permit, observe)


def reset(
    target: Target, limits: Limits | None = None, *, permit: Permit | None = None, observe: Observe | None = None
) -> Outcome:
    """Confirms Off, then powers the host on. Arguments as for `fence`.

    CONFIRMED means that Off was confirmed in between (FenceAgentAPI, reboot). If On failed afterwards, `notes` says so.
    """
    return _perform(Action.REBOOT, target, limits, permit, observe)


def read(target: Target, timeout: float, *, chassis_check: ChassisCheck = ChassisCheck.REQUIRE) -> Reading:
    """Reads the power state once, live, within `timeout` seconds.

    `Reading.power` is OFF only if the BMC says exactly Off and no linked chassis says otherwise. One such read is not a
    proof: `fence` needs at least two. Raises FenceError if there is no reading.
    """
    from fencer.run import read_once

    return read_once(target, timeout, chassis_check)


def _perform(action: Action, target: Target, limits: Limits | None, permit: Permit | None, observe: Observe | None) -> Outcome:
    from fencer.run import fence_target

    return fence_target(action, target, limits or Limits(), permit=permit, observe=observe)
