"""The messages of DMTF's event registries that this service can send, as facts of the protocol (BSD-3-Clause), and their events.

`service.bmc` turns log entries and task changes into events with this module, `service.service` the writes of clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.core.bmc.eventlog import SENTENCES, LogEntry, LogKind
from emulator.core.power.system import Look
from emulator.redfish.events.subscriptions import RedfishEvent
from emulator.redfish.service.messages import BaseMessage

RESOURCE_EVENT: Final = "ResourceEvent.1.3"
TASK_EVENT: Final = "TaskEvent.1.0"
LOG_EVENT: Final = "LogEvent.1.0"
"""A registry of this project, for log entries for which DMTF has no message."""

DETAIL: Final = "Detail"

POWER_WORDS: Final[Mapping[LogKind, str]] = {LogKind.POWER_ON: "On", LogKind.POWER_OFF: "Off"}
"""The power word that the event of such a log entry tells its subscribers."""

POWER_EVENTS: Final[Mapping[LogKind, str]] = {LogKind.POWER_ON: "ResourcePoweredOn", LogKind.POWER_OFF: "ResourcePoweredOff"}


def name_of(kind: LogKind) -> str:
    """ "OsCrash" for "os-crash"."""
    return "".join(part.capitalize() for part in kind.value.split("-"))


def _log_messages() -> dict[str, BaseMessage]:
    """Two messages per log sentence: without and with a detail as argument, because an argument must not be empty."""
    known: dict[str, BaseMessage] = {}
    for kind, sentence in SENTENCES.items():
        if kind not in POWER_EVENTS:
            known[name_of(kind)] = BaseMessage(sentence.text, sentence.severity, "None.")
            known[name_of(kind) + DETAIL] = BaseMessage(f"{sentence.text} %1", sentence.severity, "None.")
    return known | {name_of(kind): BaseMessage("%1", "OK", "None.") for kind in (LogKind.ADDED, LogKind.THRESHOLD)}


EVENT_MESSAGES: Final[Mapping[str, Mapping[str, BaseMessage]]] = {
    RESOURCE_EVENT: {
        "ResourceCreated": BaseMessage("The resource has been created successfully.", "OK", "None."),
        "ResourceRemoved": BaseMessage("The resource has been removed successfully.", "OK", "None."),
        "ResourceChanged": BaseMessage("One or more resource properties have changed.", "OK", "None."),
        "ResourcePoweredOn": BaseMessage("The resource `%1` has powered on.", "OK", "None."),
        "ResourcePoweredOff": BaseMessage("The resource `%1` has powered off.", "OK", "None."),
        "TestMessage": BaseMessage("Test message.", "OK", "None."),
    },
    LOG_EVENT: _log_messages(),
    TASK_EVENT: {
        "TaskStarted": BaseMessage("The task with Id '%1' has started.", "OK", "None."),
        "TaskCompletedOK": BaseMessage("The task with Id '%1' has completed.", "OK", "None."),
        "TaskAborted": BaseMessage("The task with Id '%1' has completed with errors.", "Critical", "None."),
        "TaskCancelled": BaseMessage(
            "Work on the task with Id '%1' has been halted prior to completion due to an explicit request.", "Warning", "None."
        ),
        "TaskRemoved": BaseMessage("The task with Id '%1' has been removed.", "Warning", "None."),
    },
}


def text_of(registry: str, name: str, *args: str) -> str:
    """The text of a message with its arguments filled in."""
    text = EVENT_MESSAGES[registry][name].text
    for n, arg in enumerate(args, start=1):
        text = text.replace(f"%{n}", arg, 1)
    return text


def message_of(entry: LogEntry, origin: str) -> tuple[str, str, tuple[str, ...]]:
    """MessageId, Message and MessageArgs of a log entry. `origin` is the path of the resource that the entry is about."""
    if entry.kind in POWER_EVENTS:
        name = POWER_EVENTS[entry.kind]
        return f"{RESOURCE_EVENT}.{name}", text_of(RESOURCE_EVENT, name, origin), (origin,)
    if entry.kind not in SENTENCES:
        return f"{LOG_EVENT}.{name_of(entry.kind)}", entry.text, (entry.text,)
    detail = entry.text.removeprefix(SENTENCES[entry.kind].text).strip()
    if not detail:
        return f"{LOG_EVENT}.{name_of(entry.kind)}", entry.text, ()
    return f"{LOG_EVENT}.{name_of(entry.kind)}{DETAIL}", entry.text, (detail,)


def log_event(entry: LogEntry, origin: str) -> RedfishEvent:
    """The event of a new log entry. `origin` is the path of the system, or of the BMC for an entry that belongs to no system."""
    message_id, text, args = message_of(entry, origin)
    word = POWER_WORDS.get(entry.kind)
    return RedfishEvent(
        message_id=message_id,
        text=text,
        args=args,
        severity=entry.severity.value,
        event_type="StatusChange" if entry.kind in POWER_EVENTS else "Alert",
        origin=origin,
        kind="Manager" if entry.system is None else "ComputerSystem",
        cause=entry.cause,
        look=Look(entry.system, "event", word) if entry.system is not None and word is not None else None,
    )


WRITES: Final[Mapping[str, str]] = {
    "ResourceCreated": "ResourceAdded",
    "ResourceChanged": "ResourceUpdated",
    "ResourceRemoved": "ResourceRemoved",
}
"""Message of each kind of write by a client, and its EventType."""


def write_event(name: str, path: str, odata_type: str | None, cause: int) -> RedfishEvent:
    """The event of a write to the resource at `path`. `name` is a key of WRITES."""
    return RedfishEvent(
        message_id=f"{RESOURCE_EVENT}.{name}",
        text=text_of(RESOURCE_EVENT, name),
        event_type=WRITES[name],
        origin=path,
        kind=odata_type.rpartition(".")[2] if odata_type is not None else None,
        cause=cause,
    )
