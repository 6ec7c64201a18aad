"""Log services: two views of the BMC's one event log. A system has the SEL, the manager has the log of the BMC itself.

`all_resources` calls it when a tree is built.

Rules
  1. Entries are the core's and have the record ids that IPMI shows too. This module stores nothing.
  2. ClearLog on the first system's SEL clears the whole log, as IPMI Clear SEL does. Elsewhere it deletes the entries shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from emulator.core.bmc.eventlog import LogEntry, Overflow
from emulator.redfish.events.event_messages import message_of
from emulator.redfish.inventory.system_parts import BmcClock, SystemParts, bmc_clock, local_time, part
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from emulator.redfish.service.paths import manager_path, system_path
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
)
from emulator.redfish.service.shapes import Json
from profiles.model import Profile

SERVICE_TYPE: Final = "#LogService.v1_9_0.LogService"
ENTRY_TYPE: Final = "#LogEntry.v1_21_0.LogEntry"
COLLECTION_TYPE: Final = "#LogEntryCollection.LogEntryCollection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedLog:
    """One LogService: its path, the entries that it shows, and whether it covers the whole event log."""

    path: str
    name: str
    entry_type: str  # LogEntry.EntryType
    purpose: str
    shows: Callable[[RedfishBmc, LogEntry], bool]
    covers_all: Callable[[RedfishBmc], bool]


class LogServiceState(NamedTuple):
    """Everything changeable that a LogService shows."""

    clock: BmcClock
    overflow: bool
    enabled: bool


def system_log(parts: SystemParts) -> ServedLog:
    def covers_all(view: RedfishBmc) -> bool:
        return view.first_id == parts.system_id

    def shows(view: RedfishBmc, entry: LogEntry) -> bool:
        return covers_all(view) or entry.system == parts.system_id

    return ServedLog(
        path=f"{parts.system}/LogServices/SEL",
        name="System Event Log",
        entry_type="SEL",
        purpose="Operations",
        shows=shows,
        covers_all=covers_all,
    )


def manager_log(profile: Profile) -> ServedLog:
    return ServedLog(
        path=f"{manager_path(profile)}/LogServices/Log",
        name="Manager Log",
        entry_type="Event",
        purpose="Security",
        shows=lambda view, entry: entry.system is None,
        covers_all=lambda view: False,
    )


def logs(log: ServedLog) -> tuple[Resource, ...]:
    parent = log.path.rpartition("/")[0]
    listing = collection(parent, "LogServiceCollection", "Log Services", lambda view: (log.path,))
    clear = Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, _clear(log))
    return (
        listing,
        _service(log),
        _entries(log),
        Resource(path=f"{log.path}/Actions/LogService.ClearLog", operations={"POST": clear}),
    )


def shown_entries(view: RedfishBmc, log: ServedLog) -> tuple[LogEntry, ...]:
    """The entries of this log service, oldest first."""
    return tuple(entry for entry in view.log.entries() if log.shows(view, entry))


def _service(log: ServedLog) -> Resource:
    def state(call: RedfishCall) -> LogServiceState:
        return LogServiceState(bmc_clock(call), call.view.log.lost > 0, call.view.log.enabled)

    def body(view: RedfishBmc, state: LogServiceState) -> Json:
        return {
            "ServiceEnabled": state.enabled,
            "MaxNumberOfRecords": view.log.limit,
            "OverWritePolicy": "WrapsWhenFull" if view.log.overflow is Overflow.DROP_OLDEST else "NeverOverWrites",
            "Overflow": state.overflow,
            "Persistency": True,
            "LogEntryType": log.entry_type,
            "LogPurposes": [log.purpose],
            **local_time(state.clock),
            "Status": {"State": "Enabled", "Health": "OK"},
            "Entries": link(f"{log.path}/Entries"),
            "Actions": {"#LogService.ClearLog": {"target": f"{log.path}/Actions/LogService.ClearLog"}},
        }

    return part(log.path, SERVICE_TYPE, log.name, body, state=state)


def _entries(log: ServedLog) -> Resource:
    path = f"{log.path}/Entries"

    def state(call: RedfishCall) -> tuple[int, ...]:
        return tuple(entry.id for entry in shown_entries(call.view, log))

    def body(view: RedfishBmc, ids: tuple[int, ...]) -> Json:
        # The collection contains the entries themselves, because clients read a log in one request, as DMTF's own do.
        members = [entry_body(view, log, entry) for entry in shown_entries(view, log)]
        return collection_body(path, COLLECTION_TYPE, f"{log.name} Entries", ()) | {
            "Members@odata.count": len(members),
            "Members": members,
        }

    def member(view: RedfishBmc, name: str) -> Resource | None:
        # Only the canonical number is accepted: "01" and "1" must not be two paths to one entry.
        if not (name.isascii() and name.isdigit() and len(name) < 10 and not name.startswith("0")):
            return None
        entry = view.log.entry(int(name))
        return _entry(log, entry) if entry is not None and log.shows(view, entry) else None

    return Resource(path=path, type=COLLECTION_TYPE, content=content_of(state, body), member=member)


def entry_body(view: RedfishBmc, log: ServedLog, entry: LogEntry) -> Json:
    """A LogEntry. It never changes while it exists."""
    path = f"{log.path}/Entries/{entry.id}"
    origin = manager_path(view.profile) if entry.system is None else system_path(view.profile, entry.system)
    message_id, text, args = message_of(entry, origin)
    properties = head_of(path, ENTRY_TYPE, str(entry.id), f"Log Entry {entry.id}") | {
        "EntryType": log.entry_type,
        "Severity": entry.severity.value,
        "Created": _date(entry.wall),
        "EventTimestamp": _date(entry.wall),
        "EventId": str(entry.id),
        "Message": text,
        "MessageId": message_id,
        "MessageArgs": list(args),
        "Resolved": False,
        "Links": {"OriginOfCondition": link(origin)},
    }
    sel = entry.sel
    if sel.oem:  # an OEM record has no sensor
        return properties
    properties["SensorNumber"] = sel.sensor_number
    if log.entry_type == "SEL":
        properties |= {"EntryCode": "Assert" if sel.asserted else "Deassert", "GeneratorId": f"0x{sel.generator:04X}"}
    return properties


def _entry(log: ServedLog, entry: LogEntry) -> Resource:
    path = f"{log.path}/Entries/{entry.id}"

    def body(view: RedfishBmc) -> Json:
        return entry_body(view, log, entry)

    def delete(call: RedfishCall) -> HttpAnswer:
        call.view.log.delete(entry.id, call.seq)
        return HttpAnswer(204)

    operations = {"DELETE": Operation(RedfishPrivilege.CONFIGURE_COMPONENTS, delete)}
    return Resource(path=path, type=ENTRY_TYPE, content=fixed_content(body), operations=operations, cached=False)


def _clear(log: ServedLog) -> Callable[[RedfishCall], HttpAnswer]:
    def clear(call: RedfishCall) -> HttpAnswer:
        parameters(call.json_object(), {}, (), "ClearLog")
        view = call.view
        if log.covers_all(view):
            view.log.clear(call.seq)
        else:
            for entry in shown_entries(view, log):
                view.log.delete(entry.id, call.seq)
        return HttpAnswer(204)

    return clear


def _date(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
