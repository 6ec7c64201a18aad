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
    Witness,
    WitnessState,
)
from fencer.target import Auth, ChassisCheck, FenceError, IdentityCheck, Limits, Protocol, Target

__all__ = [
    "Action",
    "Auth",
    "Cause",
    "ChassisCheck",
    "Evidence",
    "Failure",
    "FenceError",
    "FenceVerdict",
    "IdentityCheck",
    "Limits",
    "Observe",
    "Outcome",
    "Permit",
    "Power",
    "PowerCommand",
    "Protocol",
    "Reading",
    "Target",
    "Witness",
    "WitnessState",
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
    `limits.deadline` seconds, log-out included. Whatever the BMC does and the target says, it raises no exception: the
    failure is in the Outcome. An exception that `permit` or `observe` raises passes through, after the log-out.
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


def read(
    target: Target, timeout: float, *, chassis_check: ChassisCheck = ChassisCheck.REQUIRE, chassis: tuple[str, ...] = ()
) -> Reading:
    """Reads the power state once, live, within `timeout` seconds.

    `Reading.power` is OFF only if the BMC says exactly Off and no chassis of `chassis_check` says otherwise. One such read is
    not a proof: `fence` needs at least two. `chassis` is the list of URIs for ChassisCheck.LISTED. Raises FenceError if
    there is no reading, and ValueError if `timeout` is not more than 0 or `chassis` does not fit `chassis_check`.
    """
    from fencer.run import read_once

    return read_once(target, timeout, chassis_check, chassis)


def _perform(action: Action, target: Target, limits: Limits | None, permit: Permit | None, observe: Observe | None) -> Outcome:
    from fencer.run import fence_target

    return fence_target(action, target, limits or Limits(), permit=permit, observe=observe)
