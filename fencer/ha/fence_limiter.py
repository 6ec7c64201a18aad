"""Decides for each host whether the power may be cut now, or why power commands are held back.

`Manager` makes one `ClusterView` per round and asks it for the `Tick` of each of its hosts, in its loop's thread. Pure;
times are seconds of the store's clock.

Rules
  1. It holds back what cuts power: power-offs and resets. Reads and confirmations go on, so a host that is off becomes Down
     without a command. A host whose power-off is proved is not suspect.
  2. Too many lost: once held, held until no host is suspect for `settle`, or an operator overrides. Time alone lifts nothing.
  3. `min_healthy` of the hosts under HA must be healthy without the host to be cut, and one of them Available. Healthy is
     who passed a check that began after that host fell silent.
  4. Within `max_fenced_window`, at most `max_fenced` of the hosts have their power cut.
  5. Witness probes of the manager, if there are any, must have passed in a round that began after that host fell silent. They
     hold commands also while other hosts answer: a manager that runs on a host sees that host whatever it is cut off from.
  6. A host whose BMC shows the same machine as another host's gets no command, whatever an operator says.
  7. After an operator has cancelled its fence, a host gets no command until it is Available again, or a later order or override.
  8. The limits are in `LIMITS`, in the order in which they are named to people.

Theory
  If many hosts are lost within one minute, the usual cause is a switch, the storage or the manager itself, not the hosts. When
  contact comes back, it comes back host by host, and the last silent one is as innocent as the first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from fencer.ha import proof, same_machine
from fencer.ha.observations import Hold, Tick
from fencer.ha.policy import Policy
from fencer.ha.record import FencePhase, HostRecord
from fencer.ha.states import HAState

S = HAState
NOT_UNDER_HA = frozenset({S.DISABLED, S.INELIGIBLE})
SUSPECT = frozenset({S.SUSPECT, S.CHECKING, S.DEGRADED, S.RECOVERING, S.RECOVERED, S.FENCING})
WANTS_COMMAND = frozenset({S.RECOVERING, S.FENCING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerFacts:
    """What a manager knows of itself. `witness_passed_at`: start of the last witness round that passed."""

    owner: str
    started: float
    last_command: float | None = None
    has_witness: bool = False
    witness_passed_at: float | None = None


def is_suspect(record: HostRecord, policy: Policy) -> bool:
    """True if nobody knows what became of the host. A host that is proved off is not suspect."""
    return record.state in SUSPECT and not (proof.is_stable(record, policy) and record.state is not S.RECOVERED)


def is_taken_for_silent(record: HostRecord) -> bool:
    """True if its last health check failed, or if nobody knows and an operator has ordered its fence. Others get no command."""
    return record.healthy is False or (record.healthy is None and record.ordered is not None)


def too_many_lost(records: Sequence[HostRecord], policy: Policy) -> bool:
    """True if within `brake_window` seconds at least `brake_min` and more than `brake_ratio` of the hosts under HA were lost."""
    watched = [record for record in records if record.state not in NOT_UNDER_HA | {S.FENCED}]
    lost = sorted(r.suspect_since for r in watched if r.suspect_since is not None and is_suspect(r, policy))
    begin = 0
    for index, moment in enumerate(lost):
        while moment - lost[begin] > policy.brake_window:
            begin += 1
        together = index - begin + 1
        if together >= policy.brake_min and together > policy.brake_ratio * len(watched):
            return True
    return False


class ClusterView:
    """All hosts as one snapshot of the store shows them. `bmcs` names the BMC of each host, so that hosts can share one."""

    def __init__(
        self, records: Sequence[HostRecord], policy: Policy, now: float, me: ManagerFacts, bmcs: Mapping[str, str] | None = None
    ) -> None:
        self.policy, self.now, self.me, self._bmcs = policy, now, me, bmcs or {}
        self.under_ha = sum(1 for record in records if record.state not in NOT_UNDER_HA)
        self.storm = too_many_lost(records, policy) or any(record.storm for record in records)
        self.same_machine = same_machine.groups({record.host: record.pinned for record in records if record.pinned})
        self._cuts_total = sum(len(recent_cuts(record, policy, now)) for record in records)
        self._healthy = _passes(records, policy, now, lambda record: record.state not in NOT_UNDER_HA | {S.FENCED})
        self._available = _passes(records, policy, now, lambda record: record.state is S.AVAILABLE)
        self._busy = Counter(r.owner for r in records if r.fence is not None and r.fence.phase in _UNDER_WAY)
        silent = [r.silent_since for r in records if r.state in WANTS_COMMAND and not r.off_run and r.silent_since is not None]
        self.health_wanted_since = max(silent, default=None)
        self._refused: dict[str, float] = {}
        for record in records:
            if record.login_refused_at is not None:
                bmc = self._bmcs.get(record.host, record.host)
                self._refused[bmc] = max(self._refused.get(bmc, record.login_refused_at), record.login_refused_at)
        self._devices_refused: dict[str, float] = {}
        for memory in (memory for record in records for memory in record.devices):
            if memory.login_refused_at is not None:
                known = self._devices_refused.get(memory.name, memory.login_refused_at)
                self._devices_refused[memory.name] = max(known, memory.login_refused_at)

    def tick(self, record: HostRecord) -> Tick:
        """Returns the Tick for one host of this manager."""
        return Tick(
            hold=self.hold(record) if record.state in WANTS_COMMAND else None,
            storm=self.storm,
            same_machine=self.same_machine.get(record.host, ()),
            login_refused_at=self._refused.get(self._bmcs.get(record.host, record.host)),
            devices_refused_at=tuple(
                (name, self._devices_refused[name])
                for level in (record.levels if self._devices_refused else ())
                for name in level
                if name in self._devices_refused
            ),
        )

    def hold(self, record: HostRecord, ignore: frozenset[Hold] = frozenset()) -> Hold | None:
        """Returns why the power of this host must not be cut now, or None."""
        for hold, applies in LIMITS.items():
            overridden = record.override is not None and hold not in NEVER_OVERRIDDEN
            if not overridden and hold not in ignore and applies(self, record):
                return hold
        return None

    def healthy_since(self, moment: float) -> int:
        """How many hosts passed a health check that began after `moment`."""
        return len(self._healthy) - bisect_right(self._healthy, moment)

    def available_since(self, moment: float) -> int:
        return len(self._available) - bisect_right(self._available, moment)

    def cuts_of_others(self, record: HostRecord) -> int:
        """Power cuts within `max_fenced_window`, without the one that is under way on this host."""
        own = record.cut_at is not None and self.now - record.cut_at < self.policy.max_fenced_window
        return self._cuts_total - (1 if own else 0)

    def busy(self) -> int:
        return self._busy[self.me.owner]


_UNDER_WAY = (FencePhase.POWER_OFF, FencePhase.CONFIRM)


def recent_cuts(record: HostRecord, policy: Policy, now: float) -> tuple[float, ...]:
    """Returns the times of this host's power cuts, one per trouble, that `max_fenced` still counts."""
    own = (record.cut_at,) if record.cut_at is not None else ()
    return tuple(moment for moment in (*record.cuts, *own) if now - moment < policy.max_fenced_window)


def _passes(records: Sequence[HostRecord], policy: Policy, now: float, counts: Callable[[HostRecord], bool]) -> list[float]:
    """The starts of the passed health checks that are not too old, in order. Only hosts whose last check passed have one."""
    passed = (record.passed_at for record in records if counts(record) and record.healthy)
    return sorted(moment for moment in passed if moment is not None and now - moment <= policy.health_counts_for)


def _silent_since(view: ClusterView, record: HostRecord) -> float:
    return record.silent_since if record.silent_since is not None else view.now


def _same_machine(view: ClusterView, record: HostRecord) -> bool:
    return record.host in view.same_machine or bool(record.same_machine)


def _cancelled(view: ClusterView, record: HostRecord) -> bool:
    return record.cancelled is not None


def _too_many_lost(view: ClusterView, record: HostRecord) -> bool:
    return view.storm


def _witness_silent(view: ClusterView, record: HostRecord) -> bool:
    passed = view.me.witness_passed_at
    if not view.me.has_witness:
        return False
    if passed is None or view.now - passed > view.policy.health_counts_for:
        return True
    return passed <= _silent_since(view, record)


def _too_few_healthy(view: ClusterView, record: HostRecord) -> bool:
    needed = ceil(view.policy.min_healthy * view.under_ha - 1e-9)
    return view.healthy_since(_silent_since(view, record)) < needed


def _nobody_available(view: ClusterView, record: HostRecord) -> bool:
    return view.available_since(_silent_since(view, record)) < 1


def _too_many_fenced(view: ClusterView, record: HostRecord) -> bool:
    allowed = max(ceil(view.policy.max_fenced * view.under_ha - 1e-9), 1)
    return view.cuts_of_others(record) + 1 > allowed


def _just_started(view: ClusterView, record: HostRecord) -> bool:
    return view.now - view.me.started < view.policy.start_quiet


def _rate(view: ClusterView, record: HostRecord) -> bool:
    if view.busy() >= view.policy.fences_at_once:
        return True
    last = view.me.last_command
    return last is not None and view.now - last < 1 / view.policy.power_offs_per_second


LIMITS: dict[Hold, Callable[[ClusterView, HostRecord], bool]] = {
    Hold.SAME_MACHINE: _same_machine,
    Hold.CANCELLED: _cancelled,
    Hold.TOO_MANY_LOST: _too_many_lost,
    Hold.WITNESS_SILENT: _witness_silent,
    Hold.MIN_HEALTHY: _too_few_healthy,
    Hold.NOBODY_AVAILABLE: _nobody_available,
    Hold.MAX_FENCED: _too_many_fenced,
    Hold.JUST_STARTED: _just_started,
    Hold.RATE: _rate,
}

NEVER_OVERRIDDEN = frozenset({Hold.SAME_MACHINE, Hold.RATE})
UNTIL_CHECKED = frozenset({Hold.MIN_HEALTHY, Hold.NOBODY_AVAILABLE, Hold.WITNESS_SILENT})
"""Holds that end when the next health checks pass: an alert is sent if they last longer."""

PASSING = frozenset({Hold.JUST_STARTED, Hold.RATE})
"""Holds that end by themselves within a minute: no alert is sent for them."""
