"""The HA rules of CloudStack 4.22, unchanged, for comparison (policy `cloudstack-4.22`).

`Manager` calls `step` in its loop's thread, like `machine.step`. Times are seconds of the store's clock.

Rules
  1. Nothing is corrected. Comments name the place in CloudStack's source that has the behaviour.
  2. It uses CloudStack's own rows of the transition table only.
  3. A host counts as fenced as CloudStack defines it: the driver's OFF returned without an exception.

Theory
  Two defects of CloudStack cause the incident that this policy shows. First, it powers off with GracefulShutdown and takes
  any 2xx for a fence without reading the power state (KVMHAProvider.fence, RedfishClient), so a hung host is "fenced" while
  it runs. Second, it takes a 409 for a failure, at every poll and without end, although the BMC answers 409 because the
  chassis is off.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha.effects import AlertName, HaEffect, LineKind, Release
from fencer.ha.observations import (
    Activity,
    CancelFence,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    OrderFence,
    Tick,
)  # fmt: skip
from fencer.ha.policy import Policy
from fencer.ha.record import Fence, HostRecord, RequestKind
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder

S, E = HAState, HAEvent

CHECKED = frozenset({S.AVAILABLE, S.SUSPECT, S.DEGRADED, S.FENCED})
"""The only states in which health checks have an effect (HAManagerImpl.java:670-681)."""

MISLEADING = "OOBM service is not configured or enabled for this host {host}"
"""The log text for every failure of the driver (KVMHAProvider.java:79-82, 96-99)."""


def step(record: HostRecord, observation: Observation, policy: Policy, now: float) -> tuple[HostRecord, tuple[HaEffect, ...]]:
    """Applies one observation at `now` and returns the new record and the effects."""
    builder = StepBuilder(record, policy, now)
    match observation:
        case Tick():
            _tick(builder)
        case Health():
            _health(builder, observation)
        case Activity():
            _activity(builder, observation)
        case CommandReply():
            _reply(builder, observation)
        case Claimed():
            _claimed(builder)
        case Enable():
            _enable(builder, observation.request)
        case Disable():
            _disable(builder, observation.request)
        case Eligibility():
            _eligibility(builder, observation)
        case ManualFence():
            builder.answer(observation.request, False, "the policy cloudstack-4.22 knows no manual confirmation of a fence")
        case OrderFence() | CancelFence():
            builder.answer(observation.request, False, "the policy cloudstack-4.22 knows no orders of an operator about a fence")
        case _:
            pass  # CloudStack's HA manager never reads the power state
    return builder.result()


def _tick(builder: StepBuilder) -> None:
    """One round of the 4 s poll (BackgroundPollManagerImpl). `next_read_at` is the time of the next round."""
    record = builder.record
    if record.state is S.SUSPECT and builder.now >= record.next_activity_at:
        builder.transition(E.PERFORM_ACTIVITY_CHECK)
        builder.check_activity()
    elif record.state is S.DEGRADED and builder.now >= record.since + builder.policy.degraded_period:
        builder.transition(E.PERIODIC_RECHECK)
        builder.record = replace(builder.record, samples=(), next_activity_at=builder.now)
    elif record.state is S.RECOVERED and builder.now >= record.since + builder.policy.recovered_wait:
        builder.transition(E.RECOVERY_WAIT_OVER)  # only the timer decides, whether the host answers or not
        builder.record = replace(builder.record, recovery_count=0)
    if builder.record.state not in (S.RECOVERING, S.FENCING) or builder.now < builder.record.next_read_at:
        return
    builder.record = replace(builder.record, next_read_at=builder.now + builder.policy.poll)
    if builder.record.state is S.RECOVERING:
        _recover(builder)
    elif builder.record.inflight is None:
        builder.transition(E.RETRY_FENCING)
        _command(builder, RequestKind.OFF)


def _recover(builder: StepBuilder) -> None:
    if builder.record.recovery_count >= builder.policy.recovery_attempts:
        builder.transition(E.RECOVERY_EXHAUSTED)
        fence = Fence(id=f"{builder.record.host}-f{builder.record.fences + 1}", started_at=builder.now)
        builder.record = replace(
            builder.record, fence=fence, fences=builder.record.fences + 1, released=None, next_read_at=builder.now, inflight=None
        )
        return
    builder.transition(E.RETRY_RECOVERY)
    _command(builder, RequestKind.RESET)  # also while the last RESET is running: nothing calls canAttemptRecovery


def _command(builder: StepBuilder, ask: RequestKind) -> None:
    request = builder.call(ask)
    builder.add_line(
        LineKind.POWER_COMMAND,
        step="intent",
        command=str(ask),
        request=request.id,
        fence_id=builder.fence_id,
    )


def _health(builder: StepBuilder, observation: Health) -> None:
    if builder.record.state not in CHECKED:
        return
    passed = observation.passed is True  # an unknown result counts as a failed check
    before = builder.record.state
    builder.record = replace(builder.record, healthy=passed)
    builder.transition(E.HEALTH_CHECK_PASSED if passed else E.HEALTH_CHECK_FAILED)
    if before is S.AVAILABLE and not passed:
        builder.record = replace(builder.record, suspect_since=builder.now, samples=(), next_activity_at=builder.now)
        builder.alert(AlertName.HEALTH_LOST, "health", f"{builder.record.host} does not answer its health checks")
    elif builder.record.state is S.AVAILABLE:
        builder.record = replace(builder.record, suspect_since=None, samples=(), recovery_count=0)


def _activity(builder: StepBuilder, observation: Activity) -> None:
    if builder.record.state is not S.CHECKING:
        return
    if observation.active is None:
        builder.transition(E.INELIGIBLE)  # ActivityCheckTask.java:59-63: an exception makes the host ineligible
        builder.record = replace(builder.record, eligible=False)
        return
    active = observation.active or observation.vms == 0  # KVMHostActivityChecker.java:152-167: no VMs counts as activity
    builder.record = replace(
        builder.record, samples=(*builder.record.samples, active), next_activity_at=builder.now + builder.policy.activity_interval
    )
    if len(builder.record.samples) < builder.policy.activity_samples:
        builder.transition(E.TOO_FEW_SAMPLES)
        return
    over = builder.record.samples.count(False) / len(builder.record.samples) > builder.policy.activity_ratio
    builder.transition(E.ACTIVITY_FAILED if over else E.ACTIVITY_SEEN)
    builder.record = replace(builder.record, samples=(), recovery_count=0, next_read_at=builder.now, inflight=None)


def _reply(builder: StepBuilder, observation: CommandReply) -> None:
    accepted = observation.result is CommandResult.ACCEPTED
    reset = builder.record.state is S.RECOVERING or builder.record.state is S.RECOVERED
    failure = observation.failure
    builder.add_line(
        LineKind.POWER_COMMAND, step="reply", command=str(RequestKind.RESET if reset else RequestKind.OFF),
        request=observation.request,
        result=str(observation.result),
        reason=str(failure.cause) if failure else None, code=failure.code if failure else None,
        message_id=failure.message_id if failure else None, text=failure.text if failure else None,
        fence_id=builder.fence_id,
    )  # fmt: skip
    if builder.record.inflight is not None and builder.record.inflight.id == observation.request:
        builder.record = replace(builder.record, inflight=None)
    if builder.record.state is S.RECOVERING:
        _recovery_reply(builder, accepted)
    elif builder.record.state is S.FENCING and builder.record.fence is not None and observation.epoch == builder.record.epoch:
        _fence_reply(builder, builder.record.fence, accepted)


def _recovery_reply(builder: StepBuilder, accepted: bool) -> None:
    builder.record = replace(builder.record, recovery_count=builder.record.recovery_count + 1)
    if accepted:
        builder.transition(E.RECOVERED)
    _performed(builder, AlertName.HA_RECOVERY_PERFORMED, "Recovery", accepted)


def _fence_reply(builder: StepBuilder, fence: Fence, accepted: bool) -> None:
    if accepted:
        builder.transition(E.FENCED)
        builder.effects.append(Release(fence_id=fence.id))
        # CloudStack puts the fenced host in maintenance, which makes it ineligible (FenceTask.java:48-53).
        builder.record = replace(builder.record, released=fence.id, fence=None, eligible=False)
    else:
        builder.record = replace(builder.record, fence=replace(fence, attempts=fence.attempts + 1))
    _performed(builder, AlertName.HA_FENCE_PERFORMED, "Fencing", accepted)


def _performed(builder: StepBuilder, alert: AlertName, what: str, accepted: bool) -> None:
    """The alert after every attempt. Its text is the same after a failure (FenceTask.java:54, RecoveryTask.java:56)."""
    builder.add_line(
        LineKind.ALERT, alert=str(alert), text=f"HA {what} of host {builder.record.host} performed",
        log=None if accepted else MISLEADING.format(host=builder.record.host), fence_id=builder.fence_id,
    )  # fmt: skip


def _claimed(builder: StepBuilder) -> None:
    """CloudStack keeps counters in memory, so a new owner starts at zero (HAManagerImpl haCounterMap)."""
    builder.record = replace(builder.record, inflight=None, samples=(), recovery_count=0)
    if builder.record.state is S.CHECKING:
        builder.transition(E.TOO_FEW_SAMPLES)
        builder.record = replace(builder.record, next_activity_at=builder.now)


def _enable(builder: StepBuilder, request: int) -> None:
    if builder.record.state is S.DISABLED:
        builder.transition(E.ENABLED)
    elif builder.record.state is S.INELIGIBLE:
        builder.transition(E.ELIGIBLE)
    builder.record = replace(builder.record, eligible=True, samples=(), recovery_count=0)
    builder.answer(request, True, f"{builder.record.host} is {builder.record.state}")


def _disable(builder: StepBuilder, request: int) -> None:
    if builder.record.state is not S.DISABLED:
        builder.transition(E.DISABLED)
    builder.record = replace(builder.record, fence=None, samples=(), recovery_count=0)
    builder.answer(request, True, f"{builder.record.host} is Disabled")


def _eligibility(builder: StepBuilder, observation: Eligibility) -> None:
    if observation.eligible == builder.record.eligible or builder.record.state in (S.DISABLED, S.FENCED):
        return
    builder.record = replace(builder.record, eligible=observation.eligible)
    if not observation.eligible:
        builder.transition(E.INELIGIBLE)
    elif builder.record.state is S.INELIGIBLE:
        builder.transition(E.ELIGIBLE)
