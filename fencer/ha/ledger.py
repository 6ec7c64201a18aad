"""The rules of the store: who owns a host, which record may be written, and which VM may start where.

Each function takes a snapshot and returns the `Write` that makes the change, or None if the rules do not allow it. The
write names the versions that it is based on: if another manager was faster, the store refuses it. Times are seconds of
the store's clock. `Manager` and `Restarts` call these functions through `Store`, in the loop's thread.

Rules
  1. A host has one owner. It can be claimed only when the lease of its owner has ended, or the owner has let go of it. Each
     claim increments the epoch.
  2. A lease that has ended is never renewed: its manager claims its hosts anew.
  3. Everything durable of one step (record, timeline, VM ledger, answers) is one write.
  4. A VM is assigned to at most one host. One epoch claims a ledger row for one target. The row keeps that target until it
     is certain that the start failed, or until the target itself is fenced.
  5. After a restore no VM is started before it is known of every host which VMs run there, or the host was proved off.
  6. Pure: no clock, no thread, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fencer.ha.effects import Detail, HaEffect, LineKind, OperatorAnswer, Release, TimelineLine
from fencer.ha.entries import (
    OPEN,
    THE_RECONCILIATION,
    Change,
    Check,
    HostLine,
    Kind,
    LedgerRow,
    ManagerLease,
    OperatorRequest,
    Placement,
    Put,
    Reconciliation,
    Remove,
    Snapshot,
    StartStatus,
    Write,
)
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState

KEEP_REQUESTS = 1000
"""So many answered requests are kept."""

# -- hosts and owners


def register(snapshot: Snapshot, record: HostRecord, vms: Iterable[str]) -> Write | None:
    """Adds the host's record if there is none, and assigns VMs that are not known yet to it. None: nothing is new."""
    changes: list[Change] = []
    if snapshot.version((Kind.HOST, record.host)) == 0:
        changes.append(Put(record, 0))
    changes += [Put(Placement(vm=vm, host=record.host), 0) for vm in vms if snapshot.placement(vm) is None]
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
            changes += _release(snapshot, old.host, effect.fence_id)
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


def _release(snapshot: Snapshot, host: str, fence_id: str) -> list[Change]:
    """The host is proved off: its VMs lose their host, and each gets a pending row of this fence."""
    changes: list[Change] = []
    for vm in snapshot.vms_on(host):
        changes.append(Put(Placement(vm=vm, host=None), snapshot.version((Kind.VM, vm))))
        for row in snapshot.starts_of_vm(vm):
            if row.status in OPEN and row.target == host:
                # An older fence may have a start of this VM on this host: that row does not count any more.
                changes.append(_put_row(snapshot, replace(row, status=StartStatus.SUPERSEDED)))
            elif row.status not in OPEN and row.fence_id != snapshot.record(row.host).released and row.fence_id != fence_id:
                changes.append(Remove((Kind.START, row.name), snapshot.version((Kind.START, row.name))))
        fresh = LedgerRow(fence_id=fence_id, vm=vm, host=host, store=snapshot.store_id)
        if snapshot.start(fresh.name) is None:
            changes.append(Put(fresh, 0))
    return changes + _counted(snapshot, host)


def _put_row(snapshot: Snapshot, row: LedgerRow) -> Put:
    return Put(row, snapshot.version((Kind.START, row.name)))


def claim_start(snapshot: Snapshot, row: LedgerRow, target: str, epoch: int, now: float) -> Write | None:
    """Claims the start of one VM on `target`.

    None if `epoch` does not own the fenced host, the fence is not its last one, the target is not Available, the row belongs to
    another target or epoch, or VMs must be counted first (rule 5).
    """
    record, goal, current = snapshot.record(row.host), snapshot.record(target), snapshot.start(row.name)
    if record.epoch != epoch or record.released != row.fence_id or record.lease_until <= now:
        return None
    if goal.state is not HAState.AVAILABLE or snapshot.reconciliation is not None:
        return None
    if current is None or current.target not in (None, target):
        return None
    if current.status is not StartStatus.PENDING and not (current.status is StartStatus.CLAIMED and current.epoch < epoch):
        return None
    claimed = replace(current, status=StartStatus.CLAIMED, epoch=epoch, target=target, tries=current.tries + 1)
    detail: dict[str, Detail] = {"vm": row.vm, "step": "starting", "target": target, "key": claimed.key, "fence_id": row.fence_id}
    return Write(
        changes=(
            _put_row(snapshot, claimed),
            Put(Placement(vm=row.vm, host=target), snapshot.version((Kind.VM, row.vm))),
            Check((Kind.HOST, record.host), record.version),
            Check((Kind.HOST, goal.host), goal.version),
        ),
        lines=(HostLine(host=row.host, line=TimelineLine(kind=LineKind.VM, detail=detail)),),
        at=now,
    )


def finish_start(snapshot: Snapshot, row: LedgerRow, epoch: int, lines: Sequence[TimelineLine], now: float) -> Write | None:
    """Marks the row done: the VM runs on its target. None if another epoch has claimed the row."""
    current = _claimed_by(snapshot, row, epoch)
    if current is None:
        return None
    return _row_write(snapshot, replace(current, status=StartStatus.DONE), (), lines, now)


def fail_start(
    snapshot: Snapshot, row: LedgerRow, epoch: int, retry_at: float, free_target: bool, lines: Sequence[TimelineLine], now: float
) -> Write | None:
    """Marks the start failed, to be tried again at `retry_at`. None if another epoch has claimed the row.

    `free_target`: it is certain that nothing was started, so another host may be tried.
    """
    current = _claimed_by(snapshot, row, epoch)
    if current is None:
        return None
    failed = replace(current, status=StartStatus.PENDING, retry_at=retry_at, target=None if free_target else current.target)
    place = snapshot.placement(row.vm)
    more: tuple[Change, ...] = ()
    if free_target and place is not None and place.host == current.target:
        more = (Put(replace(place, host=None), snapshot.version((Kind.VM, row.vm))),)
    return _row_write(snapshot, failed, more, lines, now)


def postpone_start(
    snapshot: Snapshot, row: LedgerRow, retry_at: float, lines: Sequence[TimelineLine], now: float
) -> Write | None:
    """No host has room for the VM: it is tried again at `retry_at`. None if the row is not pending any more."""
    current = snapshot.start(row.name)
    if current is None or current.status is not StartStatus.PENDING:
        return None
    return _row_write(snapshot, replace(current, retry_at=retry_at, tries=current.tries + 1), (), lines, now)


def _claimed_by(snapshot: Snapshot, row: LedgerRow, epoch: int) -> LedgerRow | None:
    current = snapshot.start(row.name)
    if current is None or current.status is not StartStatus.CLAIMED or current.epoch != epoch:
        return None
    return current


def _row_write(snapshot: Snapshot, row: LedgerRow, more: tuple[Change, ...], lines: Sequence[TimelineLine], now: float) -> Write:
    said = tuple(HostLine(host=row.host, line=line) for line in lines)
    return Write(changes=(_put_row(snapshot, row), *more), lines=said, at=now)


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
        changes.append(Put(Placement(vm=vm, host=host), snapshot.version((Kind.VM, vm))))
        changes += [
            _put_row(snapshot, replace(row, status=StartStatus.DONE, target=host))
            for row in snapshot.starts_of_vm(vm)
            if row.status in OPEN
        ]
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
