"""When a host may be called off, and when a request to its BMC may start.

Rules
  1. Off is the exact word Off of a live read, and no linked chassis that says otherwise. PoweringOff, null, a time-out, a 2xx
     and a 409 are not Off.
  2. A proof is at least two such reads with nothing else between, in one epoch, begun after the fence began, `stable_for`
     or more apart, all of one identity. Between two of them nobody looked away for longer than a lease.
  3. A request starts only if it must end before the lease does.

Theory
  A BMC may repeat a stale word, and a request of a manager that lost its lease may still be on its way. Rule 2 outlives
  the first, rule 3 the second. Two reads far apart say nothing of the time between: a manager that was stopped for a minute
  begins anew. Everything that would make a fence unsafe if it were wrong is in this file.
"""

from __future__ import annotations

from fencer.ha.observations import PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord, OffRead, OffRun
from fencer.outcome import Power, Reading


def says_off(reading: Reading, chassis_check: bool) -> bool:
    if reading.power is not Power.OFF:
        return False
    return not chassis_check or reading.chassis_word in (None, "Off")


def is_stranger(record: HostRecord, reading: Reading) -> bool:
    """True where the BMC shows another machine than the one that was configured: neither proof nor target."""
    return record.identity is not None and reading.identity is not None and reading.identity != record.identity


def extend(record: HostRecord, seen: PowerRead, policy: Policy) -> OffRun | None:
    """The run of Off reads after `seen`: longer, begun anew, or ended."""
    reading = seen.reading
    if reading is None or is_stranger(record, reading) or not says_off(reading, record.chassis_check):
        return None
    read = OffRead(
        at=seen.started, request=seen.request, word=reading.word or "", path=reading.path, source=reading.source,
        chassis=reading.chassis_word, identity=reading.identity,
    )  # fmt: skip
    run = record.off_run
    if run is None or run.epoch != record.epoch or run.first.identity != read.identity or _looked_away(run, read, policy):
        return OffRun(first=read, last=read, count=1, epoch=record.epoch)
    return OffRun(first=run.first, last=read, count=run.count + 1, epoch=run.epoch)


def _looked_away(run: OffRun, read: OffRead, policy: Policy) -> bool:
    # `stable_for` on top: however it is set, the read that completes a proof is in time.
    return read.at - run.last.at > policy.stable_for + policy.lease


def is_stable(record: HostRecord, policy: Policy) -> bool:
    """Two live reads of this epoch, far enough apart."""
    run = record.off_run
    return run is not None and run.epoch == record.epoch and run.count >= 2 and run.last.at >= run.first.at + policy.stable_for


def is_proved(record: HostRecord, policy: Policy) -> bool:
    """The whole of rule 2: the fence of this record may be committed."""
    run, fence = record.off_run, record.fence
    return run is not None and fence is not None and is_stable(record, policy) and run.first.at >= fence.started_at


def may_start(lease_until: float, policy: Policy, now: float) -> bool:
    """Rule 3."""
    return lease_until - now >= policy.request_timeout + policy.clock_margin
