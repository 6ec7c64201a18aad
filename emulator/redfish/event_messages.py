"""Messages of DMTF's event registries that this service can send, as facts of the protocol (BSD-3-Clause)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.redfish.messages import BaseMessage

RESOURCE_EVENT: Final = "ResourceEvent.1.3"
TASK_EVENT: Final = "TaskEvent.1.0"

EVENT_MESSAGES: Final[Mapping[str, Mapping[str, BaseMessage]]] = {
    RESOURCE_EVENT: {
        "ResourceCreated": BaseMessage("The resource has been created successfully.", "OK", "None."),
        "ResourceRemoved": BaseMessage("The resource has been removed successfully.", "OK", "None."),
        "ResourceChanged": BaseMessage("One or more resource properties have changed.", "OK", "None."),
        "ResourcePoweredOn": BaseMessage("The resource `%1` has powered on.", "OK", "None."),
        "ResourcePoweredOff": BaseMessage("The resource `%1` has powered off.", "OK", "None."),
        "TestMessage": BaseMessage("Test message.", "OK", "None."),
        "ResourceStatusChangedOK": BaseMessage("The health of resource '%1' has changed to %2.", "OK", "None."),
        "ResourceStatusChangedWarning": BaseMessage("The health of resource `%1` has changed to %2.", "Warning", "None."),
        "ResourceStatusChangedCritical": BaseMessage("The health of resource `%1` has changed to %2.", "Critical", "None."),
    },
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
    """The sentence with its arguments in."""
    text = EVENT_MESSAGES[registry][name].text
    for n, arg in enumerate(args, start=1):
        text = text.replace(f"%{n}", arg, 1)
    return text
