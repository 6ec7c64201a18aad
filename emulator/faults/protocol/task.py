"""Seam protocol: the fault `redfish.task`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED

TaskMonitor: TypeAlias = Literal["works", "404", "none"]


@fault("redfish.task", example={"when": {"intent": "power-command"}, "params": {"end": "Exception", "executed": False}})
@dataclass(frozen=True, slots=True)
class TaskReply:
    """Answers 202 and names a task, whatever the vendor does otherwise (ASYNC-001, ASYNC-002, ASYNC-003). The task says how it
    went on its own clock; what the host does is another matter."""

    end: Literal["Completed", "Exception", "Cancelled", "Killed", "never"] = param(
        "how the task ends; never: it runs on", "Completed"
    )
    after_s: float = param("from the answer to the end of the task", 0.5, unit="s", low=0)
    monitor: TaskMonitor = param("404: what Location names does not exist; none: there is no Location", "works")
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
