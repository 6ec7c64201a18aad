"""Entries as JSON text and back. Stores use it, so that a body looks the same in each of them.

Raises ValueError for a text that is not such an entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from fencer.ha.entries import Drain, Kind, ManagerLease, OperatorRequest, Reconciliation, Value
from fencer.ha.record import HostRecord
from fencer.ha.vm_record import VmRecord

_HOST: TypeAdapter[HostRecord] = TypeAdapter(HostRecord)
_MANAGER: TypeAdapter[ManagerLease] = TypeAdapter(ManagerLease)
_VM: TypeAdapter[VmRecord] = TypeAdapter(VmRecord)
_DRAIN: TypeAdapter[Drain] = TypeAdapter(Drain)
_REQUEST: TypeAdapter[OperatorRequest] = TypeAdapter(OperatorRequest)
_RECONCILIATION: TypeAdapter[Reconciliation] = TypeAdapter(Reconciliation)

_READ: Mapping[Kind, TypeAdapter[HostRecord] | TypeAdapter[ManagerLease] | TypeAdapter[VmRecord] | TypeAdapter[Drain]
               | TypeAdapter[OperatorRequest] | TypeAdapter[Reconciliation]] = {
    Kind.HOST: _HOST, Kind.MANAGER: _MANAGER, Kind.VM: _VM, Kind.DRAIN: _DRAIN, Kind.REQUEST: _REQUEST,
    Kind.RECONCILIATION: _RECONCILIATION,
}  # fmt: skip


def as_text(value: Value) -> str:
    match value:
        case HostRecord():
            return _HOST.dump_json(value).decode()
        case ManagerLease():
            return _MANAGER.dump_json(value).decode()
        case VmRecord():
            return _VM.dump_json(value).decode()
        case Drain():
            return _DRAIN.dump_json(value).decode()
        case OperatorRequest():
            return _REQUEST.dump_json(value).decode()
        case Reconciliation():
            return _RECONCILIATION.dump_json(value).decode()


def from_text(kind: Kind, text: str | bytes) -> Value:
    return _READ[kind].validate_json(text)
