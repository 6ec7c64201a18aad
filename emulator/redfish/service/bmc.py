"""One BMC as its Redfish service sees it: the core's view, and what only Redfish has (tasks, subscriptions, certificates).

A tree is shared by all BMCs of a profile, so whatever differs from one BMC to the next is reached through this object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from emulator.core.bmc.eventlog import LogEntry, LogKind
from emulator.core.bmc.view import BmcView
from emulator.core.clock import Instant
from emulator.core.journal import EventKind
from emulator.core.power.system import Look
from emulator.core.rack import Rack
from emulator.core.timers import Timer
from emulator.redfish.certificates.keyring import Keyring
from emulator.redfish.events.event_messages import EVENT_MESSAGES, TASK_EVENT, happening, text_of
from emulator.redfish.events.subscriptions import EventDelivery, Happening, Subscriptions
from emulator.redfish.power.taskbook import Task, TaskBook, TaskMessage
from emulator.redfish.service.settings import SavedSettings
from profiles.model import Profile, Span

TASK_MESSAGES: Final[Mapping[str, str]] = {
    "started": "TaskStarted",
    "Completed": "TaskCompletedOK",
    "Exception": "TaskAborted",
    "Killed": "TaskAborted",
    "Cancelled": "TaskCancelled",
    "removed": "TaskRemoved",
}
"""What a change of a task, or the state in which it has ended, is called in the TaskEvent registry."""

BOOTS: Final = frozenset({LogKind.BMC_RESET, LogKind.MAINS_LOST})


class RedfishBmc(BmcView):
    def __init__(self, rack: Rack, name: str, courier: EventDelivery, keyring: Keyring, first_event: int = 1) -> None:
        super().__init__(rack, name)
        self.events = Subscriptions(self, courier, first_event)
        self.tasks = TaskBook(self, _namer(self.profile), self._task_changed)
        self.keyring = keyring
        self.settings = SavedSettings()
        self._revisions: dict[str, int] = {}
        self._writes = 0
        self.opens_sessions = True
        """SessionService.ServiceEnabled: whether anybody new may log in."""

    # -- revisions -------------------------------------------------------------------------------------------------------

    def revision(self, path: str) -> int:
        """Part of a resource's tag, so that a write of a secret changes the tag too; 0 for what nobody has written."""
        return self._revisions.get(path, 0)

    def wrote(self, path: str) -> None:
        """Numbers never repeat: what is made again under an old path does not get an old tag."""
        self._writes += 1
        self._revisions[path] = self._writes

    def forgot(self, path: str) -> None:
        self._revisions.pop(path, None)

    # -- settings --------------------------------------------------------------------------------------------------------

    @property
    def session_timeout(self) -> float:
        """Idle seconds."""
        return self._unit.sessions.timeout_s

    def set_session_timeout(self, seconds: float, cause: int) -> None:
        self._unit.sessions.timeout_s = seconds
        self.record(EventKind.SETTING, cause, what="session timeout", seconds=seconds)

    # -- the rack --------------------------------------------------------------------------------------------------------

    def after(self, seconds: float, do: Callable[[], None]) -> Timer:
        return self._rack.after(seconds, do)

    def draw(self, span: Span) -> float:
        return self._rack.draw(span)

    def date(self, instant: Instant) -> str:
        """A Redfish date and time, to the second."""
        return datetime.fromtimestamp(self._rack.epoch + instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def tell(self, what: str, cause: int | None, **data: str | int | None) -> int:
        return self.record(EventKind.NOTICE, cause, what=what, **data)

    def look_by_event(self, look: Look, cause: int | None) -> int:
        """A subscriber was told a power word. Nobody asked for it, so no gate counts it (a gate counts reads)."""
        return self.record(EventKind.LOOK, cause, system=look.system, view=look.view, word=look.word)

    def task_path(self, task: Task) -> str:
        kind = "JobService/Jobs" if self.profile.tasks.get("style", "none") == "jobs" else "TaskService/Tasks"
        return f"/redfish/v1/{kind}/{task.id}"

    def _task_changed(self, task: Task, what: str) -> None:
        seq = self.record(EventKind.TASK, task.cause, task=task.id, name=task.name, what=what, state=task.state)
        key = task.state if what == "ended" else what
        name = TASK_MESSAGES.get(key)
        if name is None:
            return
        known = EVENT_MESSAGES[TASK_EVENT][name]
        message = TaskMessage(
            id=f"{TASK_EVENT}.{name}", text=text_of(TASK_EVENT, name, task.id), args=(task.id,), severity=known.severity
        )
        if what != "removed":
            task.messages.append(message)
        self.events.emit(
            Happening(
                message_id=message.id,
                text=message.text or "",
                args=message.args,
                severity=known.severity,
                event_type="StatusChange",
                origin=self.task_path(task) if what != "removed" else None,
                kind="Job" if self.profile.tasks.get("style", "none") == "jobs" else "Task",
                cause=seq,
            )
        )

    def logged(self, entry: LogEntry) -> None:
        """Every entry of the log is an event too; a reset of the BMC ends what only its memory held."""
        manager = f"/redfish/v1/Managers/{self.profile.ids.manager}"
        self.events.emit(happening(entry, manager))
        if entry.kind in BOOTS:
            self.events.boot()
            self.tasks.forget()


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
