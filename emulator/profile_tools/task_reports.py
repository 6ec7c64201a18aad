"""What a task says of the command that began it: which paths tell it, whether it has ended, and how. Pure.

`probe_run` asks for these paths itself, `exchanges` sees the answers that clients get. A task monitor answers 202 while the task
runs, and with the answer to the command afterwards (DSP0266, asynchronous operations); a Task has a TaskState, a job a JobState.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from emulator.profile_tools.json_values import Json, JsonObject, objects_at, text_at
from emulator.profile_tools.observed import ObservedReply, ObservedTask, reply_of
from emulator.profile_tools.resource_tree import ROOT, service_path

ENDS: Final[Mapping[str, str]] = {
    "Completed": "Completed",
    "CompletedWithErrors": "Exception",
    "Failed": "Exception",
    "Exception": "Exception",
    "Killed": "Killed",
    "Cancelled": "Cancelled",
}
"""TaskStates and JobStates that are an end, and how a profile calls them."""
STARTS: Final = ("New", "Pending", "Starting", "Running")
_OF_THE_SERVICE: Final = "TaskEvent."
"""Messages of this registry say that a task has begun or ended, and not what became of the command."""


@dataclass(frozen=True, slots=True)
class FollowedTask:
    """The task of an answer 202. `resource` shows its state, `monitor` the answer to the command; one of them may be missing."""

    resource: str | None
    monitor: str | None
    task: ObservedTask

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path in (self.resource, self.monitor) if path is not None)


def task_of(status: int, headers: Mapping[str, str], body: Json) -> FollowedTask | None:
    """The task that an answer promises; None for an answer that is not 202 or names no path below the service root."""
    if status != 202:
        return None
    state = _state(body)
    resource = _own(text_at(body, "@odata.id")) if state is not None else None
    monitor = _own(headers.get("location")) or _own(text_at(body, "TaskMonitor"))
    if resource is None and monitor is None:
        return None
    return FollowedTask(resource, monitor if monitor != resource else None, ObservedTask(start=_start(state)))


def followed(task: FollowedTask, path: str, status: int, body: Json, at_s: float) -> FollowedTask:
    """The task after an answer for one of its paths, `at_s` seconds after the command."""
    known, state = task.task, _state(body)
    if path == task.monitor and status == 202:
        start = known.start if known.start is not None else _start(state)
        return replace(task, resource=task.resource or _resource(body), task=replace(known, start=start))
    if state is not None and status == 200:
        return _with_state(task, state, body, at_s)
    if path != task.monitor or status in (404, 410) or status >= 500:
        return task
    end = known.end or ("Completed" if status < 400 else "Exception")
    said = _telling(reply_of(status, body)) or known.answer
    return replace(task, task=replace(known, end=end, after_s=known.after_s if known.end else at_s, answer=said))


def is_told(task: FollowedTask) -> bool:
    """Whether nothing is left to ask: the end is known, and so is what was said of it, if anything was."""
    return task.task.end is not None and (task.task.answer is not None or task.task.end == "Completed" or task.monitor is None)


def _with_state(task: FollowedTask, state: str, body: Json, at_s: float) -> FollowedTask:
    known = task.task
    if state not in ENDS:
        return replace(task, task=replace(known, start=known.start or _start(state)))
    messages = [said for each in objects_at(body, "Messages") if (said := _telling(_said(each))) is not None]
    answer = messages[-1] if messages else known.answer
    return replace(
        task, task=replace(known, end=ENDS[state], after_s=known.after_s if known.end else at_s, answer=answer)
    )  # fmt: skip


def _state(body: Json) -> str | None:
    return text_at(body, "TaskState") or text_at(body, "JobState")


def _start(state: str | None) -> str | None:
    return state if state in STARTS else None


def _resource(body: Json) -> str | None:
    return _own(text_at(body, "@odata.id")) if _state(body) is not None else None


def _said(message: JsonObject) -> ObservedReply:
    return reply_of(200, {"@Message.ExtendedInfo": [message]})


def _telling(reply: ObservedReply) -> ObservedReply | None:
    return reply if reply.message_id is not None and not reply.message_id.startswith(_OF_THE_SERVICE) else None


def _own(uri: str | None) -> str | None:
    """The path of a reference at this BMC; None for what is not below the service root. Nobody else is ever asked."""
    path = service_path(uri or "")
    return path if path is not None and path.startswith(f"{ROOT}/") else None
