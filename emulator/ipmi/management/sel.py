"""The system event log and its clock (IPMI 2.0, chapter 31). It is the event log that Redfish shows too.

The command table calls the handlers, in the emulator's one thread. Times are seconds of Unix time.

Records
  A client may add system events (02h) and OEM records (C0h to FFh). They are stored as they come, but with a record id and a time
  of the BMC. Other types are refused.

Reservations
  To delete, clear or read in parts, a client needs the newest reservation. It is lost when entries are removed, not when one is
  added.
"""

from __future__ import annotations

from emulator.core.bmc.eventlog import OEM_WITH_TIME, OEM_WITHOUT_TIME, UNUSED, LogEntry, Overflow, SelFields
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.session.rmcp import BMC_ADDRESS

VERSION = 0x51
CAN_DELETE, CAN_ADD_IN_PARTS, CAN_RESERVE, CAN_TELL_ALLOCATION, OVERFLOWED = 0x08, 0x04, 0x02, 0x01, 0x80
FIRST, LAST, NONE_LEFT = 0x0000, 0xFFFF, 0xFFFF
RECORD_IDS = 0xFFFE
RECORD_BYTES = 16
WHOLE_RECORD = 0xFF
SYSTEM_EVENT = 0x02
DEASSERTED = 0x80
RESERVATION_LOST = 0xC5
OUT_OF_SPACE = 0xC4
NO_SUCH_RECORD = 0xCB
CLEAR, ERASE, ASK = b"CLR", 0xAA, 0x00
REMOTE_CONSOLE = 0x0081
"""The generator id of an event that came over LAN: the software id of a remote console."""

NO_EVENT = (UNUSED, UNUSED, UNUSED)
ERASED = b"\x01"
UNSPECIFIED_TIME = 0xFFFFFFFF
EVENT_BYTES = 7
LAST_PART = 0x01
WRONG_LENGTH = 0x80
UNKNOWN_OFFSET, OFFSET_LIMIT = 0x07FF, 1440


def record_id(entry: LogEntry) -> int:
    """The record id, 1 to 0xFFFE: the ids of the log have no limit, but the field has 16 bits."""
    return (entry.id - 1) % RECORD_IDS + 1


def seconds(unix: float) -> bytes:
    """A Unix time as four bytes."""
    return (max(0, int(unix)) & 0xFFFFFFFF).to_bytes(4, "little")


def record(entry: LogEntry) -> bytes:
    """The SEL record of an entry, 16 bytes (32.1 to 32.3)."""
    sel = entry.sel
    head = record_id(entry).to_bytes(2, "little")
    if sel.oem:
        return head + sel.oem[:1] + (seconds(entry.wall) if sel.stamped else b"") + sel.oem[1:]
    direction = sel.event_type | (0 if sel.asserted else DEASSERTED)
    return (
        head
        + bytes((SYSTEM_EVENT,))
        + seconds(entry.wall)
        + sel.generator.to_bytes(2, "little")
        + bytes((sel.revision, sel.sensor_type, sel.sensor_number, direction, *sel.data))
    )


def get_info(call: IpmiCall) -> bytes:
    log = call.view.log
    free = min((log.limit - len(log)) * RECORD_BYTES, 0xFFFF)
    overflowed = OVERFLOWED if log.lost and log.overflow is Overflow.REFUSE else 0
    return (
        bytes((VERSION,))
        + len(log).to_bytes(2, "little")
        + free.to_bytes(2, "little")
        + seconds(log.last_added)
        + seconds(log.last_erased)
        + bytes((CAN_DELETE | CAN_ADD_IN_PARTS | CAN_RESERVE | CAN_TELL_ALLOCATION | overflowed,))
    )


def get_allocation_info(call: IpmiCall) -> bytes:
    """31.3. An allocation unit is one record."""
    log = call.view.log
    free = log.limit - len(log)
    figures = (log.limit, RECORD_BYTES, free, free)
    return b"".join(min(figure, 0xFFFF).to_bytes(2, "little") for figure in figures) + b"\x01"


def reserve(call: IpmiCall) -> bytes:
    state = call.state
    state.sel_reservation = state.sel_reservation % 0xFFFF + 1
    state.sel_reserved_at = _oldest(call)
    return state.sel_reservation.to_bytes(2, "little")


def _oldest(call: IpmiCall) -> int:
    """The id of the oldest entry, 0 for an empty log. It changes when the oldest entry is removed; `delete_entry` and `clear`
    handle other removals."""
    entries = call.view.log.entries()
    return entries[0].id if entries else 0


def _insist_on_reservation(call: IpmiCall) -> None:
    if int.from_bytes(call.data[:2], "little") != call.state.sel_reservation or call.state.sel_reservation == 0:
        raise CompletionError(RESERVATION_LOST)
    if call.state.sel_reserved_at not in (0, _oldest(call)):
        raise CompletionError(RESERVATION_LOST)


def _find(call: IpmiCall, number: int) -> tuple[LogEntry, int]:
    """The entry with a record id, and the record id of the next one. Raises CompletionError where there is none."""
    entries = call.view.log.entries()
    if not entries:
        raise CompletionError(NO_SUCH_RECORD)
    wanted = {FIRST: record_id(entries[0]), LAST: record_id(entries[-1])}.get(number, number)
    for at, entry in enumerate(entries):
        if record_id(entry) == wanted:
            return entry, record_id(entries[at + 1]) if at + 1 < len(entries) else NONE_LEFT
    raise CompletionError(NO_SUCH_RECORD)


def get_entry(call: IpmiCall) -> bytes:
    offset, count = call.data[4], call.data[5]
    if offset:
        _insist_on_reservation(call)
    if offset >= RECORD_BYTES:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    entry, following = _find(call, int.from_bytes(call.data[2:4], "little"))
    whole = record(entry)
    part = whole[offset:] if count == WHOLE_RECORD else whole[offset : offset + count]
    return following.to_bytes(2, "little") + part


def add_entry(call: IpmiCall) -> bytes:
    return _add_record(call, call.data)


def add_part(call: IpmiCall) -> bytes:
    """31.7: reservation, record id, offset, whether this is the last part, then data. Parts must come in order."""
    state = call.state
    _insist_on_reservation(call)
    offset, last, part = call.data[4], call.data[5] & 0x0F, call.data[6:]
    so_far = b"" if offset == 0 else state.sel_part
    if last > LAST_PART:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if offset != len(so_far) or offset + len(part) > RECORD_BYTES or (last and offset + len(part) != RECORD_BYTES):
        state.sel_part = b""
        raise CompletionError(WRONG_LENGTH)
    state.sel_part = so_far + part
    if not last:
        return bytes(2)
    whole, state.sel_part = state.sel_part, b""
    return _add_record(call, whole)


def _add_record(call: IpmiCall, whole: bytes) -> bytes:
    kind = whole[2]
    if kind == SYSTEM_EVENT:
        return _added(call, "An event of a client's.", _event(whole[10:], int.from_bytes(whole[7:9], "little"), whole[9]))
    if kind < OEM_WITH_TIME:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if kind < OEM_WITHOUT_TIME:
        own, told = whole[7:], f" of manufacturer {int.from_bytes(whole[7:10], 'little')}: {whole[10:].hex().upper()}"
    else:
        own, told = whole[3:], f": {whole[3:].hex().upper()}"
    text = f"An OEM record of type 0x{kind:02X}{told}"
    return _added(call, text, SelFields(0, 0, NO_EVENT, oem=whole[2:3] + own))


def platform_event(call: IpmiCall) -> bytes:
    """29.3. Over LAN the request has no generator id; one that is sent is accepted. With event logging off it is dropped."""
    if not call.view.log.enabled:
        return b""
    revision, *event = call.data[-EVENT_BYTES:]
    generator = call.data[0] if len(call.data) > EVENT_BYTES else REMOTE_CONSOLE
    _added(call, "An event of a client's.", _event(bytes(event), generator, revision))
    return b""


def _event(event: bytes, generator: int, revision: int) -> SelFields:
    sensor_type, number, direction, *data = event
    data += [UNUSED] * (3 - len(data))
    kind, asserted = direction & 0x7F, not direction & DEASSERTED
    return SelFields(sensor_type, number, (data[0], data[1], data[2]), kind, asserted, generator, revision)


def _added(call: IpmiCall, text: str, sel: SelFields) -> bytes:
    """Adds an entry and returns its record id. Raises CompletionError where the log is full."""
    entry = call.view.log.add(text, sel, cause=call.cause)
    if entry is None:
        raise CompletionError(OUT_OF_SPACE)
    return record_id(entry).to_bytes(2, "little")


def get_event_receiver(_call: IpmiCall) -> bytes:
    """29.2. The BMC is its own event receiver."""
    return bytes((BMC_ADDRESS, 0x00))


def set_event_receiver(call: IpmiCall) -> bytes:
    """29.1. No other event receiver is possible."""
    if call.data != get_event_receiver(call):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return b""


def delete_entry(call: IpmiCall) -> bytes:
    _insist_on_reservation(call)
    entry, _ = _find(call, int.from_bytes(call.data[2:4], "little"))
    call.view.log.delete(entry.id, call.cause)
    call.state.sel_reserved_at = -1
    return record_id(entry).to_bytes(2, "little")


def clear(call: IpmiCall) -> bytes:
    _insist_on_reservation(call)
    if call.data[2:5] != CLEAR or call.data[5] not in (ERASE, ASK):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if call.data[5] == ERASE:
        call.view.log.clear(call.cause)
        call.state.sel_reserved_at = 0  # clients use the same reservation to ask whether the erasure is complete
    return ERASED


def get_time(call: IpmiCall) -> bytes:
    return seconds(call.view.log.wall())


def set_time(call: IpmiCall) -> bytes:
    wanted = int.from_bytes(call.data, "little")
    if wanted == UNSPECIFIED_TIME:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    call.view.log.set_wall(wanted, call.cause)
    return b""


def get_time_offset(call: IpmiCall) -> bytes:
    """31.11a. Minutes that local time is ahead of UTC."""
    minutes = call.view.log.utc_offset()
    return (UNKNOWN_OFFSET if minutes is None else minutes).to_bytes(2, "little", signed=True)


def set_time_offset(call: IpmiCall) -> bytes:
    minutes = int.from_bytes(call.data, "little", signed=True)
    if minutes != UNKNOWN_OFFSET and abs(minutes) > OFFSET_LIMIT:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    call.view.log.set_utc_offset(None if minutes == UNKNOWN_OFFSET else minutes, call.cause)
    return b""
