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

from fencer.ha import activity, cluster, device, fence, levels, orders, power_reads, proof, recovery
from fencer.ha.effects import AlertName, HaEffect, LineKind, StopReleasedVms
from fencer.ha.observations import (
    Activity,
    CancelFence,
    Claimed,
    CommandReply,
    CommandResult,
    DeviceChecked,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    OrderFence,
    OverrideLimits,
    PowerRead,
    Tick,
    WithdrawManualFence,
)  # fmt: skip
from fencer.ha.policy import Policy, Reenable
from fencer.ha.power_reads import FAST
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Cause

S, E = HAState, HAEvent

READS = frozenset({S.RECOVERING, S.FENCING, S.FENCED})  # a fenced host is read on: it may be switched on again


def step(record: HostRecord, observation: Observation, policy: Policy, now: float) -> tuple[HostRecord, tuple[HaEffect, ...]]:
    """Applies one observation at `now` and returns the new record and the effects."""
    builder = StepBuilder(record, policy, now)
    match observation:
        case Tick():
            _tick(builder, observation)
        case Health():
            _health(builder, observation)
        case Activity():
            activity.on_sample(builder, observation)
        case PowerRead():
            power_reads.on_read(builder, observation)
        case CommandReply():
            _command_reply(builder, observation)
        case Claimed():
            _claimed(builder)
        case Enable():
            _enable(builder, observation.request, observation.unstopped)
        case Disable():
            _disable(builder, observation)
        case Eligibility():
            _eligibility(builder, observation)
        case DeviceChecked():
            device.on_checked(builder, observation)
        case ManualFence():
            fence.on_manual(builder, observation)
        case WithdrawManualFence():
            fence.on_withdrawal(builder, observation.request)
        case OverrideLimits():
            cluster.on_override(builder, observation)
        case OrderFence():
            orders.on_order(builder, observation)
        case CancelFence():
            orders.on_cancel(builder, observation)
        case _:  # a Pin; the type checker says so
            device.on_pin(builder, observation)
    return builder.result()


def _tick(builder: StepBuilder, observation: Tick) -> None:
    cluster.on_tick(builder, observation)
    _timers(builder)
    if builder.record.state is S.FENCING:
        fence.on_tick(builder, observation.hold)
    elif builder.record.state is S.RECOVERING:
        recovery.on_tick(builder, observation.hold)
    wants_read = builder.record.state in READS or (builder.record.state in FAST and builder.policy.fast_path)
    if wants_read and builder.now >= builder.record.next_read_at and builder.may_call:
        builder.call(RequestKind.READ)
    device.on_tick(builder)


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
        elif record.healthy is False:
            builder.transition(E.HEALTH_CHECK_FAILED, S.SUSPECT)
            cluster.suspect(builder, keep_count=True)


def _health(builder: StepBuilder, observation: Health) -> None:
    record, passed = builder.record, observation.passed
    if passed is None or not (passed or record.seen_healthy):
        builder.record = replace(record, healthy=None, streak=0)
        if passed is False and record.state is S.AVAILABLE:
            builder.alert(
                AlertName.NEVER_HEALTHY, "never-healthy",
                f"{record.host} has never passed a health check, so a failed one says nothing; nothing is done until one passes",
            )  # fmt: skip
        return
    silent = None if passed else builder.now if record.silent_since is None else record.silent_since
    streak = min(record.streak + 1, builder.policy.healthy_checks) if passed else 0
    builder.record = replace(record, healthy=passed, seen_healthy=True, silent_since=silent, streak=streak)
    if passed:
        _note_pass(builder, observation)
        _health_passed(builder, observation.unstopped)
    else:
        _health_failed(builder)


def _note_pass(builder: StepBuilder, observation: Health) -> None:
    """Notes when a passed check began, where `min_healthy` of another host's fence needs it; else that is not worth a write."""
    began = builder.now if observation.began is None else observation.began
    noted, wanted = builder.record.passed_at, observation.wanted_since
    if noted is not None:
        old = began - noted >= builder.policy.health_counts_for / 2
        if wanted is None or began <= noted or not (noted <= wanted or old):
            return
    builder.record = replace(builder.record, passed_at=began)


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
            cluster.suspect(builder, keep_count=False)
            builder.alert(AlertName.HEALTH_LOST, "health", f"{builder.record.host} does not answer its health checks")
        case S.SUSPECT | S.DEGRADED | S.CHECKING:
            builder.transition(E.HEALTH_CHECK_FAILED)
        case S.RECOVERED:
            builder.transition(E.HEALTH_CHECK_FAILED, S.RECOVERED)
        case S.FENCED:
            builder.transition(E.HEALTH_CHECK_FAILED)
            builder.record = replace(builder.record, returned_at=None)


def _available(builder: StepBuilder, event: HAEvent, to: HAState | None = None) -> None:
    builder.transition(event, to)
    builder.record = replace(
        builder.record, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, read_on_at=None, boot_until=None,
        off_run=None, sampling_since=None, override=None, ordered=None, cancelled=None, returned_at=None, last_error=None,
        on_again_at=None,
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
        waits = "it waits for fence-ha enable" if builder.policy.reenable is Reenable.MANUAL else "it is let in when it is steady"
        builder.alert(AlertName.HOST_BACK, f"back/{builder.record.released}", f"{builder.record.host} answers again; {waits}")
    elif builder.policy.reenable is Reenable.AUTO and not unstopped and builder.record.streak >= builder.policy.healthy_checks:
        _readmit(builder)


def _readmit(builder: StepBuilder) -> None:
    builder.transition(E.HEALTH_CHECK_PASSED)
    _timers(builder)


def _command_reply(builder: StepBuilder, observation: CommandReply) -> None:
    request = builder.record.inflight
    if observation.epoch != builder.record.epoch or request is None or request.id != observation.request:
        return
    failure = observation.failure
    builder.add_line(
        LineKind.POWER_COMMAND, step="reply", command=str(request.ask), request=request.id, result=str(observation.result),
        reason=str(failure.cause) if failure else None, code=failure.code if failure else None,
        message_id=failure.message_id if failure else None, text=failure.text if failure else None,
        fence_id=builder.fence_id, **levels.detail(builder.record),
    )  # fmt: skip
    memory = builder.record.memory(observation.device)
    if failure is not None and failure.cause in proof.MAY_LOCK_ACCOUNT:
        builder.record = builder.record.remembering(replace(memory, login_refused_at=builder.now))
    not_sent = observation.result is CommandResult.NOT_SENT
    builder.record = replace(
        builder.record, inflight=None, last_error=fence.error_of(failure, builder.now) if failure else None,
        cut_at=None if not_sent and builder.record.cut_at == request.at else builder.record.cut_at,
    )  # fmt: skip
    if not_sent and builder.record.state is S.RECOVERING:
        recovery.on_not_sent(builder)
    elif builder.record.state is S.FENCING and request.ask is RequestKind.OFF:
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
        builder.record, inflight=None, off_run=None, sampling_since=None, read_on_at=None, streak=0,
        next_read_at=min(builder.record.next_read_at, builder.now),
    )  # fmt: skip
    device.on_claim(builder)
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


def _disable(builder: StepBuilder, observation: Disable) -> None:
    """Takes the host out of HA. The answer waits while a power command is leaving: after it, none reaches the host."""
    request = observation.request
    if builder.record.state is S.DISABLED:
        builder.answer(request, True, f"{builder.record.host} was not under HA")
        return
    if builder.command_in_flight and not observation.withdrawn:
        return
    if builder.record.state is S.FENCING:
        fence.abort(builder, "HA was disabled by an operator; this fence is cancelled")
    builder.transition(E.DISABLED)
    builder.record = replace(
        builder.record, suspect_since=None, samples=(), recovery_count=0, reset_sent=False, read_on_at=None, boot_until=None,
        off_run=None, sampling_since=None, override=None, ordered=None, cancelled=None, released=None, returned_at=None,
        on_again_at=None,
    )  # fmt: skip
    builder.answer(request, True, f"{builder.record.host} is no longer under HA")


def _eligibility(builder: StepBuilder, observation: Eligibility) -> None:
    if observation.eligible == builder.record.eligible:
        return
    builder.record = replace(builder.record, eligible=observation.eligible)
    if not observation.eligible and builder.record.state not in (S.RECOVERING, S.FENCING, S.DISABLED):
        builder.transition(E.INELIGIBLE)
