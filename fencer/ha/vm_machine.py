"""The rules for one VM: each function takes its record and one fact, and returns the new record and timeline lines.

`Restarts` and the store call these functions in the loop's thread. Pure; times are seconds of the store's clock.

Rules
  1. A VM is bound to one host from the moment a start on it is decided. The binding ends only when
       the host is fenced (`host_fenced`), or
       every try on it has certainly started nothing (`start_ended`), or
       a stop on it is confirmed (`stop_ended`), or
       its agent has booted again and does not list it, or another host lists it and this one does not (`absent`). Every
       start names the boot that it is meant for, so a start that is still on its way does nothing after the next boot.
  2. A try whose result is unknown may have started the VM. After it, "nothing was started" by a later try proves nothing.
  3. The answer of an older try changes nothing.
  4. A host that was fenced with the VM stays in `left` until a stop there is confirmed.
  5. A VM that its host does not list is started again only if it was seen there before, two reports miss it, and every other
     host that may run has been asked since.

Theory
  A request to start a VM may arrive, work, and lose its answer. "Connection refused" of the next try says only that this
  try did nothing. So the record holds one bit for all tries on a host: may one of them have started it? While it is set, the
  VM can only be started on this host, with the same key, which starts nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fencer.ha.effects import AlertName, Detail, LineKind, TimelineLine
from fencer.ha.policy import Policy
from fencer.ha.record import SentAlert
from fencer.ha.vm_record import LeftHost, StartResult, VmPhase, VmRecord, VmSpec

Lines = tuple[TimelineLine, ...]
Step = tuple[VmRecord, Lines]


def registered(vm: str, host: str | None, now: float, spec: VmSpec | None = None) -> VmRecord:
    """The record of a VM that HA has not known. `host`: where it runs now; None: it runs nowhere and must start."""
    phase = VmPhase.RUNNING if host else VmPhase.WAITING
    return VmRecord(vm=vm, phase=phase, host=host, since=now, spec=spec, origin="" if host else f"{vm}-m0", retry_at=now)


def added(record: VmRecord | None, vm: str, host: str | None, spec: VmSpec, now: float) -> VmRecord:
    """An operator puts a VM under HA. One that was removed before keeps its counters, so that no key is used twice."""
    if record is None:
        return registered(vm, host, now, spec)
    waiting = replace(_waiting(record, f"{vm}-m{record.moves + 1}", now), spec=spec, origin_host=None)
    return _bound_to(waiting, host, now) if host else waiting


def host_fenced(record: VmRecord, host: str, fence_id: str, now: float) -> VmRecord:
    """`host` is proved off. A VM that was bound to it waits for another host; one that another agent lists is bound there."""
    if record.host != host:
        seen_on = None if record.seen_on == host else record.seen_on
        return replace(record, seen_on=seen_on, wanted=None if record.wanted == host else record.wanted)
    left = LeftHost(host=host, fence_id=fence_id, key=record.key, retry_at=now)
    record = replace(record, left=(*(other for other in record.left if other.host != host), left))
    if record.seen_on is not None:
        return _bound_to(record, record.seen_on, now)
    return _waiting(record, fence_id, now, fence_id)


# -- starts


def start_claimed(record: VmRecord, target: str, epoch: int, store_id: str, boot: str | None, now: float) -> Step:
    """A start on `target` is decided. A VM that is bound already keeps its host and its key (rule 1)."""
    if record.phase is VmPhase.WAITING:
        key = f"{store_id}/{record.origin}/{record.vm}"
        record = replace(record, phase=VmPhase.STARTING, host=target, key=key, since=now, boot=boot, maybe_started=False)
    record = replace(record, in_flight=True, starts=record.starts + 1, epoch=epoch)
    return record, (line(record, "starting", target),)


def owner_changed(record: VmRecord) -> VmRecord:
    """The manager that had a start or stop under way has lost the host. Nobody will hear the result (rule 2)."""
    return replace(record, in_flight=False, maybe_started=record.phase is VmPhase.STARTING, retry_at=0.0)


def start_ended(record: VmRecord, start: int, result: StartResult, text: str, policy: Policy, now: float) -> Step:
    if record.phase is not VmPhase.STARTING or record.starts != start or not record.in_flight:
        return record, ()
    target = record.host
    record = replace(record, in_flight=False)
    if result is StartResult.STARTED:
        return _started(record, "started")
    if result is StartResult.NOT_STARTED and not record.maybe_started:
        first = not record.refused or now >= record.retry_at
        record = replace(
            record, phase=VmPhase.WAITING, host=None, boot=None, since=now, last_error=text,
            refused=(target or "",) if first else (*record.refused, target or ""),
            wanted=None if record.wanted == target else record.wanted,
            tries=record.tries + first, retry_at=now + back_off(policy, record.tries) if first else record.retry_at,
        )  # fmt: skip
        failed = (line(record, "failed", target, f"{text}; nothing was started there"),)
        return _alert(
            record, failed, AlertName.VM_RESTART_FAILED, record.origin, f"{record.vm} was not started on {target}: {text}",
            policy, now,
        )  # fmt: skip
    record = replace(
        record, maybe_started=True, last_error=text, tries=record.tries + 1, retry_at=now + back_off(policy, record.tries)
    )
    said = f"{record.vm} may or may not have been started on {target}, so it is tried there only: {text}"
    failed = (line(record, "failed", target, text),)
    return _alert(record, failed, AlertName.VM_RESTART_FAILED, record.origin, said, policy, now)


def cannot_place(record: VmRecord, why: str, policy: Policy, now: float) -> Step:
    """No host fits now. `why` names the true reason; the same reason is said once."""
    if record.last_error == why:
        return record, ()
    record = replace(record, last_error=why)
    text = f"{record.vm} waits: {why}"
    return _alert(
        record, (line(record, "waiting", None, why),), AlertName.VM_RESTART_FAILED, record.origin, text, policy, now
    )  # fmt: skip


# -- what agents list


def listed(record: VmRecord, host: str, boot: str, asked_at: float, policy: Policy, now: float) -> Step:
    """The agent of `host`, asked at `asked_at`, lists the VM as running. A VM that runs nowhere else is adopted."""
    if record.phase is VmPhase.REMOVED or asked_at <= record.since or any(left.host == host for left in record.left):
        return record, ()
    if record.host == host:
        if record.phase is VmPhase.STARTING and not record.in_flight:
            return _started(replace(record, boot=boot), "started")
        if record.phase is VmPhase.RUNNING and (record.boot != boot or record.missing_since is not None):
            return replace(record, boot=boot, missing_since=None), ()
        return record, ()
    if record.host is None:
        record = _bound_to(replace(record, boot=boot), host, now)
        return record, (line(record, "adopted", host, "its agent lists it"),)
    if record.phase is VmPhase.RUNNING and record.missing_since is not None and asked_at > record.missing_since:
        missing_on = record.host
        record = _bound_to(replace(record, boot=boot), host, now)
        return record, (line(record, "moved", host, f"{missing_on} does not list it any more"),)
    if record.seen_on == host:
        return record, ()
    record = replace(record, seen_on=host)
    text = f"{record.vm} is listed by the agent of {host}, and it belongs to {record.host}"
    return _alert(record, (), AlertName.VM_SEEN_ELSEWHERE, f"elsewhere/{host}", text, policy, now)


def absent(
    record: VmRecord, host: str, boot: str, asked_at: float, others_asked_since: float | None, policy: Policy, now: float
) -> Step:
    """The agent of `host`, asked at `asked_at`, does not list the VM.

    `others_asked_since`: all other hosts that may run have been asked at this time or later; None: not all can be asked.
    """
    if record.seen_on == host:
        return replace(record, seen_on=None), ()
    booted = record.boot is not None and record.boot != boot
    unknown_start = record.phase is VmPhase.STARTING and not record.in_flight and booted
    if record.host != host or asked_at <= record.since or not (record.phase is VmPhase.RUNNING or unknown_start):
        return record, ()
    if record.seen_on is not None:
        record = _bound_to(record, record.seen_on, now)
        return record, (line(record, "moved", record.host, f"{host} does not list it any more"),)
    if record.missing_since is None:
        record = replace(record, missing_since=asked_at)
        text = f"{record.vm} does not run on {host}" + (f": {host} has booted again" if booted else "")
        if record.boot is None:
            text += f" and was never seen there; start it with fence-ha retry {record.vm}"
        return _alert(record, (), AlertName.VM_MISSING, "missing", text, policy, now)
    known = record.boot is not None and not record.given_up
    if not known or asked_at <= record.missing_since or others_asked_since is None or others_asked_since <= record.missing_since:
        return record, ()
    recent = tuple(at for at in record.restarts if now - at < policy.vm_restart_window)
    if len(recent) >= policy.vm_restart_limit:
        record = replace(record, given_up=True, restarts=recent)
        text = f"{record.vm} ended {len(recent) + 1} times on {host}; start it with fence-ha retry {record.vm}"
        return _alert(record, (), AlertName.VM_GIVEN_UP, "given-up", text, policy, now)
    record = replace(record, restarts=(*recent, now))
    if booted:
        record = _waiting(record, f"{record.vm}-m{record.moves + 1}", now)
        return record, (line(record, "lost", host, f"{host} has booted again without it"),)
    record = _again_here(record, now)
    return record, (line(record, "lost", host, "its agent does not list it any more"),)


# -- drain and move


def leave(record: VmRecord, wanted: str | None) -> VmRecord:
    """The VM is to be stopped on its host and started on `wanted`, or on any other host if that is None."""
    return replace(record, phase=VmPhase.STOPPING, wanted=wanted, tries=0, retry_at=0.0, in_flight=False)


def stop_claimed(record: VmRecord, epoch: int) -> Step:
    record = replace(record, in_flight=True, starts=record.starts + 1, epoch=epoch)
    return record, (line(record, "stopping", record.host),)


def stop_ended(record: VmRecord, start: int, error: str | None, policy: Policy, now: float) -> Step:
    """`error` is None if the stop is confirmed: the VM does not run on its host, and no start of its key is under way."""
    if record.phase is not VmPhase.STOPPING or record.starts != start or not record.in_flight:
        return record, ()
    host = record.host
    if error is None:
        record = _waiting(record, f"{record.vm}-m{record.moves + 1}", now)
        return record, (line(record, "stopped", host),)
    record = replace(record, in_flight=False, tries=record.tries + 1, retry_at=now + back_off(policy, record.tries))
    text = f"{record.vm} was not stopped on {host} and stays there: {error}"
    failed = (line(record, "stop-failed", host, error),)
    return _alert(record, failed, AlertName.VM_STOP_FAILED, f"stop/{host}", text, policy, now)


def left_stop_ended(record: VmRecord, host: str, fence_id: str, error: str | None, policy: Policy, now: float) -> Step:
    """A stop on a host that was fenced with the VM has ended. It is repeated until it is confirmed (rule 4)."""
    left = next((one for one in record.left if (one.host, one.fence_id) == (host, fence_id)), None)
    if left is None:
        return record, ()
    others = tuple(one for one in record.left if one is not left)
    if error is None:
        return replace(record, left=others), (line(record, "stopped", host, fence_id=fence_id),)
    again = replace(left, tries=left.tries + 1, retry_at=now + back_off(policy, left.tries))
    record = replace(record, left=(*others, again))
    text = f"{record.vm} was not stopped on {host}, which was fenced and answers again; {host} stays Down: {error}"
    failed = (line(record, "stop-failed", host, error, fence_id=fence_id),)
    return _alert(record, failed, AlertName.VM_STOP_FAILED, f"left/{host}", text, policy, now)


# -- operators


def returned(record: VmRecord, host: str) -> VmRecord:
    """A host that was fenced with the VM answers again: the stop there is due now."""
    return replace(record, left=tuple(replace(left, retry_at=0.0) if left.host == host else left for left in record.left))


def wanted_on(record: VmRecord, host: str) -> VmRecord:
    """An operator names the host on which a VM that waits starts first."""
    return replace(record, wanted=host, refused=(), retry_at=0.0)


def retried(record: VmRecord, now: float) -> VmRecord:
    """An operator wants it tried now. A VM that its host does not list is started there: on the operator's word."""
    record = replace(
        record, given_up=False, restarts=(), tries=0, refused=(), retry_at=now, last_error="",
        left=tuple(replace(left, retry_at=now) for left in record.left),
    )  # fmt: skip
    if record.phase is VmPhase.RUNNING and record.missing_since is not None and record.seen_on is None:
        return _again_here(record, now)
    return record


def counted(record: VmRecord, host: str, now: float) -> VmRecord:
    """Somebody who knows says that it runs on `host`: after a restore, when the record may be old."""
    return _bound_to(record, host, now)


def removed(record: VmRecord) -> VmRecord:
    """HA does not care for it any more. Stops on hosts that it left go on."""
    return replace(
        record, phase=VmPhase.REMOVED, host=None, in_flight=False, maybe_started=False, wanted=None, seen_on=None,
        missing_since=None, boot=None,
    )  # fmt: skip


def unwatched(record: VmRecord, why: str, policy: Policy, now: float) -> Step:
    """The VM is bound to a host that nobody will fence (`why`), so it cannot be started anywhere else."""
    text = f"{record.vm} belongs to {record.host}, which {why}: it is started nowhere else"
    return _alert(record, (), AlertName.VM_UNWATCHED, f"unwatched/{record.host}", text, policy, now)


# -- parts


def back_off(policy: Policy, tries: int) -> float:
    """Seconds until the next try after `tries` earlier failures."""
    return min(policy.vm_retry_first * 2.0 ** min(tries, 16), policy.vm_retry_cap)


def line(record: VmRecord, step: str, target: str | None, text: str | None = None, fence_id: str | None = None) -> TimelineLine:
    detail: dict[str, Detail] = {
        "vm": record.vm, "step": step, "target": target, "key": record.key, "fence_id": fence_id or record.fence_id,
        "text": text,
    }  # fmt: skip
    return TimelineLine(kind=LineKind.VM, detail=detail)


def all_run(fence_id: str, records: Iterable[VmRecord]) -> int | None:
    """Returns how many VMs of one fence run, if all of them do; else None."""
    mine = [record for record in records if record.fence_id == fence_id and record.phase is not VmPhase.REMOVED]
    return len(mine) if mine and all(record.phase is VmPhase.RUNNING for record in mine) else None


def _started(record: VmRecord, step: str) -> Step:
    record = replace(
        record, phase=VmPhase.RUNNING, maybe_started=False, tries=0, refused=(), retry_at=0.0, last_error="", wanted=None,
        missing_since=None,
    )  # fmt: skip
    return record, (line(record, step, record.host),)


def _waiting(record: VmRecord, origin: str, now: float, fence_id: str | None = None) -> VmRecord:
    return replace(
        record, phase=VmPhase.WAITING, host=None, boot=None, since=now, origin=origin, fence_id=fence_id,
        origin_host=record.host,
        moves=record.moves + 1, in_flight=False, maybe_started=False, refused=(), tries=0, retry_at=now, last_error="",
        missing_since=None, seen_on=None, given_up=False,
    )  # fmt: skip


def _bound_to(record: VmRecord, host: str, now: float) -> VmRecord:
    return replace(
        record, phase=VmPhase.RUNNING, host=host, since=now, in_flight=False, maybe_started=False, refused=(), tries=0,
        retry_at=0.0, last_error="", missing_since=None, seen_on=None, wanted=None,
    )  # fmt: skip


def _again_here(record: VmRecord, now: float) -> VmRecord:
    """Starts it on its own host with a new key. The VM stays bound: the agent itself keeps one copy per host."""
    again = _waiting(record, f"{record.vm}-m{record.moves + 1}", now)
    return replace(again, wanted=record.host)


def _alert(record: VmRecord, lines: Lines, alert: AlertName, key: str, text: str, policy: Policy, now: float) -> Step:
    """Adds an alert, unless one with this key was sent within `alert_digest` seconds."""
    recent = tuple(sent for sent in record.alerts if now - sent.last < policy.alert_digest)
    if any(sent.key == key for sent in recent):
        return replace(record, alerts=recent), lines
    detail: dict[str, Detail] = {"alert": str(alert), "text": text, "fence_id": record.fence_id, "vm": record.vm}
    sent = SentAlert(key=key, last=now)
    return replace(record, alerts=(*recent, sent)), (*lines, TimelineLine(kind=LineKind.ALERT, detail=detail))
