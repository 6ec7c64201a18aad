"""The recovery of a host without activity: one reset through its BMC, and a wait until the host answers again.

`machine.step` calls these functions with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. The power state is read before the reset. A host that is off gets no reset; a fence starts instead.
  2. After `recovery_attempts` failed recoveries, a fence starts.
  3. A reset cuts power: everything that holds a power-off back holds it back too (`fence.may_cut`).
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import fence
from fencer.ha.effects import AlertName, LineKind
from fencer.ha.observations import Hold, PowerRead
from fencer.ha.record import RequestKind
from fencer.ha.states import HAEvent, HAState
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Failure, Power


def begin(builder: StepBuilder) -> None:
    """Starts a recovery. The power state is read before any command, so older Off reads are dropped."""
    builder.record = replace(
        builder.record, reset_sent=False, read_on_at=None, boot_until=None, off_run=None, next_read_at=builder.now
    )
    if builder.record.recovery_count >= builder.policy.recovery_attempts:
        start_fencing(builder)


def start_fencing(builder: StepBuilder) -> None:
    builder.transition(HAEvent.RECOVERY_EXHAUSTED)
    fence.begin(builder)


def fence_at_once(builder: StepBuilder) -> None:
    """Takes every step from Suspect, Checking, Degraded or Recovering to a fence: a stable Off or an order of an operator counts
    as a failed activity check."""
    if builder.record.state is HAState.DEGRADED:
        builder.transition(HAEvent.PERIODIC_RECHECK)
    if builder.record.state is HAState.SUSPECT:
        builder.transition(HAEvent.PERFORM_ACTIVITY_CHECK)
    if builder.record.state is HAState.CHECKING:
        builder.transition(HAEvent.ACTIVITY_FAILED)
    builder.record = replace(builder.record, recovery_count=builder.record.recovery_count + 1)
    start_fencing(builder)


def attempt_failed(builder: StepBuilder, text: str, reason: str) -> None:
    builder.alert(AlertName.RECOVERY_FAILED, f"recovery/failed/{reason}", text, reason=reason)
    builder.record = replace(builder.record, recovery_count=builder.record.recovery_count + 1, boot_until=None, reset_sent=False)
    if builder.record.recovery_count >= builder.policy.recovery_attempts:
        start_fencing(builder)
    else:
        builder.transition(HAEvent.RETRY_RECOVERY)


def on_tick(builder: StepBuilder, hold: Hold | None) -> None:
    """Sends the reset directly after a read of On, if nothing holds it back."""
    record, policy = builder.record, builder.policy
    fresh = record.read_on_at is not None and builder.now - record.read_on_at <= policy.request_timeout
    if record.reset_sent or not fresh or not fence.delay_is_over(builder, record.since):
        return
    if not fence.may_cut(builder, hold, "reset", f"recovery/{record.suspect_since}"):
        return
    request = builder.call(RequestKind.RESET)
    fence.note_cut(builder)
    builder.record = replace(builder.record, reset_sent=True, read_on_at=None, boot_until=builder.now + policy.recovery_boot_wait)
    builder.add_line(LineKind.POWER_COMMAND, step="intent", command="reset", request=request.id)
    builder.alert(
        AlertName.RECOVERY_TRIED, f"recovery/tried/{builder.record.requests}", f"{record.host} is being reset",
        attempt=record.recovery_count + 1,
    )  # fmt: skip


def on_not_sent(builder: StepBuilder) -> None:
    """The reset was withheld: decides again after a new read."""
    builder.record = replace(builder.record, reset_sent=False, boot_until=None, next_read_at=builder.now)


def on_read(builder: StepBuilder, observation: PowerRead, failure: Failure | None) -> None:
    builder.record = record = replace(builder.record, read_on_at=None)
    if record.reset_sent:
        # During a reset the host may be off for a short time. If it stays off, it does not start by itself.
        run = record.off_run
        if run is not None and run.last.at >= run.first.at + builder.policy.power_off_timeout:
            attempt_failed(builder, f"{record.host} has been off for {run.last.at - run.first.at:g} s after a reset", "off")
    elif record.off_run is not None:
        # A host that is off gets no reset: some vendors would power it on, and its VMs would run twice.
        builder.record = replace(record, recovery_count=max(record.recovery_count + 1, builder.policy.recovery_attempts))
        start_fencing(builder)
    elif failure is not None and failure.cause not in fence.NOT_BLOCKING:
        attempt_failed(builder, f"{record.host} was not reset: {failure.text}", str(failure.cause))
    elif observation.reading is not None and observation.reading.power is Power.ON:
        builder.record = replace(record, read_on_at=observation.started)
    elif record.boot_until is None:
        builder.record = replace(record, boot_until=builder.now + builder.policy.recovery_boot_wait)
