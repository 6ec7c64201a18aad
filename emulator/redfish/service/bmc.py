"""One BMC as its Redfish service sees it: the core's view, and the tasks, subscriptions, settings and certificate.

`service.app` makes one per BMC with its first request. All BMCs of a profile share one resource tree; everything that differs
from BMC to BMC is reached through this object. It is used in the emulator's thread only.
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
from emulator.redfish.events.event_messages import EVENT_MESSAGES, TASK_EVENT, log_event, text_of
from emulator.redfish.events.subscriptions import EventDelivery, RedfishEvent, Subscriptions
from emulator.redfish.power.taskbook import Task, TaskBook, TaskMessage, task_style
from emulator.redfish.service.paths import manager_path, system_path
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
"""TaskEvent message for each change of a task, and for each final state."""

BMC_STARTS: Final = frozenset({LogKind.BMC_RESET, LogKind.MAINS_LOST})


class RedfishBmc(BmcView):
    """`first_event` is the id of its first event: events from before its first request are counted too."""

    def __init__(self, rack: Rack, name: str, event_delivery: EventDelivery, keyring: Keyring, first_event: int = 1) -> None:
        super().__init__(rack, name)
        self.events = Subscriptions(self, event_delivery, first_event)
        self.tasks = TaskBook(self, _task_ids(self.profile), self._task_changed)
        self.keyring = keyring
        self.settings = SavedSettings()
        self._revisions: dict[str, int] = {}
        self._writes = 0
        self.session_service_enabled = True
        """SessionService.ServiceEnabled: whether a client may create a session."""

    # -- revisions -------------------------------------------------------------------------------------------------------

    def revision(self, path: str) -> int:
        """A number that each write to this path changes; 0: nobody has written.

        It is a part of the entity tag, so that the tag changes even if a client writes a secret, which no body shows.
        """
        return self._revisions.get(path, 0)

    def new_revision(self, path: str) -> None:
        """Gives the path a new revision. Numbers never repeat: a new resource at an old path does not get an old tag."""
        self._writes += 1
        self._revisions[path] = self._writes

    def drop_revision(self, path: str) -> None:
        self._revisions.pop(path, None)

    # -- settings --------------------------------------------------------------------------------------------------------

    @property
    def session_timeout(self) -> float:
        """Seconds without a request after which a session ends."""
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
        """A Redfish date and time in UTC, to the second."""
        return datetime.fromtimestamp(self._rack.epoch + instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def record_notice(self, what: str, cause: int | None, **data: str | int | None) -> int:
        return self.record(EventKind.NOTICE, cause, what=what, **data)

    def look_by_event(self, look: Look, cause: int | None) -> int:
        """Journals that an event told a subscriber a power word. No gate counts it, because gates count reads."""
        return self.record(EventKind.LOOK, cause, system=look.system, view=look.view, word=look.word)

    def task_path(self, task: Task) -> str:
        kind = "JobService/Jobs" if task_style(self.profile) == "jobs" else "TaskService/Tasks"
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
            RedfishEvent(
                message_id=message.id,
                text=message.text or "",
                args=message.args,
                severity=known.severity,
                event_type="StatusChange",
                origin=self.task_path(task) if what != "removed" else None,
                kind="Job" if task_style(self.profile) == "jobs" else "Task",
                cause=seq,
            )
        )

    def logged(self, entry: LogEntry) -> None:
        """Emits an event for a new log entry. After a reset of the BMC, streams, waiting deliveries and tasks are gone."""
        origin = manager_path(self.profile) if entry.system is None else system_path(self.profile, entry.system)
        self.events.emit(log_event(entry, origin))
        if entry.kind in BMC_STARTS:
            self.events.boot()
            self.tasks.forget()


def _task_ids(profile: Profile) -> Callable[[int], str]:
    """Makes task ids from numbers: "7", or as `tasks.id` of the profile says ("JID_{digits:12}" gives "JID_000000000007")."""
    template = str(profile.tasks.get("id") or "{n}")

    def name(number: int) -> str:
        head, brace, tail = template.partition("{")
        hole, _, rest = tail.partition("}")
        if not brace:
            return f"{template}{number}"
        width = int(hole.partition(":")[2] or 0)
        return f"{head}{number:0{width}d}{rest}" if width else f"{head}{number}{rest}"

    return name
