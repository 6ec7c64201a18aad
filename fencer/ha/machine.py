"""Our rules: `step(record, seen, policy, now) -> (record', effects)`.

Rules
  1. Pure. Same arguments, same result; no clock, no thread, no I/O.
  2. An answer of an older epoch or to another request changes nothing.
  3. Legal steps may follow one another within one call, so that a host that is off is Down as soon as it is proved.
  4. A host becomes Available only while no power command to its BMC is on its way.

Theory
  A host is suspected after one failed health check. From then on two questions are asked side by side: does anything of it
  still write (activity), and is its chassis off (power)? A chassis that is stably Off answers the first one too. Only a proof
  that the power is off ends in Fenced; the activity answer only chooses between asking again later and trying to fence.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import fence, proof
from fencer.ha.effects import AlertName, HaEffect, LineKind, StopStrangers
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    Observation,
    PowerRead,
    Tick,
)  # fmt: skip
from fencer.ha.policy import Policy, Reenable
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Cause, Failure, Power

S, E = HAState, HAEvent

FAST = frozenset({S.SUSPECT, S.CHECKING, S.DEGRADED})


def step(record: HostRecord, seen: Observation, policy: Policy, now: float) -> tuple[HostRecord, tuple[HaEffect, ...]]:
    """Applies one observation at `now` (seconds of the store's clock)."""
    d = StepBuilder(record, policy, now)
    match seen:
        case Tick():
            _tick(d, seen)
        case Health():
            _health(d, seen)
        case Activity():
            _activity(d, seen)
        case PowerRead():
            _power_read(d, seen)
        case CommandReply():
            _command_reply(d, seen)
        case Claimed():
            _claimed(d)
        case Enable():
            _enable(d, seen.request)
        case Disable():
            _disable(d, seen.request)
        case Eligibility():
            _eligibility(d, seen)
        case _:
            fence.on_manual(d, seen)
    return d.result()


def _tick(d: StepBuilder, seen: Tick) -> None:
    _timers(d)
    if d.rec.state is S.FENCING:
        fence.on_tick(d, seen.hold)
    wants_read = d.rec.state in (S.RECOVERING, S.FENCING) or (d.rec.state in FAST and d.policy.fast_path)
    if wants_read and d.now >= d.rec.next_read_at and d.may_call:
        d.call(RequestKind.READ)


def _timers(d: StepBuilder) -> None:
    rec, policy = d.rec, d.policy
    if rec.state is S.SUSPECT and d.now >= rec.next_activity_at:
        d.go(E.PERFORM_ACTIVITY_CHECK)
        d.check_activity()
    elif rec.state is S.INELIGIBLE and rec.eligible and not d.command_in_flight:
        _available(d, E.ELIGIBLE)
    elif rec.state is S.DEGRADED and d.now >= rec.since + policy.degraded_period:
        d.go(E.PERIODIC_RECHECK)
        d.rec = replace(d.rec, samples=(), next_activity_at=d.now)
    elif rec.state is S.RECOVERING and rec.boot_until is not None and d.now >= rec.boot_until:
        _recovery_failed(
            d, f"{rec.host} did not answer its health checks {policy.recovery_boot_wait:g} s after a reset", "timeout"
        )
    elif rec.state is S.RECOVERED and d.now >= rec.since + policy.recovered_wait:
        if rec.healthy and not d.command_in_flight:
            _available(d, E.RECOVERY_WAIT_OVER)
        elif not rec.healthy:
            d.go(E.HEALTH_CHECK_FAILED, S.SUSPECT)
            _suspect(d, keep_count=True)


def _health(d: StepBuilder, seen: Health) -> None:
    if seen.passed is None:
        d.rec = replace(d.rec, streak=0)
        return
    streak = min(d.rec.streak + 1, d.policy.healthy_checks) if seen.passed else 0
    d.rec = replace(d.rec, healthy=seen.passed, streak=streak)
    (_health_passed if seen.passed else _health_failed)(d)


def _health_passed(d: StepBuilder) -> None:
    match d.rec.state:
        case S.SUSPECT | S.CHECKING | S.DEGRADED if not d.command_in_flight:
            _available(d, E.HEALTH_CHECK_PASSED)
        case S.RECOVERING if d.rec.reset_sent:
            d.go(E.HEALTH_CHECK_PASSED, S.RECOVERED)
            d.rec = replace(d.rec, boot_until=None, off_run=None)
            d.alert(AlertName.RECOVERY_DONE, f"recovery/done/{d.rec.requests}", f"{d.rec.host} answers again after a reset")
        case S.RECOVERING:
            _available(d, E.HEALTH_CHECK_PASSED, S.AVAILABLE)
        case S.FENCING:
            if fence.on_health(d):
                _available(d, E.HEALTH_CHECK_PASSED)
        case S.FENCED:
            _returned(d)


def _health_failed(d: StepBuilder) -> None:
    match d.rec.state:
        case S.AVAILABLE:
            d.go(E.HEALTH_CHECK_FAILED)
            _suspect(d, keep_count=False)
            d.alert(AlertName.HEALTH_LOST, "health", f"{d.rec.host} does not answer its health checks")
        case S.SUSPECT | S.DEGRADED | S.CHECKING:
            d.go(E.HEALTH_CHECK_FAILED)
        case S.RECOVERED:
            d.go(E.HEALTH_CHECK_FAILED, S.RECOVERED)
        case S.FENCED:
            d.go(E.HEALTH_CHECK_FAILED)
            d.rec = replace(d.rec, returned_at=None)


def _suspect(d: StepBuilder, *, keep_count: bool) -> None:
    d.rec = replace(
        d.rec, suspect_since=d.now, samples=(), next_activity_at=d.now, next_read_at=d.now, off_run=None, last_read="",
        recovery_count=d.rec.recovery_count if keep_count else 0, reset_sent=False, boot_until=None,
    )  # fmt: skip


def _available(d: StepBuilder, event: HAEvent, to: HAState | None = None) -> None:
    d.go(event, to)
    d.rec = replace(
        d.rec, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, boot_until=None, off_run=None,
        returned_at=None, last_error=None,
    )  # fmt: skip
    _leave_if_ineligible(d)


def _leave_if_ineligible(d: StepBuilder) -> None:
    """R1: what the configuration said during a fence or a recovery counts when that has ended."""
    if not d.rec.eligible:
        d.go(E.INELIGIBLE)


def _returned(d: StepBuilder) -> None:
    """Quarantine: VMs that live elsewhere now are stopped on it; it stays Down until it is let in again."""
    if d.rec.returned_at is None and d.rec.released is not None:
        d.effects.append(StopStrangers(fence_id=d.rec.released))
        d.rec = replace(d.rec, returned_at=d.now)
    elif d.policy.reenable is Reenable.AUTO and d.rec.streak >= d.policy.healthy_checks:
        _let_in(d)


def _let_in(d: StepBuilder) -> None:
    d.go(E.HEALTH_CHECK_PASSED)
    _timers(d)


def _activity(d: StepBuilder, seen: Activity) -> None:
    if d.rec.state is not S.CHECKING or seen.epoch != d.rec.epoch:
        return
    if seen.seen is not None:
        d.rec = replace(d.rec, samples=(*d.rec.samples, seen.seen))
    d.rec = replace(d.rec, next_activity_at=d.now + d.policy.activity_interval)
    if seen.seen is None or len(d.rec.samples) < d.policy.activity_samples:
        d.go(E.TOO_FEW_SAMPLES)
    elif d.rec.samples.count(False) / len(d.rec.samples) > d.policy.activity_ratio:
        d.go(E.ACTIVITY_FAILED)
        _recovering(d)
    else:
        d.go(E.ACTIVITY_SEEN)
        d.rec = replace(d.rec, samples=())


def _recovering(d: StepBuilder) -> None:
    """Power is read before anything is sent, so a stale run of reads must not speak for it."""
    d.rec = replace(d.rec, reset_sent=False, boot_until=None, off_run=None, next_read_at=d.now)
    if d.rec.recovery_count >= d.policy.recovery_attempts:
        _start_fencing(d)


def _start_fencing(d: StepBuilder) -> None:
    d.go(E.RECOVERY_EXHAUSTED)
    fence.begin(d)


def _recovery_failed(d: StepBuilder, text: str, reason: str) -> None:
    d.alert(AlertName.RECOVERY_FAILED, f"recovery/failed/{reason}", text, reason=reason)
    d.rec = replace(d.rec, recovery_count=d.rec.recovery_count + 1, boot_until=None, reset_sent=False)
    if d.rec.recovery_count >= d.policy.recovery_attempts:
        _start_fencing(d)
    else:
        d.go(E.RETRY_RECOVERY)


def _power_read(d: StepBuilder, seen: PowerRead) -> None:
    if seen.epoch != d.rec.epoch or d.rec.inflight is None or d.rec.inflight.id != seen.request:
        return
    failure = seen.failure
    if seen.reading is not None and proof.is_stranger(d.rec, seen.reading):
        failure = fence.stranger(d.rec, seen)
    run = proof.extend(d.rec, seen, d.policy)
    said = (seen.reading.word or "nothing") if seen.reading else f"no answer ({failure.cause})" if failure else "nothing"
    if said != d.rec.last_read or run is not None:
        _tell_read(d, seen, failure, said, run.count if run else 0)
    d.rec = replace(
        d.rec, inflight=None, off_run=run, last_read=said, next_read_at=_next_read(d, seen, failure),
        last_error=fence.error_of(failure, d.now) if failure else None,
    )  # fmt: skip
    if run is not None:
        d.rec = replace(d.rec, next_read_at=_next_off_read(d, run.first.at, seen.started))
    if d.rec.state is S.RECOVERING:
        _recovery_read(d, seen, failure)
    elif d.rec.state in FAST and proof.is_stable(d.rec, d.policy):
        _fast_path(d)
    elif d.rec.state is S.FENCING:
        fence.on_read(d, seen)


def _next_read(d: StepBuilder, seen: PowerRead, failure: Failure | None) -> float:
    if failure is None or failure.cause in fence.HARMLESS:
        return seen.started + d.policy.status_poll
    if failure.cause in fence.LOCK_OUT:
        return d.now + d.policy.auth_poll
    return seen.started + d.policy.unreachable_poll


def _next_off_read(d: StepBuilder, first: float, last: float) -> float:
    """The read that completes a proof is not kept waiting for the poll."""
    complete = first + d.policy.stable_for
    return complete if complete > last else last + d.policy.status_poll


def _tell_read(d: StepBuilder, seen: PowerRead, failure: Failure | None, said: str, in_a_row: int) -> None:
    d.tell(
        LineKind.POWER_READ,
        power=str(seen.reading.power if seen.reading else Power.UNKNOWN),
        word=said,
        off_in_a_row=in_a_row,
        reason=str(failure.cause) if failure else None,
        text=failure.text if failure else None,
        request=seen.request,
        fence_id=d.rec.fence.id if d.rec.fence else None,
    )


def _fast_path(d: StepBuilder) -> None:
    """A stable Off is an activity check of ratio 1.0: nothing writes on a chassis without power."""
    if d.rec.state is S.DEGRADED:
        d.go(E.PERIODIC_RECHECK)
    if d.rec.state is S.SUSPECT:
        d.go(E.PERFORM_ACTIVITY_CHECK)
    d.go(E.ACTIVITY_FAILED)
    d.rec = replace(d.rec, recovery_count=d.rec.recovery_count + 1)
    _start_fencing(d)


def _recovery_read(d: StepBuilder, seen: PowerRead, failure: Failure | None) -> None:
    rec = d.rec
    if rec.reset_sent:
        # A machine that is being reset may be dark for a moment; one that stays dark will not come back by itself.
        run = rec.off_run
        if run is not None and run.last.at >= run.first.at + d.policy.power_off_timeout:
            _recovery_failed(d, f"{rec.host} has been off for {run.last.at - run.first.at:g} s after a reset", "off")
    elif rec.off_run is not None:
        # No reset for a host that is off: some vendors would power it on, and its VMs would run twice.
        d.rec = replace(rec, recovery_count=max(rec.recovery_count + 1, d.policy.recovery_attempts))
        _start_fencing(d)
    elif failure is not None and failure.cause not in fence.HARMLESS:
        _recovery_failed(d, f"{rec.host} was not reset: {failure.text}", str(failure.cause))
    elif seen.reading is not None and seen.reading.power is Power.ON and d.may_call:
        request = d.call(RequestKind.RESET)
        d.rec = replace(d.rec, reset_sent=True, boot_until=d.now + d.policy.recovery_boot_wait)
        d.tell(LineKind.POWER_COMMAND, step="intent", command="reset", request=request.id)
        d.alert(
            AlertName.RECOVERY_TRIED,
            f"recovery/tried/{d.rec.requests}",
            f"{rec.host} is being reset",
            attempt=rec.recovery_count + 1,
        )
    elif rec.boot_until is None:
        d.rec = replace(rec, boot_until=d.now + d.policy.recovery_boot_wait)


def _command_reply(d: StepBuilder, seen: CommandReply) -> None:
    request = d.rec.inflight
    if seen.epoch != d.rec.epoch or request is None or request.id != seen.request:
        return
    failure = seen.failure
    d.tell(
        LineKind.POWER_COMMAND, step="reply", command=str(request.ask), request=request.id, result=str(seen.result),
        reason=str(failure.cause) if failure else None, code=failure.code if failure else None,
        message_id=failure.message_id if failure else None, text=failure.text if failure else None,
        fence_id=d.rec.fence.id if d.rec.fence else None,
    )  # fmt: skip
    d.rec = replace(d.rec, inflight=None, last_error=fence.error_of(failure, d.now) if failure else None)
    if d.rec.state is S.FENCING and request.ask is RequestKind.OFF:
        fence.on_reply(d, seen)
    elif (
        d.rec.state is S.RECOVERING
        and request.ask is RequestKind.RESET
        and seen.result in (CommandResult.FAILED, CommandResult.REFUSED)
    ):
        reason = str(failure.cause if failure else Cause.BAD_RESPONSE)
        _recovery_failed(
            d, f"the reset of {d.rec.host} was {seen.result}: {failure.text if failure else 'no reason given'}", reason
        )


def _claimed(d: StepBuilder) -> None:
    d.rec = replace(d.rec, inflight=None, off_run=None, streak=0, next_read_at=min(d.rec.next_read_at, d.now))
    if d.rec.state is S.CHECKING:
        d.go(E.TOO_FEW_SAMPLES)
        d.rec = replace(d.rec, next_activity_at=d.now)
    elif d.rec.state is S.FENCED:
        d.rec = replace(d.rec, returned_at=None)  # the stop of its old VMs may have died with the old owner: say it again
    elif d.rec.state is S.FENCING:
        fence.on_claim(d)


def _enable(d: StepBuilder, request: int) -> None:
    host, state = d.rec.host, d.rec.state
    if d.command_in_flight:
        d.answer(request, False, f"a power command to the BMC of {host} is on its way; try again when it has ended")
    elif state is S.DISABLED:
        _available(d, E.ENABLED)
        d.answer(request, True, f"{host} is under HA ({d.rec.state})")
    elif state is S.INELIGIBLE and not d.rec.eligible:
        d.answer(request, False, f"{host} is in maintenance: the configuration says so")
    elif state is S.FENCED and d.rec.healthy:
        _let_in(d)
        d.answer(
            request,
            True,
            f"{host} is {d.rec.state} again; VMs of {d.rec.released} that wait for a host may start on any",
        )
    elif state is S.FENCED:
        d.answer(request, False, f"{host} stays Down: it does not answer its health checks")
    else:
        d.answer(request, True, f"{host} is already under HA ({state})")


def _disable(d: StepBuilder, request: int) -> None:
    if d.rec.state is S.DISABLED:
        d.answer(request, True, f"{d.rec.host} was not under HA")
        return
    if d.rec.state is S.FENCING:
        fence.abort(d, "HA was disabled by an operator; this fence is cancelled")
    d.go(E.DISABLED)
    d.rec = replace(
        d.rec, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, boot_until=None, off_run=None, released=None,
        returned_at=None,
    )  # fmt: skip
    d.answer(request, True, f"{d.rec.host} is no longer under HA")


def _eligibility(d: StepBuilder, seen: Eligibility) -> None:
    if seen.eligible == d.rec.eligible:
        return
    d.rec = replace(d.rec, eligible=seen.eligible)
    if not seen.eligible and d.rec.state not in (S.RECOVERING, S.FENCING, S.DISABLED):
        d.go(E.INELIGIBLE)
