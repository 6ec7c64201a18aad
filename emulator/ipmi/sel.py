"""The system event log (IPMI 2.0, chapter 31) and its clock. It is the machine's event log, the same that Redfish shows.

Reservations
  Who deletes, clears or reads in parts must hold the newest reservation. It is lost when entries vanish, not when one is added.
"""

from __future__ import annotations

from emulator.core.eventlog import UNUSED, LogEntry, Overflow, SelFields
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.rmcp import BMC_ADDRESS

VERSION = 0x51
CAN_DELETE, CAN_RESERVE, OVERFLOWED = 0x08, 0x02, 0x80
FIRST, LAST, NONE_LEFT = 0x0000, 0xFFFF, 0xFFFF
RECORD_IDS = 0xFFFE
RECORD_BYTES = 16
WHOLE_RECORD = 0xFF
SYSTEM_EVENT = 0x02
EVENT_MESSAGE_VERSION = 0x04
DEASSERTED = 0x80
RESERVATION_LOST = 0xC5
OUT_OF_SPACE = 0xC4
NO_SUCH_RECORD = 0xCB
CLEAR, ERASE, ASK = b"CLR", 0xAA, 0x00
ERASED = b"\x01"
UNSPECIFIED_TIME = 0xFFFFFFFF
EVENT_BYTES = 7


def record_id(entry: LogEntry) -> int:
    """1 to 0xFFFE: the log counts on for ever, the field has 16 bits."""
    return (entry.id - 1) % RECORD_IDS + 1


def seconds(unix: float) -> bytes:
    return (max(0, int(unix)) & 0xFFFFFFFF).to_bytes(4, "little")


def record(entry: LogEntry) -> bytes:
    """32.1, record type 02h."""
    sel = entry.sel
    direction = sel.event_type | (0 if sel.asserted else DEASSERTED)
    return (
        record_id(entry).to_bytes(2, "little")
        + bytes((SYSTEM_EVENT,))
        + seconds(entry.wall)
        + bytes((BMC_ADDRESS, 0x00, EVENT_MESSAGE_VERSION, sel.sensor_type, sel.sensor_number, direction, *sel.data))
    )


def get_info(call: Call) -> bytes:
    log = call.view.log
    free = min((log.limit - len(log)) * RECORD_BYTES, 0xFFFF)
    overflowed = OVERFLOWED if log.lost and log.overflow is Overflow.REFUSE else 0
    return (
        bytes((VERSION,))
        + len(log).to_bytes(2, "little")
        + free.to_bytes(2, "little")
        + seconds(log.last_added)
        + seconds(log.last_erased)
        + bytes((CAN_DELETE | CAN_RESERVE | overflowed,))
    )


def reserve(call: Call) -> bytes:
    state = call.state
    state.sel_reservation = state.sel_reservation % 0xFFFF + 1
    state.sel_reserved_at = _oldest(call)
    return state.sel_reservation.to_bytes(2, "little")


def _oldest(call: Call) -> int:
    """0 for an empty log. It changes when entries vanish from the front; other deletions end reservations themselves."""
    entries = call.view.log.entries()
    return entries[0].id if entries else 0


def _insist_on_reservation(call: Call) -> None:
    if int.from_bytes(call.data[:2], "little") != call.state.sel_reservation or call.state.sel_reservation == 0:
        raise Refused(RESERVATION_LOST)
    if call.state.sel_reserved_at not in (0, _oldest(call)):
        raise Refused(RESERVATION_LOST)


def _find(call: Call, number: int) -> tuple[LogEntry, int]:
    """The entry of a record id, and the record id of the next one. Raises Refused."""
    entries = call.view.log.entries()
    if not entries:
        raise Refused(NO_SUCH_RECORD)
    wanted = {FIRST: record_id(entries[0]), LAST: record_id(entries[-1])}.get(number, number)
    for at, entry in enumerate(entries):
        if record_id(entry) == wanted:
            return entry, record_id(entries[at + 1]) if at + 1 < len(entries) else NONE_LEFT
    raise Refused(NO_SUCH_RECORD)


def get_entry(call: Call) -> bytes:
    offset, count = call.data[4], call.data[5]
    if offset:
        _insist_on_reservation(call)
    if offset >= RECORD_BYTES:
        raise Refused(CompletionCode.PARAMETER_OUT_OF_RANGE)
    entry, following = _find(call, int.from_bytes(call.data[2:4], "little"))
    whole = record(entry)
    part = whole[offset:] if count == WHOLE_RECORD else whole[offset : offset + count]
    return following.to_bytes(2, "little") + part


def add_entry(call: Call) -> bytes:
    """A system event (type 02h); its id and time are ours. OEM records have no place in a log that Redfish shows too."""
    if call.data[2] != SYSTEM_EVENT:
        raise Refused(CompletionCode.INVALID_FIELD)
    return record_id(_add(call, call.data[10:16])).to_bytes(2, "little")


def platform_event(call: Call) -> bytes:
    """29.3. Over LAN it has no generator id; who sends one is read all the same."""
    event = call.data[-EVENT_BYTES:]
    _add(call, event[1:])
    return b""


def _add(call: Call, event: bytes) -> LogEntry:
    sensor_type, number, direction, *data = event
    data += [UNUSED] * (3 - len(data))
    sel = SelFields(sensor_type, number, (data[0], data[1], data[2]), direction & 0x7F, not direction & DEASSERTED)
    entry = call.view.log.add("An event of a client's.", sel, cause=call.cause)
    if entry is None:
        raise Refused(OUT_OF_SPACE)
    return entry


def delete_entry(call: Call) -> bytes:
    _insist_on_reservation(call)
    entry, _ = _find(call, int.from_bytes(call.data[2:4], "little"))
    call.view.log.delete(entry.id, call.cause)
    call.state.sel_reserved_at = -1
    return record_id(entry).to_bytes(2, "little")


def clear(call: Call) -> bytes:
    _insist_on_reservation(call)
    if call.data[2:5] != CLEAR or call.data[5] not in (ERASE, ASK):
        raise Refused(CompletionCode.INVALID_FIELD)
    if call.data[5] == ERASE:
        call.view.log.clear(call.cause)
        call.state.sel_reserved_at = 0  # clients ask on with the same reservation whether it is done
    return ERASED


def get_time(call: Call) -> bytes:
    return seconds(call.view.log.wall())


def set_time(call: Call) -> bytes:
    wanted = int.from_bytes(call.data, "little")
    if wanted == UNSPECIFIED_TIME:
        raise Refused(CompletionCode.INVALID_FIELD)
    call.view.log.set_wall(wanted, call.cause)
    return b""
