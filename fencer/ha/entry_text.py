"""Entries as JSON text and back. Stores use it, so that a body looks the same in each of them.

Raises ValueError for a text that is not such an entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from fencer.ha.entries import Kind, LedgerRow, ManagerLease, OperatorRequest, Placement, Reconciliation, Value
from fencer.ha.record import HostRecord

_HOST: TypeAdapter[HostRecord] = TypeAdapter(HostRecord)
_MANAGER: TypeAdapter[ManagerLease] = TypeAdapter(ManagerLease)
_VM: TypeAdapter[Placement] = TypeAdapter(Placement)
_START: TypeAdapter[LedgerRow] = TypeAdapter(LedgerRow)
_REQUEST: TypeAdapter[OperatorRequest] = TypeAdapter(OperatorRequest)
_RECONCILIATION: TypeAdapter[Reconciliation] = TypeAdapter(Reconciliation)

_READ: Mapping[Kind, TypeAdapter[HostRecord] | TypeAdapter[ManagerLease] | TypeAdapter[Placement] | TypeAdapter[LedgerRow]
               | TypeAdapter[OperatorRequest] | TypeAdapter[Reconciliation]] = {
    Kind.HOST: _HOST, Kind.MANAGER: _MANAGER, Kind.VM: _VM, Kind.START: _START, Kind.REQUEST: _REQUEST,
    Kind.RECONCILIATION: _RECONCILIATION,
}  # fmt: skip


def as_text(value: Value) -> str:
    match value:
        case HostRecord():
            return _HOST.dump_json(value).decode()
        case ManagerLease():
            return _MANAGER.dump_json(value).decode()
        case Placement():
            return _VM.dump_json(value).decode()
        case LedgerRow():
            return _START.dump_json(value).decode()
        case OperatorRequest():
            return _REQUEST.dump_json(value).decode()
        case Reconciliation():
            return _RECONCILIATION.dump_json(value).decode()


def from_text(kind: Kind, text: str | bytes) -> Value:
    return _READ[kind].validate_json(text)
