"""CloudStack 4.22's rules as found, for comparison in the same manager, store and event stream.

Rules
  1. Nothing here is improved. Each behaviour names the place in CloudStack where it was read.
  2. The table is the same; only CloudStack's own rows of it are used.
  3. A fence is what CloudStack calls one: the driver's OFF returned without an exception.

Theory
  Two faults make one incident. Off is asked with GracefulShutdown, and any 2xx is taken for a fence, with no look at the
  power state (KVMHAProvider.fence, RedfishClient): a hung host is "fenced" while it runs. And a BMC that answers 409 because
  the chassis *is* off is taken for a failure, every poll, for ever.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha.effects import AlertName, HaEffect, LineKind, Release
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    Tick,
)  # fmt: skip
from fencer.ha.policy import Policy
from fencer.ha.record import Fence, HostRecord, RequestKind
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder

S, E = HAState, HAEvent

CHECKED = frozenset({S.AVAILABLE, S.SUSPECT, S.DEGRADED, S.FENCED})
"""The only states in which health is looked at (HAManagerImpl.java:670-681)."""

MISLEADING = "OOBM service is not configured or enabled for this host {host}"
"""Said for every failure of the driver (KVMHAProvider.java:79-82, 96-99)."""


def step(record: HostRecord, seen: Observation, policy: Policy, now: float) -> tuple[HostRecord, tuple[HaEffect, ...]]:
    """Applies one observation at `now` (seconds of the store's clock)."""
    d = StepBuilder(record, policy, now)
    match seen:
        case Tick():
            _tick(d)
        case Health():
            _health(d, seen)
        case Activity():
            _activity(d, seen)
        case CommandReply():
            _reply(d, seen)
        case Claimed():
            _claimed(d)
        case Enable():
            _enable(d, seen.request)
        case Disable():
            _disable(d, seen.request)
        case Eligibility():
            _eligibility(d, seen)
        case ManualFence():
            d.answer(seen.request, False, "the policy cloudstack-4.22 knows no manual confirmation of a fence")
        case _:
            pass  # its HA manager never reads the power state
    return d.result()


def _tick(d: StepBuilder) -> None:
    """One round of the 4 s poll (BackgroundPollManagerImpl); `next_read_at` is when the next one is due."""
    rec = d.rec
    if rec.state is S.SUSPECT and d.now >= rec.next_activity_at:
        d.go(E.PERFORM_ACTIVITY_CHECK)
        d.check_activity()
    elif rec.state is S.DEGRADED and d.now >= rec.since + d.policy.degraded_period:
        d.go(E.PERIODIC_RECHECK)
        d.rec = replace(d.rec, samples=(), next_activity_at=d.now)
    elif rec.state is S.RECOVERED and d.now >= rec.since + d.policy.recovered_wait:
        d.go(E.RECOVERY_WAIT_OVER)  # on the timer alone, whether the host answers or not
        d.rec = replace(d.rec, recovery_count=0)
    if d.rec.state not in (S.RECOVERING, S.FENCING) or d.now < d.rec.next_read_at:
        return
    d.rec = replace(d.rec, next_read_at=d.now + d.policy.poll)
    if d.rec.state is S.RECOVERING:
        _recover(d)
    elif d.rec.inflight is None:
        d.go(E.RETRY_FENCING)
        _command(d, RequestKind.OFF)


def _recover(d: StepBuilder) -> None:
    if d.rec.recovery_count >= d.policy.recovery_attempts:
        d.go(E.RECOVERY_EXHAUSTED)
        fence = Fence(id=f"{d.rec.host}-f{d.rec.fences + 1}", started_at=d.now)
        d.rec = replace(d.rec, fence=fence, fences=d.rec.fences + 1, released=None, next_read_at=d.now, inflight=None)
        return
    d.go(E.RETRY_RECOVERY)
    _command(d, RequestKind.RESET)  # also while the last RESET is still running: canAttemptRecovery is called nowhere


def _command(d: StepBuilder, ask: RequestKind) -> None:
    request = d.call(ask)
    d.tell(
        LineKind.POWER_COMMAND,
        step="intent",
        command=str(ask),
        request=request.id,
        fence_id=d.rec.fence.id if d.rec.fence else None,
    )


def _health(d: StepBuilder, seen: Health) -> None:
    if d.rec.state not in CHECKED:
        return
    passed = seen.passed is True  # anything else is a failed check
    before = d.rec.state
    d.rec = replace(d.rec, healthy=passed)
    d.go(E.HEALTH_CHECK_PASSED if passed else E.HEALTH_CHECK_FAILED)
    if before is S.AVAILABLE and not passed:
        d.rec = replace(d.rec, suspect_since=d.now, samples=(), next_activity_at=d.now)
        d.alert(AlertName.HEALTH_LOST, "health", f"{d.rec.host} does not answer its health checks")
    elif d.rec.state is S.AVAILABLE:
        d.rec = replace(d.rec, suspect_since=None, samples=(), recovery_count=0)


def _activity(d: StepBuilder, seen: Activity) -> None:
    if d.rec.state is not S.CHECKING:
        return
    if seen.seen is None:
        d.go(E.INELIGIBLE)  # ActivityCheckTask.java:59-63: an exception switches HA off for the host
        d.rec = replace(d.rec, eligible=False)
        return
    active = seen.seen or seen.vms == 0  # KVMHostActivityChecker.java:152-167: no VMs counts as activity
    d.rec = replace(d.rec, samples=(*d.rec.samples, active), next_activity_at=d.now + d.policy.activity_interval)
    if len(d.rec.samples) < d.policy.activity_samples:
        d.go(E.TOO_FEW_SAMPLES)
        return
    over = d.rec.samples.count(False) / len(d.rec.samples) > d.policy.activity_ratio
    d.go(E.ACTIVITY_FAILED if over else E.ACTIVITY_SEEN)
    d.rec = replace(d.rec, samples=(), recovery_count=0, next_read_at=d.now, inflight=None)


def _reply(d: StepBuilder, seen: CommandReply) -> None:
    accepted = seen.result is CommandResult.ACCEPTED
    reset = d.rec.state is S.RECOVERING or d.rec.state is S.RECOVERED
    failure = seen.failure
    d.tell(
        LineKind.POWER_COMMAND, step="reply", command=str(RequestKind.RESET if reset else RequestKind.OFF), request=seen.request,
        result=str(seen.result),
        reason=str(failure.cause) if failure else None, code=failure.code if failure else None,
        message_id=failure.message_id if failure else None, text=failure.text if failure else None,
        fence_id=d.rec.fence.id if d.rec.fence else None,
    )  # fmt: skip
    if d.rec.inflight is not None and d.rec.inflight.id == seen.request:
        d.rec = replace(d.rec, inflight=None)
    if d.rec.state is S.RECOVERING:
        _recovery_reply(d, accepted)
    elif d.rec.state is S.FENCING and d.rec.fence is not None and seen.epoch == d.rec.epoch:
        _fence_reply(d, d.rec.fence, accepted)


def _recovery_reply(d: StepBuilder, accepted: bool) -> None:
    d.rec = replace(d.rec, recovery_count=d.rec.recovery_count + 1)
    if accepted:
        d.go(E.RECOVERED)
    _performed(d, AlertName.HA_RECOVERY_PERFORMED, "Recovery", accepted)


def _fence_reply(d: StepBuilder, fence: Fence, accepted: bool) -> None:
    if accepted:
        d.go(E.FENCED)
        d.effects.append(Release(fence_id=fence.id))
        # The fenced host is put in maintenance, which makes it ineligible (FenceTask.java:48-53).
        d.rec = replace(d.rec, released=fence.id, fence=None, eligible=False)
    else:
        d.rec = replace(d.rec, fence=replace(fence, attempts=fence.attempts + 1))
    _performed(d, AlertName.HA_FENCE_PERFORMED, "Fencing", accepted)


def _performed(d: StepBuilder, alert: AlertName, what: str, accepted: bool) -> None:
    """Sent after every attempt, with this text whatever came of it (FenceTask.java:54, RecoveryTask.java:56)."""
    d.tell(
        LineKind.ALERT, alert=str(alert), text=f"HA {what} of host {d.rec.host} performed",
        log=None if accepted else MISLEADING.format(host=d.rec.host), fence_id=d.rec.fence.id if d.rec.fence else None,
    )  # fmt: skip


def _claimed(d: StepBuilder) -> None:
    """Counters live in memory there: a new owner starts at zero (HAManagerImpl haCounterMap)."""
    d.rec = replace(d.rec, inflight=None, samples=(), recovery_count=0)
    if d.rec.state is S.CHECKING:
        d.go(E.TOO_FEW_SAMPLES)
        d.rec = replace(d.rec, next_activity_at=d.now)


def _enable(d: StepBuilder, request: int) -> None:
    if d.rec.state is S.DISABLED:
        d.go(E.ENABLED)
    elif d.rec.state is S.INELIGIBLE:
        d.go(E.ELIGIBLE)
    d.rec = replace(d.rec, eligible=True, samples=(), recovery_count=0)
    d.answer(request, True, f"{d.rec.host} is {d.rec.state}")


def _disable(d: StepBuilder, request: int) -> None:
    if d.rec.state is not S.DISABLED:
        d.go(E.DISABLED)
    d.rec = replace(d.rec, fence=None, samples=(), recovery_count=0)
    d.answer(request, True, f"{d.rec.host} is Disabled")


def _eligibility(d: StepBuilder, seen: Eligibility) -> None:
    if seen.eligible == d.rec.eligible or d.rec.state in (S.DISABLED, S.FENCED):
        return
    d.rec = replace(d.rec, eligible=seen.eligible)
    if not seen.eligible:
        d.go(E.INELIGIBLE)
    elif d.rec.state is S.INELIGIBLE:
        d.go(E.ELIGIBLE)
