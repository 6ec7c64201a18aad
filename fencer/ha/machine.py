"""The HA rules of this project: `step(record, observation, policy, now)` returns the new record and the effects.

`Manager` calls `step` in its loop's thread for each observation of a host. Times are seconds of the store's clock.

Rules
  1. Pure: no clock, no thread, no I/O.
  2. An answer of an older epoch or to another request changes nothing.
  3. One call may take several legal transitions, so that a host is Down as soon as it is proved off.
  4. A host becomes Available only while no power command to its BMC is in flight.

Theory
  One failed health check makes a host Suspect. Then two things are checked in parallel: does the host still write (activity),
  and is its chassis off (power)? A stable Off also proves that nothing writes. Only a proof of Off, or an operator's signed
  confirmation, leads to Fenced. The activity check decides only whether to check again later or to start a fence.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import fence, proof, recovery
from fencer.ha.effects import AlertName, HaEffect, LineKind, StopReleasedVms
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
from fencer.outcome import Cause, Failure, Power, Reading

S, E = HAState, HAEvent

FAST = frozenset({S.SUSPECT, S.CHECKING, S.DEGRADED})


def step(record: HostRecord, observation: Observation, policy: Policy, now: float) -> tuple[HostRecord, tuple[HaEffect, ...]]:
    """Applies one observation at `now` and returns the new record and the effects."""
    builder = StepBuilder(record, policy, now)
    match observation:
        case Tick():
            _tick(builder, observation)
        case Health():
            _health(builder, observation)
        case Activity():
            _activity(builder, observation)
        case PowerRead():
            _power_read(builder, observation)
        case CommandReply():
            _command_reply(builder, observation)
        case Claimed():
            _claimed(builder)
        case Enable():
            _enable(builder, observation.request, observation.unstopped)
        case Disable():
            _disable(builder, observation.request)
        case Eligibility():
            _eligibility(builder, observation)
        case _:
            fence.on_manual(builder, observation)
    return builder.result()


def _tick(builder: StepBuilder, observation: Tick) -> None:
    _timers(builder)
    if builder.record.state is S.FENCING:
        fence.on_tick(builder, observation.hold)
    wants_read = builder.record.state in (S.RECOVERING, S.FENCING) or (builder.record.state in FAST and builder.policy.fast_path)
    if wants_read and builder.now >= builder.record.next_read_at and builder.may_call:
        builder.call(RequestKind.READ)


def _timers(builder: StepBuilder) -> None:
    record, policy = builder.record, builder.policy
    if record.state is S.SUSPECT and builder.now >= record.next_activity_at:
        builder.transition(E.PERFORM_ACTIVITY_CHECK)
        builder.check_activity()
    elif record.state is S.INELIGIBLE and record.eligible and not builder.command_in_flight:
        _available(builder, E.ELIGIBLE)
    elif record.state is S.DEGRADED and builder.now >= record.since + policy.degraded_period:
        builder.transition(E.PERIODIC_RECHECK)
        builder.record = replace(builder.record, samples=(), next_activity_at=builder.now)
    elif record.state is S.RECOVERING and record.boot_until is not None and builder.now >= record.boot_until:
        recovery.attempt_failed(
            builder, f"{record.host} did not answer its health checks {policy.recovery_boot_wait:g} s after a reset", "timeout"
        )
    elif record.state is S.RECOVERED and builder.now >= record.since + policy.recovered_wait:
        if record.healthy and not builder.command_in_flight:
            _available(builder, E.RECOVERY_WAIT_OVER)
        elif not record.healthy:
            builder.transition(E.HEALTH_CHECK_FAILED, S.SUSPECT)
            _suspect(builder, keep_count=True)


def _health(builder: StepBuilder, observation: Health) -> None:
    if observation.passed is None:
        builder.record = replace(builder.record, streak=0)
        return
    streak = min(builder.record.streak + 1, builder.policy.healthy_checks) if observation.passed else 0
    builder.record = replace(builder.record, healthy=observation.passed, streak=streak)
    if observation.passed:
        _health_passed(builder, observation.unstopped)
    else:
        _health_failed(builder)


def _health_passed(builder: StepBuilder, unstopped: bool) -> None:
    match builder.record.state:
        case S.SUSPECT | S.CHECKING | S.DEGRADED if not builder.command_in_flight:
            _available(builder, E.HEALTH_CHECK_PASSED)
        case S.RECOVERING if builder.record.reset_sent:
            builder.transition(E.HEALTH_CHECK_PASSED, S.RECOVERED)
            builder.record = replace(builder.record, boot_until=None, off_run=None)
            builder.alert(
                AlertName.RECOVERY_DONE,
                f"recovery/done/{builder.record.requests}",
                f"{builder.record.host} answers again after a reset",
            )
        case S.RECOVERING:
            _available(builder, E.HEALTH_CHECK_PASSED, S.AVAILABLE)
        case S.FENCING:
            if fence.on_health(builder):
                _available(builder, E.HEALTH_CHECK_PASSED)
        case S.FENCED:
            _on_fenced_host_healthy(builder, unstopped)


def _health_failed(builder: StepBuilder) -> None:
    match builder.record.state:
        case S.AVAILABLE:
            builder.transition(E.HEALTH_CHECK_FAILED)
            _suspect(builder, keep_count=False)
            builder.alert(AlertName.HEALTH_LOST, "health", f"{builder.record.host} does not answer its health checks")
        case S.SUSPECT | S.DEGRADED | S.CHECKING:
            builder.transition(E.HEALTH_CHECK_FAILED)
        case S.RECOVERED:
            builder.transition(E.HEALTH_CHECK_FAILED, S.RECOVERED)
        case S.FENCED:
            builder.transition(E.HEALTH_CHECK_FAILED)
            builder.record = replace(builder.record, returned_at=None)


def _suspect(builder: StepBuilder, *, keep_count: bool) -> None:
    builder.record = replace(
        builder.record, suspect_since=builder.now, samples=(), next_activity_at=builder.now, next_read_at=builder.now,
        off_run=None, last_read="",
        recovery_count=builder.record.recovery_count if keep_count else 0, reset_sent=False, boot_until=None,
    )  # fmt: skip


def _available(builder: StepBuilder, event: HAEvent, to: HAState | None = None) -> None:
    builder.transition(event, to)
    builder.record = replace(
        builder.record, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, boot_until=None, off_run=None,
        returned_at=None, last_error=None,
    )  # fmt: skip
    _leave_if_ineligible(builder)


def _leave_if_ineligible(builder: StepBuilder) -> None:
    """R1: if the configuration made the host ineligible during a fence or a recovery, this takes effect now."""
    if not builder.record.eligible:
        builder.transition(E.INELIGIBLE)


def _on_fenced_host_healthy(builder: StepBuilder, unstopped: bool) -> None:
    """A fenced host answers again: stops its released VMs. It stays Down until these stops are confirmed, and an operator or the
    policy re-enables it."""
    if builder.record.returned_at is None and builder.record.released is not None:
        builder.effects.append(StopReleasedVms(fence_id=builder.record.released))
        builder.record = replace(builder.record, returned_at=builder.now)
    elif builder.policy.reenable is Reenable.AUTO and not unstopped and builder.record.streak >= builder.policy.healthy_checks:
        _readmit(builder)


def _readmit(builder: StepBuilder) -> None:
    builder.transition(E.HEALTH_CHECK_PASSED)
    _timers(builder)


def _activity(builder: StepBuilder, observation: Activity) -> None:
    if builder.record.state is not S.CHECKING or observation.epoch != builder.record.epoch:
        return
    if observation.active is not None:
        builder.record = replace(builder.record, samples=(*builder.record.samples, observation.active))
    builder.record = replace(builder.record, next_activity_at=builder.now + builder.policy.activity_interval)
    if observation.active is None or len(builder.record.samples) < builder.policy.activity_samples:
        builder.transition(E.TOO_FEW_SAMPLES)
    elif builder.record.samples.count(False) / len(builder.record.samples) > builder.policy.activity_ratio:
        builder.transition(E.ACTIVITY_FAILED)
        recovery.begin(builder)
    else:
        builder.transition(E.ACTIVITY_SEEN)
        builder.record = replace(builder.record, samples=())


def _power_read(builder: StepBuilder, observation: PowerRead) -> None:
    if (
        observation.epoch != builder.record.epoch
        or builder.record.inflight is None
        or builder.record.inflight.id != observation.request
    ):
        return
    failure = observation.failure
    if observation.reading is not None and proof.is_other_machine(builder.record, observation.reading):
        failure = fence.other_machine(builder.record, observation)
    run = proof.extend_off_run(builder.record, observation, builder.policy)
    word = _read_text(observation.reading, failure)
    if word != builder.record.last_read or run is not None:
        _add_read_line(builder, observation, failure, word, run.count if run else 0)
    builder.record = replace(
        builder.record, inflight=None, off_run=run, last_read=word, next_read_at=_next_read(builder, observation, failure),
        last_error=fence.error_of(failure, builder.now) if failure else None,
    )  # fmt: skip
    if run is not None:
        builder.record = replace(builder.record, next_read_at=_next_off_read(builder, run.first.at, observation.started))
    if builder.record.state is S.RECOVERING:
        recovery.on_read(builder, observation, failure)
    elif builder.record.state in FAST and proof.is_stable(builder.record, builder.policy):
        _fast_path(builder)
    elif builder.record.state is S.FENCING:
        fence.on_read(builder, observation)


def _read_text(reading: Reading | None, failure: Failure | None) -> str:
    if reading is not None:
        return reading.word or "nothing"
    return f"no answer ({failure.cause})" if failure else "nothing"


def _next_read(builder: StepBuilder, observation: PowerRead, failure: Failure | None) -> float:
    if failure is None or failure.cause in fence.NOT_BLOCKING:
        return observation.started + builder.policy.status_poll
    if failure.cause in fence.MAY_LOCK_ACCOUNT:
        return builder.now + builder.policy.auth_poll
    return observation.started + builder.policy.unreachable_poll


def _next_off_read(builder: StepBuilder, first: float, last: float) -> float:
    """The read that can complete a proof is made as soon as `stable_for` has passed, without waiting for the poll."""
    complete = first + builder.policy.stable_for
    return complete if complete > last else last + builder.policy.status_poll


def _add_read_line(builder: StepBuilder, observation: PowerRead, failure: Failure | None, word: str, in_a_row: int) -> None:
    builder.add_line(
        LineKind.POWER_READ,
        power=str(observation.reading.power if observation.reading else Power.UNKNOWN),
        word=word,
        off_in_a_row=in_a_row,
        reason=str(failure.cause) if failure else None,
        text=failure.text if failure else None,
        request=observation.request,
        fence_id=builder.fence_id,
    )


def _fast_path(builder: StepBuilder) -> None:
    """A stable Off counts as a failed activity check: a host without power writes nothing."""
    if builder.record.state is S.DEGRADED:
        builder.transition(E.PERIODIC_RECHECK)
    if builder.record.state is S.SUSPECT:
        builder.transition(E.PERFORM_ACTIVITY_CHECK)
    builder.transition(E.ACTIVITY_FAILED)
    builder.record = replace(builder.record, recovery_count=builder.record.recovery_count + 1)
    recovery.start_fencing(builder)


def _command_reply(builder: StepBuilder, observation: CommandReply) -> None:
    request = builder.record.inflight
    if observation.epoch != builder.record.epoch or request is None or request.id != observation.request:
        return
    failure = observation.failure
    builder.add_line(
        LineKind.POWER_COMMAND, step="reply", command=str(request.ask), request=request.id, result=str(observation.result),
        reason=str(failure.cause) if failure else None, code=failure.code if failure else None,
        message_id=failure.message_id if failure else None, text=failure.text if failure else None,
        fence_id=builder.fence_id,
    )  # fmt: skip
    builder.record = replace(builder.record, inflight=None, last_error=fence.error_of(failure, builder.now) if failure else None)
    if builder.record.state is S.FENCING and request.ask is RequestKind.OFF:
        fence.on_reply(builder, observation)
    elif (
        builder.record.state is S.RECOVERING
        and request.ask is RequestKind.RESET
        and observation.result in (CommandResult.FAILED, CommandResult.REFUSED)
    ):
        reason = str(failure.cause if failure else Cause.BAD_RESPONSE)
        recovery.attempt_failed(
            builder,
            f"the reset of {builder.record.host} was {observation.result}: {failure.text if failure else 'no reason given'}",
            reason,
        )


def _claimed(builder: StepBuilder) -> None:
    builder.record = replace(
        builder.record, inflight=None, off_run=None, streak=0, next_read_at=min(builder.record.next_read_at, builder.now)
    )
    if builder.record.state is S.CHECKING:
        builder.transition(E.TOO_FEW_SAMPLES)
        builder.record = replace(builder.record, next_activity_at=builder.now)
    elif builder.record.state is S.FENCED:
        builder.record = replace(
            builder.record, returned_at=None
        )  # the old owner may have ended before it stopped the VMs: stop them again
    elif builder.record.state is S.FENCING:
        fence.on_claim(builder)


def _enable(builder: StepBuilder, request: int, unstopped: tuple[str, ...]) -> None:
    host, state = builder.record.host, builder.record.state
    if unstopped and state in (S.DISABLED, S.FENCED):
        names = ", ".join(unstopped)
        builder.answer(
            request, False, f"{host} has not confirmed that {names} is stopped there; the stop is repeated until it does"
        )
    elif builder.command_in_flight:
        builder.answer(request, False, f"a power command to the BMC of {host} is on its way; try again when it has ended")
    elif state is S.DISABLED:
        _available(builder, E.ENABLED)
        builder.answer(request, True, f"{host} is under HA ({builder.record.state})")
    elif state is S.INELIGIBLE and not builder.record.eligible:
        builder.answer(request, False, f"{host} is in maintenance: the configuration says so")
    elif state is S.FENCED and builder.record.healthy:
        _readmit(builder)
        builder.answer(
            request,
            True,
            f"{host} is {builder.record.state} again; VMs of {builder.record.released} that wait for a host may start on any",
        )
    elif state is S.FENCED:
        builder.answer(request, False, f"{host} stays Down: it does not answer its health checks")
    else:
        builder.answer(request, True, f"{host} is already under HA ({state})")


def _disable(builder: StepBuilder, request: int) -> None:
    if builder.record.state is S.DISABLED:
        builder.answer(request, True, f"{builder.record.host} was not under HA")
        return
    if builder.record.state is S.FENCING:
        fence.abort(builder, "HA was disabled by an operator; this fence is cancelled")
    builder.transition(E.DISABLED)
    builder.record = replace(
        builder.record, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, boot_until=None, off_run=None,
        released=None,
        returned_at=None,
    )  # fmt: skip
    builder.answer(request, True, f"{builder.record.host} is no longer under HA")


def _eligibility(builder: StepBuilder, observation: Eligibility) -> None:
    if observation.eligible == builder.record.eligible:
        return
    builder.record = replace(builder.record, eligible=observation.eligible)
    if not observation.eligible and builder.record.state not in (S.RECOVERING, S.FENCING, S.DISABLED):
        builder.transition(E.INELIGIBLE)
