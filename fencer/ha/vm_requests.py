"""What operators want of VMs and drains: applies the requests that `fence-ha drain`, `vms` and `retry` have stored.

`Restarts` calls it once per round, in the loop's thread. A request about a VM stands under `CLUSTER` in the store, because a
VM that waits has no host; any manager answers it. A drain stands under its host.

  drain                              host: takes no VM any more; its VMs move to other hosts
  vm-add     vm, host?, hosts?, priority?, system?, apart?
  vm-remove  vm
  vm-move    vm, to
  vm-retry   vm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fencer.ha import ledger, vm_machine
from fencer.ha.effects import OperatorAnswer
from fencer.ha.entries import OperatorRequest
from fencer.ha.vm_machine import Step
from fencer.ha.vm_record import VmPhase, VmRecord, VmSpec
from fencer.ha.vm_turn import CLUSTER, VmTurn


def apply(turn: VmTurn, owned: Collection[str], hosts: Collection[str]) -> None:
    for host in owned:
        for request in turn.snapshot.open_requests(host):
            if request.what == "drain":
                _drain(turn, request)
    for request in turn.snapshot.open_requests(CLUSTER):
        step, ok, text = _vm(turn, request, hosts)
        answer = OperatorAnswer(request=request.id, ok=ok, text=text)
        if step is None:
            turn.others.append(ledger.answer_request(turn.snapshot, answer, turn.now))
        else:
            turn.take(step, answer=answer)


def _drain(turn: VmTurn, request: OperatorRequest) -> None:
    count = len(turn.snapshot.vms_on(request.host))
    text = f"{request.host} takes no VMs any more; {count} VM(s) move; fence-ha enable ends it"
    answer = OperatorAnswer(request=request.id, ok=True, text=text)
    turn.others.append(ledger.set_drain(turn.snapshot, request.host, drain=True, answer=answer, now=turn.now))


def _vm(turn: VmTurn, request: OperatorRequest, hosts: Collection[str]) -> tuple[Step | None, bool, str]:
    detail, vm = request.detail, request.detail.get("vm", "")
    record = turn.record(vm)
    named = [name for name in (detail.get("host"), detail.get("to"), *_names(detail)) if name]
    unknown = [name for name in named if name not in hosts]
    if unknown:
        return None, False, f"no host is called {unknown[0]}; there are {', '.join(hosts)}"
    if request.what == "vm-add":
        return _add(turn, record, vm, detail)
    if record is None or record.phase is VmPhase.REMOVED:
        return None, False, f"no VM is called {vm}; fence-ha vms lists them"
    match request.what:
        case "vm-remove":
            return (vm_machine.removed(record), ()), True, f"{vm} is not under HA any more; it was not stopped"
        case "vm-retry":
            return (vm_machine.retried(record, turn.now), ()), True, f"{vm} is tried now"
        case "vm-move":
            return _move(record, detail.get("to", ""))
    return None, False, f"unknown request {request.what}"


def _add(turn: VmTurn, record: VmRecord | None, vm: str, detail: Mapping[str, str]) -> tuple[Step | None, bool, str]:
    if record is not None and record.phase is not VmPhase.REMOVED:
        return None, False, f"{vm} is under HA already, on {record.host or 'no host yet'}"
    spec = VmSpec(
        hosts=tuple(_names(detail)), system=detail.get("system") == "true", priority=int(detail.get("priority") or 0),
        apart=detail.get("apart") or None,
    )  # fmt: skip
    host = detail.get("host") or None
    if record is not None and host in {left.host for left in record.left}:
        return None, False, f"{host} was fenced with {vm} and has not confirmed that it stopped it"
    added = vm_machine.added(record, vm, host, spec, turn.now)
    where = f"it runs on {host}" if host else "it is started"
    return (added, (vm_machine.line(added, "added", host),)), True, f"{vm} is under HA; {where}"


def _move(record: VmRecord, to: str) -> tuple[Step | None, bool, str]:
    if record.host == to:
        return None, False, f"{record.vm} belongs to {to} already"
    if record.phase is VmPhase.RUNNING:
        return (vm_machine.leave(record, to), ()), True, f"{record.vm} is stopped on {record.host} and started on {to}"
    if record.phase is VmPhase.WAITING:
        return (vm_machine.wanted_on(record, to), ()), True, f"{record.vm} is started on {to}, if it fits"
    return None, False, f"{record.vm} is {record.phase} on {record.host}; try again when that has ended"


def _names(detail: Mapping[str, str]) -> list[str]:
    return [name for name in detail.get("hosts", "").split(",") if name]
