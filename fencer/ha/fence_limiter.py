"""Decides whether a manager must hold back power-offs, for example because many hosts were lost at the same time.

`Manager` calls `hold` once per host and round, in its loop's thread. Pure; times are seconds of the store's clock.

Rules
  1. It holds back power commands only. Reads and confirmations go on, so a host that is off becomes Down without a command.
  2. A host whose power-off is proved does not count as lost.

Theory
  If many hosts are lost within one minute, the usual cause is a switch, the storage or the manager itself, not the hosts.
"""

from __future__ import annotations

from collections.abc import Sequence

from fencer.ha.observations import Hold
from fencer.ha.policy import Policy
from fencer.ha.record import FencePhase, HostRecord
from fencer.ha.states import HAState

_OUT = frozenset({HAState.DISABLED, HAState.INELIGIBLE, HAState.FENCED})


def too_many_lost(records: Sequence[HostRecord], policy: Policy) -> bool:
    """True if within `brake_window` seconds at least `brake_min` and more than `brake_ratio` of the hosts under HA were lost."""
    watched = [record for record in records if record.state not in _OUT]
    lost = sorted(record.suspect_since for record in watched if record.suspect_since is not None)
    for index, first in enumerate(lost):
        together = sum(1 for moment in lost[index:] if moment - first <= policy.brake_window)
        if together >= policy.brake_min and together > policy.brake_ratio * len(watched):
            return True
    return False


def hold(
    records: Sequence[HostRecord], owner: str, policy: Policy, now: float, started: float, last_command: float | None
) -> Hold | None:
    """Returns why `owner` must not send a power-off now, or None. `last_command` is the time of its last power-off."""
    if too_many_lost(records, policy):
        return Hold.TOO_MANY_LOST
    if now - started < policy.start_quiet:
        return Hold.JUST_STARTED
    busy = sum(
        1
        for r in records
        if r.owner == owner and r.fence is not None and r.fence.phase in (FencePhase.POWER_OFF, FencePhase.CONFIRM)
    )
    if busy >= policy.fences_at_once:
        return Hold.RATE
    if last_command is not None and now - last_command < 1 / policy.power_offs_per_second:
        return Hold.RATE
    return None
