"""When a manager must not send power-offs although a host wants one.

Rules
  1. The brake holds commands only. Reading and confirming go on, so hosts that are off become Down without any command.
  2. Hosts proved off are explained; they do not count any more.

Theory
  Many hosts lost in the same minute are rarely many broken hosts: it is a switch, a storage hiccup, or us.
"""

from __future__ import annotations

from collections.abc import Sequence

from fencer.ha.observations import Hold
from fencer.ha.policy import Policy
from fencer.ha.record import FencePhase, HostRecord
from fencer.ha.states import HAState

_OUT = frozenset({HAState.DISABLED, HAState.INELIGIBLE, HAState.FENCED})


def too_many_lost(records: Sequence[HostRecord], policy: Policy) -> bool:
    """More than `brake_ratio` of the hosts under HA, and at least `brake_min`, lost within one `brake_window`."""
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
    """Why no power-off may leave `owner` now, or None. `last_command` is when it decided the last one."""
    if too_many_lost(records, policy):
        return Hold.BRAKE
    if now - started < policy.start_quiet:
        return Hold.START
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
