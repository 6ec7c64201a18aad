"""The fence procedure: read first, cut the power, read again until Off is proved, never guess.

Rules
  1. `Fenced` is entered in `_commit` and `_commit_manual` only; `Release` is an effect of those only.
  2. A command leaves only right after a live read that did not say Off, of the right machine, when its back-off is over and
     nothing holds it back. The record says `command_sent` before it leaves.
  3. Reading never stops while a fence is open: a pulled plug or a BMC that comes back is noticed whatever the back-off.
  4. The reason of a failure is the last thing that the BMC or the network said, never a default text.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from fencer.ha import proof
from fencer.ha.effects import AlertName, Detail, LineKind, Release
from fencer.ha.observations import CommandReply, CommandResult, Hold, ManualFence, PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import Fence, FencePhase, HostRecord, LastError, RequestKind, Signature
from fencer.ha.states import HAEvent
from fencer.ha.step_builder import StepBuilder
from fencer.outcome import Cause, Failure, Power

LOCK_OUT = frozenset({Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED})
"""Each try may count against an account: these wait `auth_poll`."""

HARMLESS = frozenset({Cause.BAD_RESPONSE, Cause.BUSY})
"""A read that failed like this does not stop a command: it is no proof, and the host is to be fenced anyway."""

_OPEN_PHASES = frozenset({FencePhase.STATUS_FIRST, FencePhase.BACK_OFF, FencePhase.BLOCKED})


def error_of(failure: Failure, now: float) -> LastError:
    return LastError(
        cause=failure.cause,
        text=failure.text,
        at=now,
        code=failure.code,
        message_id=failure.message_id,
        bmc_text=failure.bmc_text,
    )


def begin(d: StepBuilder) -> None:
    """A new obligation with a new id. Reads from before it are no proof for it."""
    fence = Fence(id=f"{d.rec.host}-f{d.rec.fences + 1}", started_at=d.now, next_attempt_at=d.now)
    d.rec = replace(
        d.rec, fence=fence, fences=d.rec.fences + 1, off_run=None, streak=0, returned_at=None, released=None, last_error=None,
        reset_sent=False, boot_until=None, next_read_at=d.now,
    )  # fmt: skip
    d.alert(AlertName.FENCE_STARTED, f"{fence.id}/started", f"trying to prove that {d.rec.host} is off", fence_id=fence.id)


def on_tick(d: StepBuilder, hold: Hold | None) -> None:
    """Ends a confirmation that takes too long; sends the power-off that is due."""
    fence = _fence(d.rec)
    if (
        fence.phase is FencePhase.CONFIRM
        and fence.confirm_until is not None
        and d.now >= fence.confirm_until
        and d.rec.inflight is None
    ):
        _give_up_confirming(d, fence)
        return
    fresh = fence.not_off_at is not None and d.now - fence.not_off_at <= d.policy.request_timeout
    if fence.phase not in _OPEN_PHASES or fence.signature or not fresh or d.now < fence.next_attempt_at:
        return
    if hold is not None:
        if hold is Hold.BRAKE:
            d.alert(
                AlertName.FENCE_HELD, f"{fence.id}/held", f"power-off of {d.rec.host} is held: {hold}; reading goes on",
                once=True, fence_id=fence.id,
            )  # fmt: skip
        return
    if not d.may_call:
        return
    request = d.call(RequestKind.OFF)
    _put(d, command_sent=True, phase=FencePhase.POWER_OFF, not_off_at=None, refusal=None)
    d.tell(LineKind.POWER_COMMAND, step="intent", command="off", request=request.id, fence_id=fence.id)


def on_read(d: StepBuilder, seen: PowerRead) -> None:
    """A read ended; `off_run`, `last_error` and `next_read_at` of the record are already up to date."""
    if proof.is_proved(d.rec, d.policy):
        _commit(d)
        return
    _put(d, not_off_at=None)
    fence = _fence(d.rec)
    if fence.signature:
        _weigh_signature(d, fence, fence.signature, seen)
    if d.rec.fence is None or fence.phase not in _OPEN_PHASES or d.rec.off_run is not None:
        return
    due = d.now >= fence.next_attempt_at
    failure = seen.failure
    if seen.reading is not None and proof.is_stranger(d.rec, seen.reading):
        failure = stranger(d.rec, seen)
    if failure is None or failure.cause in HARMLESS:
        _put(d, not_off_at=seen.started)
    elif due:
        fail(d, error_of(failure, d.now))


def on_reply(d: StepBuilder, seen: CommandReply) -> None:
    """A command was answered. No answer says that the host is off; each says only what to do next."""
    if seen.result is CommandResult.NOT_SENT:
        _put(d, phase=FencePhase.STATUS_FIRST)
        d.rec = replace(d.rec, next_read_at=d.now)
        return
    if seen.result is CommandResult.FAILED and seen.failure is not None:
        fail(d, error_of(seen.failure, d.now))
        return
    # A refusal may mean "already off": two reads tell. An accepted or lost command gets the time that a power-off may take.
    window = d.policy.stable_for + 2 * d.policy.status_poll
    if seen.result is not CommandResult.REFUSED:
        window = max(window, d.policy.power_off_timeout)
    refusal = error_of(seen.failure, d.now) if seen.failure else None
    _put(d, phase=FencePhase.CONFIRM, confirm_until=d.now + window, refusal=refusal)
    d.rec = replace(d.rec, next_read_at=d.now)


def on_health(d: StepBuilder) -> bool:
    """The host answered: a BMC that says Off contradicts it, so proof starts again. True if the fence was aborted."""
    d.rec = replace(d.rec, off_run=None)
    fence = _fence(d.rec)
    if d.rec.streak < d.policy.healthy_checks or fence.command_sent:
        return False
    abort(d, "the host answers again and no power command was sent")
    d.go(HAEvent.FENCE_ABORTED)
    return True


def abort(d: StepBuilder, why: str) -> None:
    """Forgets the obligation: from here on its id can never be committed."""
    fence = _fence(d.rec)
    if fence.signature:
        d.answer(fence.signature.request, False, f"{fence.id} was given up: {why}")
    d.alert(AlertName.FENCE_ABORTED, f"{fence.id}/aborted", f"{d.rec.host}: {why}", fence_id=fence.id)
    d.rec = replace(d.rec, fence=None, off_run=None)


def on_claim(d: StepBuilder) -> None:
    """A new owner verifies first: evidence and phase of older epochs are history."""
    due = min(_fence(d.rec).next_attempt_at, d.now + d.policy.backoff_first)
    _put(d, phase=FencePhase.STATUS_FIRST, confirm_until=None, not_off_at=None, refusal=None, next_attempt_at=due)


def on_manual(d: StepBuilder, seen: ManualFence) -> None:
    """Keeps the signature until a live read that begins after it has been heard."""
    fence = d.rec.fence
    if not d.policy.manual_fence:
        d.answer(seen.request, False, "manual confirmation is switched off by the policy (manual_fence)")
    elif fence is None or fence.id != seen.fence_id:
        now = f"the fence that is open is {fence.id}" if fence else "no fence is open"
        d.answer(seen.request, False, f"{seen.fence_id} is not an open fence of {d.rec.host}; {now}")
    elif fence.signature:
        d.answer(seen.request, False, f"{fence.id} is already being confirmed by {fence.signature.who}")
    else:
        _put(d, signature=Signature(request=seen.request, who=seen.who, why=seen.why, at=d.now), not_off_at=None)
        d.rec = replace(d.rec, next_read_at=d.now)


def fail(d: StepBuilder, error: LastError) -> None:
    """One attempt failed: say so, wait, and after too many say that too. Reading goes on."""
    fence = _fence(d.rec)
    attempts = fence.attempts + 1
    blocked = attempts >= d.policy.max_attempts
    wait = d.policy.auth_poll if error.cause in LOCK_OUT else back_off(d.policy, fence.id, attempts)
    _put(
        d, attempts=attempts, next_attempt_at=d.now + wait, phase=FencePhase.BLOCKED if blocked else FencePhase.BACK_OFF,
        confirm_until=None, not_off_at=None, refusal=None,
    )  # fmt: skip
    d.rec = replace(d.rec, last_error=error)
    d.go(HAEvent.FENCE_ATTEMPT_FAILED)
    d.alert(
        AlertName.FENCE_ATTEMPT_FAILED, f"{fence.id}/{error.cause}", f"{d.rec.host} is not proved off: {error.text}",
        fence_id=fence.id, reason=str(error.cause), attempt=attempts, code=error.code, message_id=error.message_id,
        bmc_text=error.bmc_text,
    )  # fmt: skip
    if attempts == d.policy.max_attempts:
        d.go(HAEvent.FENCE_BLOCKED)
        d.alert(
            AlertName.FENCE_BLOCKED, f"{fence.id}/blocked",
            f"{attempts} attempts to switch {d.rec.host} off failed, last: {error.text}; "
            "its VMs stay where they are; reading goes on",
            fence_id=fence.id, reason=str(error.cause),
        )  # fmt: skip


def back_off(policy: Policy, fence_id: str, attempts: int) -> float:
    """Seconds until the next attempt. The jitter comes from the id, so that a step stays a function of its arguments."""
    wait = min(policy.backoff_first * 2.0 ** min(attempts - 1, 16), policy.backoff_cap)
    if attempts >= policy.max_attempts:
        wait = policy.backoff_cap
    spread = zlib.crc32(f"{fence_id}/{attempts}".encode()) / 0xFFFFFFFF * 2 - 1
    return wait * (1 + policy.backoff_jitter * spread)


def stranger(record: HostRecord, seen: PowerRead) -> Failure:
    shown = seen.reading.identity if seen.reading else None
    text = f"the BMC of {record.host} shows machine {shown}, configured is {record.identity}; nothing was sent to it"
    return Failure(cause=Cause.PRECONDITION, text=text)


def _fence(record: HostRecord) -> Fence:
    if record.fence is None:
        raise ValueError(f"{record.host} is {record.state} without a fence")
    return record.fence


def _put(d: StepBuilder, **changes: object) -> None:
    d.rec = replace(d.rec, fence=replace(_fence(d.rec), **changes))  # type: ignore[arg-type]


def _give_up_confirming(d: StepBuilder, fence: Fence) -> None:
    if fence.refusal is not None:
        fail(d, fence.refusal)
    elif d.rec.last_error is not None:
        fail(d, d.rec.last_error)
    else:
        said = d.rec.last_read or "nothing"
        text = f"the power-off was accepted, but {d.policy.power_off_timeout:g} s later the BMC still says {said}"
        fail(d, LastError(cause=Cause.TIMEOUT, text=text, at=d.now))


def _weigh_signature(d: StepBuilder, fence: Fence, signature: Signature, seen: PowerRead) -> None:
    if seen.started < signature.at:
        d.rec = replace(d.rec, next_read_at=d.now)
        return
    reading = seen.reading
    if reading is not None and (reading.power is Power.ON or reading.chassis_word == "On"):
        d.answer(signature.request, False, f"refused: the BMC of {d.rec.host} says On; {fence.id} goes on without your word")
        _put(d, signature=None)
    elif d.rec.off_run is None:
        d.answer(signature.request, True, f"{fence.id} is confirmed by {signature.who}; the BMC could not say otherwise")
        d.go(HAEvent.MANUAL_FENCE_CONFIRMED)
        _release(
            d,
            fence,
            "manual",
            f"{signature.who} confirmed that it is off: {signature.why}",
            who=signature.who,
            why=signature.why,
        )


def _commit(d: StepBuilder) -> None:
    fence, run = _fence(d.rec), d.rec.off_run
    d.go(HAEvent.FENCED)
    if fence.signature:
        d.answer(fence.signature.request, True, f"{fence.id}: the BMC itself proved that the host is off")
    how = "powered-off" if fence.command_sent else "already-off"
    words = {
        "powered-off": "it was switched off and two reads say Off",
        "already-off": "two reads say Off; no power command was needed",
    }[how]
    first, last = (run.first, run.last) if run else (None, None)
    _release(
        d, fence, how, words,
        first_read_at=first.at if first else None, last_read_at=last.at if last else None,
        path=last.path if last else None, word=last.word if last else None,
        chassis_check="ignore" if not d.rec.chassis_check else "ok" if last and last.chassis else "not-linked",
    )  # fmt: skip


def _release(d: StepBuilder, fence: Fence, how: str, words: str, **detail: Detail) -> None:
    d.effects.append(Release(fence_id=fence.id))
    d.rec = replace(d.rec, fence=None, released=fence.id, off_run=None, streak=0, returned_at=None, recovery_count=0)
    facts: dict[str, Detail] = {"fence_id": fence.id, "how": how, **detail}
    d.tell(LineKind.ALERT, alert=str(AlertName.FENCED), text=f"{d.rec.host} is off: {words}", **facts)
