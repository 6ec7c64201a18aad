"""One BMC as its Redfish service sees it: the core's view, and what only Redfish has (tasks, subscriptions, certificates).

A tree is shared by all BMCs of a profile, so whatever differs from one BMC to the next is reached through this object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from emulator.core.clock import Instant
from emulator.core.journal import Kind
from emulator.core.rack import Rack
from emulator.core.timers import Timer
from emulator.core.view import BmcView
from emulator.redfish.desk import Courier, EventDesk, Happening
from emulator.redfish.keyring import Keyring
from emulator.redfish.taskbook import Task, TaskBook, TaskMessage
from profiles.model import Profile, Span

EPOCH: Final = 1_767_225_600.0
"""Unix time at the rack's instant 0: 2026-01-01T00:00:00Z, the same in every run."""

TASK_REGISTRY: Final = "TaskEvent.1.0"
TASK_TEXTS: Final = {
    "started": ("TaskStarted", "The task with Id '{id}' has started.", "OK"),
    "Completed": ("TaskCompletedOK", "The task with Id '{id}' has completed.", "OK"),
    "Exception": ("TaskAborted", "The task with Id '{id}' has completed with errors.", "Critical"),
    "Killed": ("TaskAborted", "The task with Id '{id}' has completed with errors.", "Critical"),
    "Cancelled": (
        "TaskCancelled",
        "Work on the task with Id '{id}' has been halted prior to completion due to an explicit request.",
        "Warning",
    ),
    "removed": ("TaskRemoved", "The task with Id '{id}' has been removed.", "Warning"),
}


class Bmc(BmcView):
    def __init__(self, rack: Rack, name: str, courier: Courier, keyring: Keyring) -> None:
        super().__init__(rack, name)
        self.events = EventDesk(self, courier)
        self.tasks = TaskBook(self, _namer(self.profile), self._task_changed)
        self.keyring = keyring
        self.revisions: Counter[str] = Counter()
        """How often a resource has been written; part of its tag, so that a write of a secret changes the tag too."""

    def after(self, seconds: float, do: Callable[[], None]) -> Timer:
        return self._rack.after(seconds, do)

    def draw(self, span: Span) -> float:
        return self._rack.draw(span)

    def date(self, instant: Instant) -> str:
        """A Redfish date and time, to the second."""
        return datetime.fromtimestamp(EPOCH + instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def tell(self, what: str, cause: int | None, **data: str | int | None) -> int:
        return self.record(Kind.NOTICE, cause, what=what, **data)

    def task_path(self, task: Task) -> str:
        kind = "JobService/Jobs" if self.profile.tasks["style"] == "jobs" else "TaskService/Tasks"
        return f"/redfish/v1/{kind}/{task.id}"

    def _task_changed(self, task: Task, what: str) -> None:
        seq = self.record(Kind.TASK, task.cause, task=task.id, name=task.name, what=what, state=task.state)
        key = task.state if what == "ended" else what
        if key not in TASK_TEXTS:
            return
        name, text, severity = TASK_TEXTS[key]
        message = TaskMessage(id=f"{TASK_REGISTRY}.{name}", text=text.format(id=task.id), args=(task.id,), severity=severity)
        if what != "removed":
            task.messages.append(message)
        self.events.emit(
            Happening(
                message_id=message.id,
                text=message.text or "",
                args=message.args,
                severity=severity,
                event_type="StatusChange",
                origin=self.task_path(task) if what != "removed" else None,
                kind="Job" if self.profile.tasks["style"] == "jobs" else "Task",
                cause=seq,
            )
        )


def _namer(profile: Profile) -> Callable[[int], str]:
    """Ids of tasks: "7", or what `tasks.id` of the profile makes of it ("JID_{digits:12}" gives "JID_000000000007")."""
    template = str(profile.tasks.get("id") or "{n}")

    def name(number: int) -> str:
        head, brace, tail = template.partition("{")
        hole, _, rest = tail.partition("}")
        if not brace:
            return f"{template}{number}"
        width = int(hole.partition(":")[2] or 0)
        return f"{head}{number:0{width}d}{rest}" if width else f"{head}{number}{rest}"

    return name
