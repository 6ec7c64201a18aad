"""TaskService, or JobService if the profile calls tasks jobs; and the task monitors that a 202 names.

`service.tree` calls `tasks` when a tree is built. `service.service` calls `accept_as_task` when a reply of the profile is a task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from emulator.faults.protocol.task import TaskReply
from emulator.redfish.power.taskbook import STATUS_OF_END, Task, TaskMessage, task_style
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import JSON_TYPE, HeaderList, HttpAnswer, MessageReply, ProfileReply, RedfishCall
from emulator.redfish.service.error_shapes import ErrorShapes
from emulator.redfish.service.json_form import writer_of
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
)
from emulator.redfish.service.shapes import Json
from profiles.model import Profile, Span

TASK_SERVICE: Final = f"{ROOT}/TaskService"
TASKS: Final = f"{TASK_SERVICE}/Tasks"
JOB_SERVICE: Final = f"{ROOT}/JobService"
JOBS: Final = f"{JOB_SERVICE}/Jobs"
TASK_SERVICE_TYPE: Final = "#TaskService.v1_1_5.TaskService"
TASK_TYPE: Final = "#Task.v1_4_3.Task"
TASKS_TYPE: Final = "#TaskCollection.TaskCollection"
JOB_SERVICE_TYPE: Final = "#JobService.v1_0_4.JobService"
JOB_TYPE: Final = "#Job.v1_0_7.Job"
JOBS_TYPE: Final = "#JobCollection.JobCollection"
MONITORS: Final = f"{TASK_SERVICE}/TaskMonitors"
"""Where the monitors of tasks are that a fault has begun on a BMC which has no tasks by its profile."""
NEVER_S: Final = 1e7
"""After so many seconds a task ends that never ends."""
NAMES: Final[Mapping[str, str]] = {"ComputerSystem.Reset": "Computer Reset", "Manager.Reset": "Manager Reset"}
"""Name of the task of each action."""

JOB_STATE: Final[Mapping[str, str]] = {"Killed": "Exception"}
"""TaskStates for which JobState has another word."""


def has_jobs(profile: Profile) -> bool:
    return task_style(profile) == "jobs"


def task_types(profile: Profile) -> set[str]:
    """Schema types of resources that come and go, for $metadata."""
    return {"none": set(), "tasks": {TASK_TYPE}, "jobs": {JOB_TYPE}}[task_style(profile)]


def tasks(profile: Profile) -> tuple[Resource, ...]:
    if task_style(profile) == "none":
        return ()
    if has_jobs(profile):
        return _jobs()
    found = [_task_service(), _listing(TASKS, TASKS_TYPE, "Task Collection", _task)]
    folder = _monitor_folder(profile)
    if folder is not None and folder != TASKS:
        found.append(Resource(path=folder, member=_monitor))
    return tuple(found)


def _listing(path: str, odata_type: str, name: str, member: Callable[[RedfishBmc, str], Resource | None]) -> Resource:
    def ids_now(call: RedfishCall) -> tuple[str, ...]:
        return tuple(task.id for task in call.view.tasks)

    def body(view: RedfishBmc, ids: tuple[str, ...]) -> Json:
        return collection_body(path, odata_type, name, tuple(f"{path}/{task_id}" for task_id in ids))

    return Resource(path=path, type=odata_type, content=content_of(ids_now, body), member=member)


def _task_service() -> Resource:
    def body(view: RedfishBmc) -> Json:
        return head_of(TASK_SERVICE, TASK_SERVICE_TYPE, "TaskService", "Task Service") | {
            "ServiceEnabled": True,
            "Status": {"State": "Enabled", "Health": "OK"},
            "CompletedTaskOverWritePolicy": "Oldest",
            "LifeCycleEventOnTaskStateChange": True,
            "Tasks": link(TASKS),
        }

    return Resource(path=TASK_SERVICE, type=TASK_SERVICE_TYPE, content=fixed_content(body))


def _jobs() -> tuple[Resource, ...]:
    def body(view: RedfishBmc) -> Json:
        return head_of(JOB_SERVICE, JOB_SERVICE_TYPE, "JobService", "Job Service") | {
            "ServiceEnabled": True,
            "Status": {"State": "Enabled", "Health": "OK"},
            "ServiceCapabilities": {"MaxJobs": 100},
            "Jobs": link(JOBS),
        }

    service = Resource(path=JOB_SERVICE, type=JOB_SERVICE_TYPE, content=fixed_content(body))
    return (service, _listing(JOBS, JOBS_TYPE, "Job Collection", _job))


# -- one task -----------------------------------------------------------------------------------------------------------


def _task(view: RedfishBmc, task_id: str) -> Resource | None:
    task = view.tasks.get(task_id)
    if task is None:
        return None
    return Resource(
        path=f"{TASKS}/{task.id}",
        type=TASK_TYPE,
        content=fixed_content(lambda view: task_body(view, task)),
        operations={"DELETE": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _removes(task))},
        cached=False,
    )


def _removes(task: Task) -> Callable[[RedfishCall], HttpAnswer]:
    def remove(call: RedfishCall) -> HttpAnswer:
        call.view.tasks.remove(task)
        return HttpAnswer(204)

    return remove


def task_body(view: RedfishBmc, task: Task) -> Json:
    body = head_of(f"{TASKS}/{task.id}", TASK_TYPE, task.id, task.name) | {
        "TaskState": task.state,
        "TaskStatus": STATUS_OF_END.get(task.state, "OK"),
        "PercentComplete": _percent(task),
        "StartTime": view.date(task.begun),
        "Messages": [_message(message) for message in task.messages],
    }
    monitor = monitor_path(view.profile, task)
    if monitor is not None and task.running:
        body["TaskMonitor"] = monitor
    if task.ended is not None:
        body["EndTime"] = view.date(task.ended)
    return body


def _percent(task: Task) -> int:
    return 100 if task.state == "Completed" else 50 if task.state == "Running" else 0


def _message(message: TaskMessage) -> Json:
    properties: Json = {"@odata.type": "#Message.v1_1_1.Message", "MessageId": message.id}
    if message.text is not None:
        properties["Message"] = message.text
    properties |= {"MessageArgs": list(message.args), "MessageSeverity": message.severity}
    if message.resolution is not None:
        properties["Resolution"] = message.resolution
    return properties


def _job(view: RedfishBmc, job_id: str) -> Resource | None:
    task = view.tasks.get(job_id)
    if task is None:
        return None

    def body(view: RedfishBmc) -> Json:
        job = head_of(f"{JOBS}/{task.id}", JOB_TYPE, task.id, task.name) | {
            "JobState": JOB_STATE.get(task.state, task.state),
            "JobStatus": STATUS_OF_END.get(task.state, "OK"),
            "PercentComplete": _percent(task),
            "StartTime": view.date(task.begun),
            "Messages": [_message(message) for message in task.messages],
        }
        return job if task.ended is None else job | {"EndTime": view.date(task.ended)}

    operations = {"DELETE": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _removes(task))}
    return Resource(path=f"{JOBS}/{task.id}", type=JOB_TYPE, content=fixed_content(body), operations=operations, cached=False)


# -- monitors and the 202 -----------------------------------------------------------------------------------------------


def monitor_path(profile: Profile, task: Task) -> str | None:
    template = profile.tasks.get("monitor") if task_style(profile) != "none" else f"{MONITORS}/{{n}}"
    return None if template is None else str(template).replace("{n}", str(task.number)).replace("{id}", task.id)


def _monitor_folder(profile: Profile) -> str | None:
    template = profile.tasks.get("monitor")
    return None if template is None else str(template).rpartition("/")[0]


def _monitor(view: RedfishBmc, name: str) -> Resource | None:
    task = view.tasks.by_number(name) or view.tasks.get(name)
    if task is None or task.end_reported:
        return None

    def read(call: RedfishCall) -> HttpAnswer | MessageReply:
        if task.running:
            return _accepted(call.view, task)
        task.end_reported = call.incoming.method == "GET"
        if task.end_reported and call.view.profile.tasks.get("deleted_by_monitor"):
            call.view.tasks.remove(task)
        if task.result is None and task.state == "Completed":
            return HttpAnswer(204)
        return _result_of(task)

    operations = {"DELETE": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _removes(task))}
    path = monitor_path(view.profile, task) or ""
    return Resource(path=path, read=read, operations=operations, cached=False)


def _result_of(task: Task) -> MessageReply:
    message = task.result or task.messages[-1]
    status = {"Completed": 200, "Cancelled": 400}.get(task.state, 500)
    return MessageReply(status, message.id, message.text, message.args, message.severity, message.resolution)


def _accepted(view: RedfishBmc, task: Task, more: HeaderList = ()) -> HttpAnswer:
    profile = view.profile
    if has_jobs(profile):
        return HttpAnswer(202, (*more, ("Location", f"{JOBS}/{task.id}")))
    where = monitor_path(profile, task) or f"{TASKS}/{task.id}"
    headers = [("Content-Type", JSON_TYPE), ("Location", where), *more]
    if "retry_after_s" in profile.tasks:
        headers.append(("Retry-After", str(profile.tasks["retry_after_s"])))
    return HttpAnswer(202, tuple(headers), writer_of(profile.http)(task_body(view, task)))


def accept_as_task(call: RedfishCall, reply: ProfileReply, rule: Mapping[str, object], shapes: ErrorShapes) -> HttpAnswer:
    """Answers 202 and starts a task as `rule` (`replies.<key>.task` of the profile) says. Timers of the rack end it."""
    span = rule["after_s"]
    assert isinstance(span, Span)
    key = rule.get("message")
    result = None
    if key is not None:
        message = shapes.message(str(key), reply.values)
        result = TaskMessage(
            id=message.id,
            text=message.text,
            args=message.args,
            severity=_severity(message.severity),
            resolution=message.resolution,
        )
    action = call.incoming.path.rstrip("/").rpartition("/")[2]
    task = call.view.tasks.begin(
        NAMES.get(action, action),
        cause=call.seq,
        state=str(rule["start"]),
        end=str(rule["end"]),
        after_s=call.view.draw(span),
        result=result,
    )
    return shapes.finished(_accepted(call.view, task, reply.headers))


def accept_as_fault_says(call: RedfishCall, fault: TaskReply, shapes: ErrorShapes) -> HttpAnswer:
    """Answers 202 with the task of an armed fault, which the task resources of this module show on every profile."""
    result = None
    if fault.end not in ("Completed", "never"):
        message = shapes.base_message("InternalError", ())
        result = TaskMessage(id=message.id, text=message.text, severity="Critical", resolution=message.resolution)
    task = call.view.tasks.begin(
        NAMES["ComputerSystem.Reset"],
        cause=call.seq,
        state="Running",
        end="Completed" if fault.end == "never" else fault.end,
        after_s=NEVER_S if fault.end == "never" else fault.after_s,
        result=result,
    )
    answer = shapes.finished(_accepted(call.view, task))
    if fault.monitor == "404":
        call.view.tasks.remove(task)
    if fault.monitor == "none":
        answer = replace(answer, headers=tuple(h for h in answer.headers if h[0] != "Location"), body=b"")
    return answer


def unlisted_task(view: RedfishBmc, path: str) -> Resource | None:
    """A task of a fault, or its monitor, on a BMC that has no tasks by its profile; None at every other path."""
    folder, _, name = path.rpartition("/")
    if task_style(view.profile) != "none":
        return None
    return _monitor(view, name) if folder == MONITORS else _task(view, name) if folder == TASKS else None


def _severity(word: str | None) -> str:
    return word if word in ("OK", "Warning", "Critical") else "OK"
