"""Starts VMs that must run, moves them off drained hosts, and stops them on hosts that were fenced and answer again.

`Manager` calls it in its loop's thread. Starts run in the worker threads of the pool "vm", stops in those of "stop".
Times are seconds.

Rules
  1. `vm_machine` decides; this file chooses what is due, writes it, and only then calls the executor.
  2. Only the owner of a host starts or stops VMs there. A call leaves only while its lease is valid, and soon after it was
     decided, so that none arrives after the host was fenced and booted again.
  3. The number of starts under way is limited, over all hosts and for each host. Stops have threads of their own, so that a
     host that hangs delays no start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fencer.ha import ledger, placement, proof, vm_machine, vm_requests
from fencer.ha.agent_lists import AgentLists
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config
from fencer.ha.effects import AlertName, LineKind, TimelineLine
from fencer.ha.placement import DEFAULT_SPEC, HostRoom
from fencer.ha.policy import PolicyName
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.store import Store
from fencer.ha.vm_executors import StartFailed, VmExecutor
from fencer.ha.vm_machine import Lines
from fencer.ha.vm_record import LeftHost, StartResult, VmPhase, VmRecord, VmSpec
from fencer.ha.vm_turn import Fact, VmTurn
from fencer.ha.workers import Workers

Post = Callable[[Callable[[], None]], None]
OwnershipCheck = Callable[[str, int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What a manager owns in this round. `permit(host, epoch)`: it still does; any thread may call it."""

    epochs: Mapping[str, int]
    records: Mapping[str, HostRecord]
    post: Post
    permit: OwnershipCheck


class Restarts:
    def __init__(self, config: Config, store: Store, clock: SharedClock, executor: VmExecutor | None, workers: Workers) -> None:
        self._config, self._store, self._clock, self._executor, self._workers = config, store, clock, executor, workers
        self._policy = config.policy
        self._file_specs = {vm.name: vm.spec for vm in config.part.vms}
        self._lists = AgentLists(config, clock, executor, workers) if executor else None
        self._facts: list[Fact] = []
        self._calls: dict[str, int] = {}  # VM: the number of its start or stop that is under way here
        self._starts: set[str] = set()  # VMs with a start that is under way here
        self._left_stops: set[tuple[str, str]] = set()
        self._rooms: dict[str, HostRoom] | None = None
        self._no_room: dict[str, float] = {}  # VM: until when it is known that no host fits, if no host changes
        self._room_seen: tuple[tuple[object, ...], ...] = ()

    # -- one round

    def run_round(self, own: Ownership) -> None:
        """Hears what came, and starts and stops what is due. Raises StoreError."""
        if self._executor is None or self._lists is None:
            return
        turn = VmTurn(self._store.snapshot(), self._clock.now(), self._config.host_names)
        self._rooms = None
        facts, self._facts = self._facts, []
        for fact in facts:
            turn.hear(fact)
        self._lists.ask(own.epochs, own.records, lambda fact: own.post(lambda: self._facts.append(fact)))
        self._count_after_a_restore(turn, self._lists)
        vm_requests.apply(turn, own.epochs, self._config.host_names)
        self._drain(turn, own)
        work = [record for record in turn.records("open") if record.phase is not VmPhase.REMOVED or record.left]
        for record in placement.order(work, self._specs(work)):
            self._stop_where_left(turn, record, own, self._executor)
            if record.phase is VmPhase.WAITING:
                self._place(turn, record, own, self._executor)
            elif record.phase in (VmPhase.STARTING, VmPhase.STOPPING):
                self._go_on(turn, record, own, self._executor)
        for name in set(turn.snapshot.hosts_with_vms) - set(self._config.host_names):
            for record in turn.records("on", name):
                turn.take(vm_machine.unwatched(record, "is not in the file any more", self._policy, turn.now))
        self._facts = [*turn.write(self._store), *self._facts]

    def _count_after_a_restore(self, turn: VmTurn, lists: AgentLists) -> None:
        """No VM is started before it is known where all of them run; the agents know (`ledger`, rule 5)."""
        waiting = turn.snapshot.reconciliation
        for host in waiting.hosts if waiting else ():
            vms = lists.vms_since(host, waiting.since) if waiting else None
            if vms is not None:
                self._store.count_vms(host, sorted(vms), turn.now)

    def unstopped(self, host: str) -> tuple[str, ...]:
        """The VMs that the host was fenced with and that are not yet confirmed to be stopped there."""
        return tuple(record.vm for record in self._store.snapshot().vms("left on", host)) if self._executor else ()

    def is_emptied(self, host: str) -> bool:
        """True if the host is drained and no VM is bound to it any more."""
        snapshot = self._store.snapshot()
        return host in snapshot.drains and not snapshot.vms_on(host)

    def stop_released_vms(self, host: str) -> None:
        """A fenced host answers again: stops on it are tried at once."""

        def now(turn: VmTurn) -> None:
            for record in turn.records("left on", host):
                turn.take((vm_machine.returned(record, host), ()))

        self._facts.append(now)

    # -- starts

    def _place(self, turn: VmTurn, record: VmRecord, own: Ownership, executor: VmExecutor) -> None:
        if self._started(turn) >= self._policy.vm_starts_at_once or turn.snapshot.reconciliation is not None:
            return
        if not self._is_still_proved(record, own, turn.now):
            return
        rooms = self._all_rooms(turn, own)
        if self._no_room.get(record.vm, 0.0) > turn.now:
            return
        spec = self._spec(record)
        choice = placement.choose(record, spec, rooms, turn.now, self._policy.vm_starts_per_host)
        if choice.host is None:
            if not choice.busy:
                self._no_room[record.vm] = record.retry_at if record.retry_at > turn.now else float("inf")
                turn.take(vm_machine.cannot_place(record, choice.why, self._policy, turn.now))
            return
        epoch = own.epochs.get(choice.host)
        if epoch is not None:  # else its owner sees the same and starts it
            self._start(turn, record, choice.host, epoch, own, executor)

    def _is_still_proved(self, record: VmRecord, own: Ownership, now: float) -> bool:
        """False if the host that was fenced with the VM may be On again: its last read is too old, or said so."""
        fenced = own.records.get(record.origin_host or "")
        if fenced is None or fenced.state is not HAState.FENCED or fenced.released != record.fence_id:
            return True
        return self._policy.name is not PolicyName.REFERENCE or proof.may_start_vms(fenced, self._policy, now)

    def _go_on(self, turn: VmTurn, record: VmRecord, own: Ownership, executor: VmExecutor) -> None:
        """A VM that is bound to its host: the next try, there only."""
        host = record.host or ""
        epoch = own.epochs.get(host)
        if epoch is None:
            return
        if own.records[host].state is HAState.DISABLED:
            turn.take(vm_machine.unwatched(record, "is Disabled", self._policy, turn.now))
        if record.in_flight:
            if self._calls.get(record.vm) != record.starts:
                turn.take((vm_machine.owner_changed(record), ()))
        elif turn.now < record.retry_at or record.given_up or record.vm in self._calls:
            return
        elif record.phase is VmPhase.STOPPING:
            self._stop(turn, record, host, epoch, own, executor)
        elif self._started(turn) < self._policy.vm_starts_at_once:
            self._start(turn, record, host, epoch, own, executor)

    def _start(self, turn: VmTurn, record: VmRecord, host: str, epoch: int, own: Ownership, executor: VmExecutor) -> None:
        checks = ledger.may_act(turn.snapshot, host, epoch, turn.now, start=True)
        if checks is None:
            return
        boot = self._lists.boot(host) if self._lists else None
        step = vm_machine.start_claimed(record, host, epoch, turn.snapshot.store_id, boot, turn.now)
        claimed = step[0]
        if self._rooms is not None:
            self._rooms[host].take(self._spec(record))

        def call() -> None:
            executor.start(claimed.vm, host, claimed.key, claimed.boot, self._policy.vm_start_timeout)

        def ended(turn: VmTurn, error: BaseException | None) -> None:
            current = turn.record(claimed.vm)
            if current is None:
                return
            result = _result(error)
            after, lines = vm_machine.start_ended(current, claimed.starts, result, str(error), self._policy, turn.now)
            if result is StartResult.STARTED and after is not current:
                lines = (*lines, *self._done_line(turn, after))
            turn.take((after, lines))

        turn.new_starts += 1
        turn.take(step, checks=checks, action=lambda: self._submit("vm", claimed, host, call, ended, own))

    def _started(self, turn: VmTurn) -> int:
        """Starts of this manager: those under way, and those that this round has decided."""
        return len(self._starts) + turn.new_starts

    def _stop(self, turn: VmTurn, record: VmRecord, host: str, epoch: int, own: Ownership, executor: VmExecutor) -> None:
        checks = ledger.may_act(turn.snapshot, host, epoch, turn.now, start=False)
        if checks is None:
            return
        step = vm_machine.stop_claimed(record, epoch)
        claimed = step[0]

        def call() -> None:
            executor.stop(claimed.vm, host, claimed.key, self._policy.vm_start_timeout)

        def ended(turn: VmTurn, error: BaseException | None) -> None:
            current = turn.record(claimed.vm)
            if current is not None:
                text = None if error is None else str(error)
                turn.take(vm_machine.stop_ended(current, claimed.starts, text, self._policy, turn.now))

        turn.take(step, checks=checks, action=lambda: self._submit("stop", claimed, host, call, ended, own))

    def _submit(
        self,
        pool: str,
        claimed: VmRecord,
        host: str,
        call: Callable[[], None],
        ended: Callable[[VmTurn, BaseException | None], None],
        own: Ownership,
    ) -> None:
        decided_at = self._clock.now()
        self._calls[claimed.vm] = claimed.starts
        if pool == "vm":
            self._starts.add(claimed.vm)

        def work() -> None:
            late = self._clock.now() - decided_at > self._policy.request_timeout
            if late or not own.permit(host, claimed.epoch):
                raise StartFailed(f"{host} was lost before the call left", nothing_started=True)
            call()

        def over() -> None:
            self._calls.pop(claimed.vm, None)
            self._starts.discard(claimed.vm)

        def done(_: None, error: BaseException | None) -> None:
            own.post(over)
            own.post(lambda: self._facts.append(lambda turn: ended(turn, error)))

        self._workers.submit(pool, work, done)

    def _done_line(self, turn: VmTurn, after: VmRecord) -> Lines:
        """The alert that all VMs of a fence run, with the last of them."""
        if after.fence_id is None:
            return ()
        records = [after if record.vm == after.vm else record for record in turn.records("of fence", after.fence_id)]
        count = vm_machine.all_run(after.fence_id, records)
        if count is None:
            return ()
        text = f"{count} VM(s) of {after.origin_host} run on other hosts"
        detail = {"alert": str(AlertName.VM_RESTART_DONE), "text": text, "fence_id": after.fence_id, "vm": after.vm}
        return (TimelineLine(kind=LineKind.ALERT, detail=detail),)

    # -- hosts that come back, and drains

    def _stop_where_left(self, turn: VmTurn, record: VmRecord, own: Ownership, executor: VmExecutor) -> None:
        for left in record.left:
            epoch = own.epochs.get(left.host)
            idle = (record.vm, left.host) not in self._left_stops
            if epoch is not None and idle and own.records[left.host].healthy and turn.now >= left.retry_at:
                self._stop_left(record.vm, left, epoch, own, executor)

    def _stop_left(self, vm: str, left: LeftHost, epoch: int, own: Ownership, executor: VmExecutor) -> None:
        """Nothing is written before: a stop on a host that was fenced with the VM may be repeated by any manager."""
        self._left_stops.add((vm, left.host))

        def ended(turn: VmTurn, error: BaseException | None) -> None:
            current = turn.record(vm)
            if current is not None:
                text = None if error is None else str(error)
                turn.take(vm_machine.left_stop_ended(current, left.host, left.fence_id, text, self._policy, turn.now))

        def done(_: None, error: BaseException | None) -> None:
            own.post(lambda: self._left_stops.discard((vm, left.host)))
            own.post(lambda: self._facts.append(lambda turn: ended(turn, error)))

        def work() -> None:
            if not own.permit(left.host, epoch):
                raise StartFailed(f"{left.host} was lost before the stop left", nothing_started=True)
            executor.stop(vm, left.host, left.key, self._policy.vm_start_timeout)

        self._workers.submit("stop", work, done)

    def _drain(self, turn: VmTurn, own: Ownership) -> None:
        """Moves the VMs off drained hosts. A VM that fits nowhere else stays where it runs."""
        for host in turn.snapshot.drains:
            if host not in own.epochs:
                continue
            mine = [record for record in turn.records("on", host) if record.phase is VmPhase.RUNNING]
            moving = sum(record.phase is VmPhase.STOPPING for record in turn.records("open"))
            for record in placement.order(mine, self._specs(mine)):
                if moving >= self._policy.vm_starts_at_once:
                    break
                rooms = self._all_rooms(turn, own)
                choice = placement.choose(record, self._spec(record), rooms, turn.now, self._policy.vm_starts_per_host)
                if choice.host is not None:
                    moving += 1
                    rooms[choice.host].take(self._spec(record))
                    turn.take((vm_machine.leave(record, None), ()))
                elif not choice.busy:
                    turn.take(vm_machine.cannot_place(record, choice.why, self._policy, turn.now))

    # -- what placement needs

    def _spec(self, record: VmRecord) -> VmSpec:
        return record.spec or self._file_specs.get(record.vm, DEFAULT_SPEC)

    def _specs(self, records: list[VmRecord]) -> Mapping[str, VmSpec]:
        return {record.vm: self._spec(record) for record in records}

    def _all_rooms(self, turn: VmTurn, own: Ownership) -> dict[str, HostRoom]:
        if self._rooms is not None:
            return self._rooms
        drains, rooms = set(turn.snapshot.drains), {}
        for host in self._config.part.hosts:
            rooms[host.name] = HostRoom(
                name=host.name, available=own.records[host.name].state is HAState.AVAILABLE, draining=host.name in drains,
                capacity=host.capacity, load=len(turn.snapshot.vms_on(host.name)),
            )  # fmt: skip
        for record in turn.records("open"):
            if record.phase is VmPhase.STARTING and record.in_flight and record.host in rooms:
                rooms[record.host].starting += 1
        if any(vm.apart for vm in self._file_specs.values()) or turn.snapshot.vms("kept apart"):
            for record in turn.records():
                apart = self._spec(record).apart
                if apart and record.host in rooms:
                    rooms[record.host].apart[apart] = rooms[record.host].apart.get(apart, 0) + 1
        seen = tuple((room.available, room.draining, room.load, room.starting) for room in rooms.values())
        if seen != self._room_seen:
            self._room_seen = seen
            self._no_room.clear()
        self._rooms = rooms
        return rooms


def _result(error: BaseException | None) -> StartResult:
    if error is None:
        return StartResult.STARTED
    certain = isinstance(error, StartFailed) and error.nothing_started
    return StartResult.NOT_STARTED if certain else StartResult.UNKNOWN
