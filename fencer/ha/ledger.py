"""The rules of the store: who owns a host, which record may be written, and which VM may start where.

Each function takes a snapshot and returns the `Write` that makes the change, or None if the rules do not allow it. The
write names the versions that it is based on: if another manager was faster, the store refuses it. Times are seconds of
the store's clock. `Manager` and `Restarts` call these functions through `Store`, in the loop's thread.

Rules
  1. A host has one owner. It can be claimed only when the lease of its owner has ended, or the owner has let go of it. Each
     claim increments the epoch.
  2. A lease that has ended is never renewed: its manager claims its hosts anew.
  3. Everything durable of one step (record, timeline, VM ledger, answers) is one write.
  4. A VM is bound to at most one host; `vm_machine` decides to which. Only the owner of a host starts or stops VMs there.
  5. After a restore no VM is started before it is known of every host which VMs run there, or the host was proved off.
  6. Pure: no clock, no thread, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fencer.ha import vm_machine
from fencer.ha.effects import Detail, HaEffect, LineKind, OperatorAnswer, Release, TimelineLine
from fencer.ha.entries import (
    THE_RECONCILIATION,
    Change,
    Check,
    Drain,
    HostLine,
    Kind,
    ManagerLease,
    OperatorRequest,
    Put,
    Reconciliation,
    Remove,
    Snapshot,
    Write,
)
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.vm_record import VmRecord

KEEP_REQUESTS = 1000
"""So many answered requests are kept."""

# -- hosts and owners


def register(snapshot: Snapshot, record: HostRecord, vms: Iterable[str]) -> Write | None:
    """Adds the host's record if there is none, and assigns VMs that are not known yet to it. None: nothing is new."""
    changes: list[Change] = []
    if snapshot.version((Kind.HOST, record.host)) == 0:
        changes.append(Put(record, 0))
    new = [vm for vm in vms if snapshot.vm(vm) is None]
    changes += [Put(vm_machine.registered(vm, record.host, record.since), 0) for vm in new]
    return Write(changes=tuple(changes)) if changes else None


def renew(snapshot: Snapshot, lease: ManagerLease, now: float) -> Write | None:
    """Writes the lease of a manager: its first one, or a later end of one that is still valid."""
    version = snapshot.version((Kind.MANAGER, lease.owner))
    if version and snapshot.lease_until(lease.owner) <= now:
        return None
    return Write(changes=(Put(lease, version), *_ended_leases(snapshot, now)))


def _ended_leases(snapshot: Snapshot, now: float) -> list[Change]:
    """Removes what managers that ended have left behind, so that the store does not grow with each start."""
    ended = [lease for lease in snapshot.leases() if snapshot.lease_until(lease.owner) <= now]
    return [Remove((Kind.MANAGER, old.owner), snapshot.version((Kind.MANAGER, old.owner))) for old in ended]


def claim(snapshot: Snapshot, host: str, owner: str, now: float) -> Write | None:
    """Makes `owner`, whose lease must be valid, the owner of the host."""
    record = snapshot.record(host)
    if record.lease_until > now or snapshot.lease_until(owner) <= now:
        return None
    put = Put(replace(record, owner=owner, epoch=record.epoch + 1), record.version)
    return Write(changes=(put, *_check_lease(snapshot, record.owner), *_check_lease(snapshot, owner)))


def _check_lease(snapshot: Snapshot, owner: str | None) -> list[Change]:
    if owner is None:
        return []
    return [Check((Kind.MANAGER, owner), snapshot.version((Kind.MANAGER, owner)))]


def let_go(snapshot: Snapshot, owner: str, hosts: Iterable[str], *, all_calls_ended: bool = False) -> Write | None:
    """Gives up the hosts of `owner` that have no BMC request in flight; the others wait for the end of the lease.

    `all_calls_ended`: the caller knows that no request is in flight, whatever the records say. If nothing is left to wait for,
    the lease itself is removed.
    """
    mine = [record for host in hosts if (record := snapshot.record(host)).owner == owner]
    free = [record for record in mine if record.inflight is None or all_calls_ended]
    changes: list[Change] = [Put(replace(record, owner=None), record.version) for record in free]
    version = snapshot.version((Kind.MANAGER, owner))
    if version and len(free) == len(mine):
        changes.append(Remove((Kind.MANAGER, owner), version))
    return Write(changes=tuple(changes)) if changes else None


def save(snapshot: Snapshot, old: HostRecord, new: HostRecord, effects: Sequence[HaEffect], now: float) -> Write:
    """Writes `new`, if `old` is still the record of the host, and the durable `effects`."""
    changes: list[Change] = [Put(new, old.version)]
    lines: list[HostLine] = []
    for effect in effects:
        if isinstance(effect, TimelineLine):
            lines.append(HostLine(host=old.host, line=effect))
        elif isinstance(effect, Release):
            changes += _release(snapshot, old.host, effect.fence_id, now)
        elif isinstance(effect, OperatorAnswer):
            changes += _answer(snapshot, effect)
    return Write(changes=tuple(changes), lines=tuple(lines), at=now)


def _answer(snapshot: Snapshot, answer: OperatorAnswer) -> list[Change]:
    version = snapshot.version((Kind.REQUEST, str(answer.request)))
    if not version:
        return []
    request = snapshot.request(answer.request)
    return [Put(replace(request, ok=answer.ok, answer=answer.text), version)]


def withdraw_request(snapshot: Snapshot, number: int) -> Write | None:
    """The operator does not wait any more. A manager that grants the request at the same time is refused, or was faster."""
    request, version = snapshot.request(number), snapshot.version((Kind.REQUEST, str(number)))
    if request.ok is not None:
        return None
    return Write(changes=(Put(replace(request, ok=False, answer="withdrawn by the operator"), version),))


# -- VMs


def _release(snapshot: Snapshot, host: str, fence_id: str, now: float) -> list[Change]:
    """The host is proved off: applies the rules of `vm_machine` to every VM that this concerns."""
    concerned = {record.vm: record for group in ("on", "seen on", "wanted on") for record in snapshot.vms(group, host)}
    changes: list[Change] = [
        _put_vm(snapshot, vm_machine.host_fenced(record, host, fence_id, now)) for record in concerned.values()
    ]
    return changes + _counted(snapshot, host)


def _put_vm(snapshot: Snapshot, record: VmRecord) -> Put:
    return Put(record, snapshot.version((Kind.VM, record.vm)))


def save_vm(
    snapshot: Snapshot,
    record: VmRecord,
    lines: Sequence[HostLine],
    checks: Sequence[Check],
    answers: Sequence[OperatorAnswer],
    now: float,
) -> Write:
    """Writes the record over the one of this snapshot, with its lines and the answers to operators, if the checks hold."""
    told = [change for answer in answers for change in _answer(snapshot, answer)]
    return Write(changes=(_put_vm(snapshot, record), *checks, *told), lines=tuple(lines), at=now)


def may_act(snapshot: Snapshot, host: str, epoch: int, now: float, *, start: bool) -> list[Check] | None:
    """What must still be true when a VM action on `host` is written. None: it is not true now.

    The host belongs to `epoch`, whose lease is valid. For a start the host is Available, and no VMs must be counted first
    (rule 5).
    """
    record = snapshot.record(host)
    if record.epoch != epoch or record.lease_until <= now:
        return None
    if start and (record.state is not HAState.AVAILABLE or snapshot.reconciliation is not None):
        return None
    return [Check((Kind.HOST, host), record.version)]


def answer_request(snapshot: Snapshot, answer: OperatorAnswer, now: float) -> Write:
    return Write(changes=tuple(_answer(snapshot, answer)), at=now)


def set_drain(snapshot: Snapshot, host: str, *, drain: bool, answer: OperatorAnswer | None, now: float) -> Write:
    """Begins or ends the drain of a host."""
    version = snapshot.version((Kind.DRAIN, host))
    changes: list[Change] = []
    if drain and not version:
        changes.append(Put(Drain(host=host, since=now), 0))
    elif version and not drain:
        changes.append(Remove((Kind.DRAIN, host), version))
    return Write(changes=(*changes, *(_answer(snapshot, answer) if answer else [])), at=now)


# -- operators


def add_request(snapshot: Snapshot, host: str, what: str, detail: dict[str, str], now: float) -> tuple[int, Write]:
    """Returns the number of a new request, and the write that adds it and forgets the oldest answered ones."""
    number = snapshot.newest_request + 1
    request = OperatorRequest(id=number, host=host, what=what, detail=detail, at=now)
    old = snapshot.answered_requests()[: -KEEP_REQUESTS or None]
    gone = [Remove((Kind.REQUEST, str(r.id)), snapshot.version((Kind.REQUEST, str(r.id)))) for r in old]
    return number, Write(changes=(Put(request, 0), *gone))


# -- after a restore


def begin_reconciliation(snapshot: Snapshot, now: float) -> Write:
    """A restored store knows only what was true when the copy was made. Nobody owns a host, and VMs must be counted first."""
    changes: list[Change] = []
    for host in snapshot.hosts:
        record = snapshot.record(host)
        changes.append(Put(replace(record, owner=None, inflight=None, off_run=None), record.version))
    for lease in snapshot.leases():
        changes.append(Remove((Kind.MANAGER, lease.owner), snapshot.version((Kind.MANAGER, lease.owner))))
    waiting = Reconciliation(hosts=tuple(snapshot.hosts), since=now)
    changes.append(Put(waiting, snapshot.version(THE_RECONCILIATION)))
    return Write(changes=tuple(changes), at=now)


def count_vms(snapshot: Snapshot, host: str, running: Sequence[str], now: float) -> Write | None:
    """Somebody who knows says which VMs run on `host`: they are assigned to it, and no start of them is open any more.

    None unless the host is still to be counted.
    """
    waiting = snapshot.reconciliation
    if waiting is None or host not in waiting.hosts:
        return None
    changes: list[Change] = []
    for vm in running:
        record = snapshot.vm(vm)
        changes.append(
            _put_vm(snapshot, vm_machine.counted(record, host, now) if record else vm_machine.registered(vm, host, now))
        )
    names = ", ".join(sorted(running))
    detail: dict[str, Detail] = {"vm": names, "step": "counted", "target": host, "text": f"{host} runs {names or 'no VM'}"}
    line = TimelineLine(kind=LineKind.VM, detail=detail)
    return Write(changes=(*changes, *_counted(snapshot, host)), lines=(HostLine(host=host, line=line),), at=now)


def _counted(snapshot: Snapshot, host: str) -> list[Change]:
    waiting, version = snapshot.reconciliation, snapshot.version(THE_RECONCILIATION)
    if waiting is None or host not in waiting.hosts:
        return []
    left = tuple(name for name in waiting.hosts if name != host)
    return [Put(replace(waiting, hosts=left), version) if left else Remove(THE_RECONCILIATION, version)]
