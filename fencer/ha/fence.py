"""The fence procedure of the HA rules: reads first, sends a power-off, and reads again until Off is proved.

A host may have several levels of devices; `levels` decides when the procedure goes on at the next one.

`machine.step` calls these functions with its StepBuilder. Pure; times are seconds of the store's clock.

Rules
  1. Only `_commit` and `_check_signature` enter the state Fenced and return the effect `Release`.
  2. A power-off is sent only directly after a live read of the right machine that did not say Off, when the back-off and the
     host's delay have ended and `may_cut` allows it. The record has `command_sent` before the command is sent.
  3. Reads go on while a fence is open, also during a back-off, so that a host that lost power or a BMC that answers again
     is noticed.
  4. The reason of a failure is the last error of the BMC or the network, never a default text.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from fencer.ha import levels, proof
from fencer.ha.effects import AlertName, Detail, LineKind, Release
from fencer.ha.fence_limiter import PASSING, UNTIL_CHECKED, is_taken_for_silent
from fencer.ha.observations import CommandReply, CommandResult, Hold, ManualFence, PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, Fence, FencePhase, HostRecord, LastError, RequestKind, Signature
from fencer.ha.states import HAEvent
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Cause, Failure, Power
from fencer.proof import TROUBLE, says_off

NOT_BLOCKING = frozenset({Cause.BAD_RESPONSE, Cause.BUSY})
"""After a read that failed with one of these, the power-off is sent all the same."""

_OPEN_PHASES = frozenset({FencePhase.STATUS_FIRST, FencePhase.BACK_OFF, FencePhase.BLOCKED})
_WAITING = frozenset({FencePhase.BACK_OFF, FencePhase.BLOCKED})


def error_of(failure: Failure, now: float) -> LastError:
    return LastError(
        cause=failure.cause,
        text=failure.text,
        at=now,
        code=failure.code,
        message_id=failure.message_id,
        bmc_text=failure.bmc_text,
    )


def begin(builder: StepBuilder) -> None:
    """Opens a fence with a new id. Earlier reads do not count as proof for it."""
    fence = Fence(id=f"{builder.record.host}-f{builder.record.fences + 1}", started_at=builder.now, next_attempt_at=builder.now)
    builder.record = replace(
        builder.record, fence=fence, fences=builder.record.fences + 1, off_run=None, streak=0, returned_at=None, released=None,
        last_error=None, sampling_since=None, signed=False, last_off_at=None, on_again_at=None,
        reset_sent=False, read_on_at=None, boot_until=None, next_read_at=builder.now, level=1,
        devices=tuple(replace(memory, identity_shown=False) for memory in builder.record.devices),
    )  # fmt: skip
    builder.alert(
        AlertName.FENCE_STARTED, f"{fence.id}/started", f"trying to prove that {builder.record.host} is off", fence_id=fence.id
    )


def may_cut(builder: StepBuilder, hold: Hold | None, what: str, key: str) -> bool:
    """Whether a command that cuts the power may be sent now. Says so once per reason if a limit holds it back.

    No command goes to a host whose last health check passed, or about which nobody knows, unless an operator has ordered its
    fence in the second case.
    """
    if not is_taken_for_silent(builder.record):
        return False
    if hold is None:
        builder.record = replace(builder.record, held_since=None)
        return builder.may_call
    since = builder.now if builder.record.held_since is None else builder.record.held_since
    builder.record = replace(builder.record, held_since=since)
    # The other hosts get the time of one round of health checks to show that they are well.
    round_s = builder.policy.poll + builder.policy.health_timeout if hold in UNTIL_CHECKED else 0.0
    if hold not in PASSING and builder.now - since >= round_s:
        builder.alert(
            AlertName.FENCE_HELD, f"{key}/held/{hold.name}",
            f"the {what} of {builder.record.host} is held: {hold}; reading goes on", once=True, fence_id=builder.fence_id,
        )  # fmt: skip
    return False


def delay_is_over(builder: StepBuilder, since: float) -> bool:
    """Whether the host's delay has passed since the fence or recovery began (`since`) and since the host last fell silent."""
    silent = builder.record.silent_since
    return builder.now >= max(since, since if silent is None else silent) + builder.record.delay


def note_cut(builder: StepBuilder) -> None:
    """Counts the first power command of this trouble for `max_fenced`."""
    if builder.record.cut_at is None:
        builder.record = replace(builder.record, cut_at=builder.now)


def on_tick(builder: StepBuilder, hold: Hold | None) -> None:
    """Commits a proof that has waited for its sample, ends a confirmation that took too long, goes to the next level, or sends
    the power-off."""
    if proof.is_proved(builder.record, builder.policy):
        if not proof.awaits_sample(builder.record, builder.policy, builder.now):
            _commit(builder)
        return
    fence = _fence(builder.record)
    if (
        fence.phase is FencePhase.CONFIRM
        and fence.confirm_until is not None
        and builder.now >= fence.confirm_until
        and builder.record.inflight is None
    ):
        _give_up_confirming(builder, fence)
        return
    record, idle = builder.record, builder.record.inflight is None and builder.record.off_run is None
    if idle and fence.phase in _OPEN_PHASES and levels.is_barred(record, builder.policy, builder.now):
        levels.pass_over(builder, fence)
        return
    if idle and fence.phase in _WAITING and record.last_error and levels.is_used_up(record, builder.policy, builder.now):
        _pass_on(builder, record.last_error)
        return
    fresh = fence.not_off_at is not None and builder.now - fence.not_off_at <= builder.policy.request_timeout
    due = builder.now >= fence.next_attempt_at and delay_is_over(builder, fence.started_at)
    if fence.phase not in _OPEN_PHASES or fence.signature or not fresh or not due:
        return
    if not may_cut(builder, hold, "power-off", fence.id):
        return
    request = builder.call(RequestKind.OFF)
    note_cut(builder)
    _update_fence(
        builder, command_sent=True, sent_before=fence.command_sent, phase=FencePhase.POWER_OFF, not_off_at=None, refusal=None,
        level_since=builder.now if fence.level_since is None else fence.level_since,
    )  # fmt: skip
    builder.add_line(
        LineKind.POWER_COMMAND,
        step="intent",
        command="off",
        request=request.id,
        fence_id=fence.id,
        **levels.detail(builder.record),
    )


def on_read(builder: StepBuilder, observation: PowerRead) -> None:
    """Handles a read, judged by `proof.judged`. The caller has already updated the record with what it showed."""
    if proof.is_proved(builder.record, builder.policy):
        if not proof.awaits_sample(builder.record, builder.policy, builder.now):
            _commit(builder)
        return
    _update_fence(builder, not_off_at=None)
    fence = _fence(builder.record)
    if fence.signature:
        _check_signature(builder, fence, fence.signature, observation)
    if builder.record.fence is None or fence.phase not in _OPEN_PHASES:
        return
    due = builder.now >= fence.next_attempt_at
    obstacle = proof.obstacle(builder.record)
    if builder.record.off_run is not None:
        if obstacle is not None and due:
            attempt_failed(builder, error_of(obstacle, builder.now))
        return
    failure, reading = observation.failure, observation.reading
    if reading is not None and says_off(reading):
        return  # it began before the fence, so it proves nothing, and nothing is sent to a host that is off
    if failure is None or failure.cause in NOT_BLOCKING:
        _update_fence(builder, not_off_at=observation.started)
    elif due:
        attempt_failed(builder, error_of(failure, builder.now))


def on_reply(builder: StepBuilder, observation: CommandReply) -> None:
    """Handles the answer to a power-off. It decides only what to do next; no answer proves that the host is off."""
    if observation.result is CommandResult.NOT_SENT:
        _update_fence(builder, phase=FencePhase.STATUS_FIRST, command_sent=_fence(builder.record).sent_before)
        builder.record = replace(builder.record, next_read_at=builder.now)
        return
    if observation.result is CommandResult.FAILED and observation.failure is not None:
        attempt_failed(builder, error_of(observation.failure, builder.now))
        return
    # A refusal may mean "already off", and two reads will show it. After an accepted or lost command, wait for the power-off.
    window = builder.policy.stable_for + 2 * builder.policy.status_poll
    if observation.result is not CommandResult.REFUSED:
        window = max(window, builder.policy.power_off_timeout)
    if observation.failure is not None and observation.failure.cause in TROUBLE:
        builder.record = replace(builder.record, shaken=True)
    refusal = error_of(observation.failure, builder.now) if observation.failure else None
    _update_fence(builder, phase=FencePhase.CONFIRM, confirm_until=builder.now + window, refusal=refusal)
    builder.record = replace(builder.record, next_read_at=builder.now)


def on_health(builder: StepBuilder) -> bool:
    """The host passed a health check, so earlier Off reads do not count. Returns True if the fence was aborted."""
    builder.record = replace(builder.record, off_run=None)
    fence = _fence(builder.record)
    if builder.record.streak < builder.policy.healthy_checks or fence.command_sent:
        return False
    abort(builder, "the host answers again and no power command was sent")
    builder.transition(HAEvent.FENCE_ABORTED)
    return True


def abort(builder: StepBuilder, why: str) -> None:
    """Closes the fence without a proof. Its id can never be committed afterwards."""
    fence = _fence(builder.record)
    if fence.signature:
        builder.answer(fence.signature.request, False, f"{fence.id} was given up: {why}")
    builder.alert(AlertName.FENCE_ABORTED, f"{fence.id}/aborted", f"{builder.record.host}: {why}", fence_id=fence.id)
    builder.record = replace(builder.record, fence=None, off_run=None)


def hurry(builder: StepBuilder) -> None:
    """Ends a back-off: the next attempt may begin now."""
    _update_fence(builder, next_attempt_at=builder.now)


def on_claim(builder: StepBuilder) -> None:
    """A new manager owns the host: it reads first, at the first level; evidence and phase of older epochs do not count."""
    fence = _fence(builder.record)
    due = min(fence.next_attempt_at, builder.now + builder.policy.backoff_first)
    levels.go_to(builder, fence, 1)
    _update_fence(builder, phase=FencePhase.STATUS_FIRST, next_attempt_at=due)


def on_manual(builder: StepBuilder, observation: ManualFence) -> None:
    """Stores the operator's signature. It counts after a live read that starts later."""
    fence = builder.record.fence
    if not builder.policy.manual_fence:
        builder.answer(observation.request, False, "manual confirmation is switched off by the policy (manual_fence)")
    elif not observation.why.strip():
        builder.answer(observation.request, False, "a confirmation needs a reason: what have you seen?")
    elif fence is None or fence.id != observation.fence_id:
        now = f"the fence that is open is {fence.id}" if fence else "no fence is open"
        builder.answer(observation.request, False, f"{observation.fence_id} is not an open fence of {builder.record.host}; {now}")
    elif fence.signature:
        builder.answer(observation.request, False, f"{fence.id} is already being confirmed by {fence.signature.who}")
    else:
        _update_fence(
            builder,
            signature=Signature(request=observation.request, who=observation.who, why=observation.why, at=builder.now),
            not_off_at=None,
        )
        builder.record = replace(builder.record, next_read_at=builder.now)
        _ask_own_bmc(builder)


def _ask_own_bmc(builder: StepBuilder) -> None:
    """A signature is checked with the host's own BMC, so the fence goes to its level as soon as it waits for nothing."""
    fence = _fence(builder.record)
    if OWN_BMC not in builder.record.asked_devices and fence.phase in _OPEN_PHASES:
        levels.go_to(builder, fence, levels.level_of_own_bmc(builder.record))


def on_withdrawal(builder: StepBuilder, request: int) -> None:
    """The operator did not wait for the answer: the signature does not count any more."""
    fence = builder.record.fence
    if fence is not None and fence.signature is not None and fence.signature.request == request:
        _update_fence(builder, signature=None)


def attempt_failed(builder: StepBuilder, error: LastError) -> None:
    """Counts a failed attempt, sends the alerts and sets the back-off. Reads go on."""
    fence = _fence(builder.record)
    attempts = fence.attempts + 1
    blocked = attempts >= builder.policy.max_attempts
    wait = builder.policy.auth_poll if error.cause in proof.MAY_LOCK_ACCOUNT else back_off(builder.policy, fence.id, attempts)
    level, devices = builder.record.level, list(builder.record.asked_devices)
    _update_fence(
        builder, attempts=attempts, next_attempt_at=builder.now + wait,
        phase=FencePhase.BLOCKED if blocked else FencePhase.BACK_OFF,
        confirm_until=None, not_off_at=None, refusal=None, level_attempts=fence.level_attempts + 1,
        level_since=builder.now if fence.level_since is None else fence.level_since,
    )  # fmt: skip
    builder.record = replace(builder.record, last_error=error)
    builder.transition(HAEvent.FENCE_ATTEMPT_FAILED)
    builder.alert(
        AlertName.FENCE_ATTEMPT_FAILED, f"{fence.id}/{error.cause}{f'/{level}' if level > 1 else ''}",
        f"{builder.record.host} is not proved off: {error.text}",
        fence_id=fence.id, reason=str(error.cause), attempt=attempts, code=error.code, message_id=error.message_id,
        bmc_text=error.bmc_text, level=level if builder.record.levels else None,
        devices=devices if builder.record.levels else None,
    )  # fmt: skip
    if attempts == builder.policy.max_attempts:
        builder.transition(HAEvent.FENCE_BLOCKED)
        builder.alert(
            AlertName.FENCE_BLOCKED, f"{fence.id}/blocked",
            f"{attempts} attempts to switch {builder.record.host} off failed, last: {error.text}; "
            "its VMs stay where they are; reading goes on",
            fence_id=fence.id, reason=str(error.cause),
        )  # fmt: skip
    if levels.is_used_up(builder.record, builder.policy, builder.now):
        _pass_on(builder, error)


def _pass_on(builder: StepBuilder, error: LastError) -> None:
    fence = _fence(builder.record)
    levels.pass_on(builder, fence, error, back_off(builder.policy, fence.id, fence.attempts))


def back_off(policy: Policy, fence_id: str, attempts: int) -> float:
    """Returns the seconds until the next attempt. The jitter is computed from the fence id, so that `step` stays pure."""
    wait = min(policy.backoff_first * 2.0 ** min(attempts - 1, 16), policy.backoff_cap)
    if attempts >= policy.max_attempts:
        wait = policy.backoff_cap
    spread = zlib.crc32(f"{fence_id}/{attempts}".encode()) / 0xFFFFFFFF * 2 - 1
    return wait * (1 + policy.backoff_jitter * spread)


def _fence(record: HostRecord) -> Fence:
    if record.fence is None:
        raise ValueError(f"{record.host} is {record.state} without a fence")
    return record.fence


def _update_fence(builder: StepBuilder, **changes: object) -> None:
    builder.record = replace(builder.record, fence=replace(_fence(builder.record), **changes))  # type: ignore[arg-type]


def _give_up_confirming(builder: StepBuilder, fence: Fence) -> None:
    if fence.refusal is not None:
        attempt_failed(builder, fence.refusal)
    elif builder.record.last_error is not None:
        attempt_failed(builder, builder.record.last_error)
    else:
        word = builder.record.last_read or "nothing"
        text = f"the power-off was accepted, but {builder.policy.power_off_timeout:g} s later the BMC still says {word}"
        attempt_failed(builder, LastError(cause=Cause.TIMEOUT, text=text, at=builder.now))


def _check_signature(builder: StepBuilder, fence: Fence, signature: Signature, observation: PowerRead) -> None:
    if observation.started < signature.at or OWN_BMC not in builder.record.asked_devices:
        builder.record = replace(builder.record, next_read_at=builder.now)
        _ask_own_bmc(builder)
        return
    reading = observation.own.reading if observation.own else None
    if reading is not None and (reading.power is Power.ON or reading.chassis_word == "On"):
        builder.answer(
            signature.request, False, f"refused: the BMC of {builder.record.host} says On; {fence.id} goes on without your word"
        )
        _update_fence(builder, signature=None)
    elif builder.record.off_run is None or proof.obstacle(builder.record) is not None:
        builder.answer(signature.request, True, f"{fence.id} is confirmed by {signature.who}; the BMC could not say otherwise")
        builder.transition(HAEvent.MANUAL_FENCE_CONFIRMED)
        _release(
            builder,
            fence,
            "manual",
            f"{signature.who} confirmed that it is off: {signature.why}",
            who=signature.who,
            why=signature.why,
        )


def _commit(builder: StepBuilder) -> None:
    fence, run = _fence(builder.record), builder.record.off_run
    builder.transition(HAEvent.FENCED)
    if fence.signature:
        builder.answer(fence.signature.request, True, f"{fence.id}: the BMC itself proved that the host is off")
    how = "powered-off" if fence.command_sent else "already-off"
    record = builder.record
    reads = f"{'two' if run is None or run.count == 2 else run.count} reads"
    words = {
        "powered-off": f"it was switched off and {reads} say Off",
        "already-off": f"{reads} say Off; no power command was needed",
    }[how]
    if record.levels:
        words = f"level {record.level} ({', '.join(record.asked_devices)}) proves it: {words}"
    checked = "ok" if run and run.last.chassis else "not-linked"
    if OWN_BMC not in record.asked_devices:
        checked = "not-asked"
    first, last = (run.first, run.last) if run else (None, None)
    _release(
        builder, fence, how, words,
        first_read_at=first.at if first else None, last_read_at=last.at if last else None,
        path=last.path if last else None, word=last.word if last else None,
        chassis_check=checked if record.chassis_check or checked == "not-asked" else "ignore",
        level=record.level, devices=list(record.asked_devices),
    )  # fmt: skip


def _release(builder: StepBuilder, fence: Fence, how: str, words: str, **detail: Detail) -> None:
    builder.effects.append(Release(fence_id=fence.id))
    run = builder.record.off_run
    builder.record = replace(
        builder.record, fence=None, released=fence.id, off_run=None, streak=0, returned_at=None, recovery_count=0,
        sampling_since=None, override=None, ordered=None, cancelled=None, signed=how == "manual",
        last_off_at=run.last.at if run else None, on_again_at=None, next_read_at=builder.now + builder.policy.status_poll,
        level=levels.level_of_own_bmc(builder.record) if how == "manual" else builder.record.level,
    )  # fmt: skip
    facts: dict[str, Detail] = {"fence_id": fence.id, "how": how, **detail}
    builder.add_line(LineKind.ALERT, alert=str(AlertName.FENCED), text=f"{builder.record.host} is off: {words}", **facts)
