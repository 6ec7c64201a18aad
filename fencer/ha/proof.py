"""Decides when a host is proved off, and when a request to its BMC may start.

The HA rules and `Manager` call these functions. Pure; times are seconds of the store's clock. An error in this file can
make a fence unsafe.

Rules
  1. An Off read is a live read with exactly the word Off, and no linked chassis with another word. PoweringOff, null, a
     time-out, a 2xx and a 409 are not Off.
  2. A proof is a run of at least two Off reads with no other result between them: in one epoch, started after the fence
     started, `stable_for` or more from first to last, all with one identity, and at most `stable_for` + `lease` between
     two of them.
  3. A request may start only if it ends before the lease does.

Theory
  A BMC may repeat an old power word for some time; rule 2 waits longer than that. A manager that has lost its lease may have
  a request in flight; rule 3 makes that request end first. Two reads far apart say nothing about the time between them, so a
  manager that was stopped for a minute starts a new run.
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


def is_other_machine(record: HostRecord, reading: Reading) -> bool:
    """True if the BMC shows another identity than the configured one. Such a read is no proof, and nothing is sent to it."""
    return record.identity is not None and reading.identity is not None and reading.identity != record.identity


def extend_off_run(record: HostRecord, power_read: PowerRead, policy: Policy) -> OffRun | None:
    """Returns the run of Off reads after `power_read`: longer, or new, or None if the run has ended."""
    reading = power_read.reading
    if reading is None or is_other_machine(record, reading) or not says_off(reading, record.chassis_check):
        return None
    read = OffRead(
        at=power_read.started, request=power_read.request, word=reading.word or "", path=reading.path, source=reading.source,
        chassis=reading.chassis_word, identity=reading.identity,
    )  # fmt: skip
    run = record.off_run
    if run is not None and record.fence is not None and run.first.at < record.fence.started_at:
        run = None  # the proof starts anew when the fence begins
    if run is None or run.epoch != record.epoch or run.first.identity != read.identity or _gap_is_too_long(run, read, policy):
        return OffRun(first=read, last=read, count=1, epoch=record.epoch)
    return OffRun(first=run.first, last=read, count=run.count + 1, epoch=run.epoch)


def _gap_is_too_long(run: OffRun, read: OffRead, policy: Policy) -> bool:
    # `stable_for` is added so that the read that completes a proof is never too late.
    return read.at - run.last.at > policy.stable_for + policy.lease


def is_stable(record: HostRecord, policy: Policy) -> bool:
    """True if the run has two Off reads of this epoch that are `stable_for` or more apart."""
    run = record.off_run
    return run is not None and run.epoch == record.epoch and run.count >= 2 and run.last.at >= run.first.at + policy.stable_for


def is_proved(record: HostRecord, policy: Policy) -> bool:
    """Rule 2: True if the fence of this record may be committed."""
    run, fence = record.off_run, record.fence
    return run is not None and fence is not None and is_stable(record, policy) and run.first.at >= fence.started_at


def may_start(lease_until: float, policy: Policy, now: float) -> bool:
    """Rule 3: True if a request that starts now ends before the lease."""
    return lease_until - now >= policy.request_timeout + policy.clock_margin
