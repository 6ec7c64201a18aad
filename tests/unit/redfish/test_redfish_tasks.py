"""Answers that are tasks: 202, the monitor, what a task ends in, and what is left of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.errors import RackMisconfigured
from profiles.model import MessageTemplate, Span

TASKS = "/redfish/v1/TaskService/Tasks"
MONITOR = "/redfish/v1/TaskService/TaskMonitors/1"
REFUSED = MessageTemplate(id="Base.1.22.OperationFailed", text="The host is off already.", severity="Warning", resolution="None.")


def with_task(profile, end, message=None, after_s=4.0, **tasks):
    """A profile that answers an accepted reset with a task."""
    task = {"start": "New", "end": end, "after_s": Span(after_s, after_s)} | ({"message": message} if message else {})
    replies = {**profile.replies, "accepted": replace(profile.replies["accepted"], status=202, task=task)}
    messages = {**profile.messages, "refused": REFUSED}
    return replace(profile, replies=replies, messages=messages, tasks={**profile.tasks, **tasks})


@pytest.fixture
def promising(generic, make_bmc):
    def make(*args, **more):
        return make_bmc(with_task(generic.profile, *args, **more))

    return make


def test_a_202_says_where_to_look_and_when(promising):
    bmc = promising("Completed")
    answer = bmc.reset("ForceOff")
    assert (answer.status_code, answer.headers["Location"], answer.headers["Retry-After"]) == (202, MONITOR, "5")
    assert answer.json["@odata.id"] == f"{TASKS}/1"
    assert (answer.json["TaskState"], answer.json["TaskMonitor"]) == ("New", MONITOR)
    assert answer.json["Messages"][0]["MessageId"] == "TaskEvent.1.0.TaskStarted"


def test_the_monitor_is_202_while_it_runs_then_tells_the_end_once(promising):
    bmc = promising("Completed")
    bmc.reset("ForceOff")
    assert bmc.get(MONITOR).status_code == 202
    bmc.clock.advance(3)
    running = bmc.get(MONITOR)
    assert (running.status_code, running.json["TaskState"], running.json["PercentComplete"]) == (202, "Running", 50)
    bmc.clock.advance(1)
    assert bmc.ask("HEAD", MONITOR).status_code == 204
    assert bmc.get(MONITOR).status_code == 204
    assert bmc.get(MONITOR).status_code == 404
    done = bmc.get(f"{TASKS}/1").json
    assert (done["TaskState"], done["TaskStatus"], done["PercentComplete"]) == ("Completed", "OK", 100)
    assert done["EndTime"] > done["StartTime"]
    assert "TaskMonitor" not in done


@pytest.mark.parametrize(
    ("end", "status", "health"), [("Cancelled", 400, "Warning"), ("Exception", 500, "Critical"), ("Completed", 200, "OK")]
)
def test_a_task_may_refuse_what_the_202_took(promising, message, end, status, health):
    """AMI's way: accepted, and refused in the task."""
    bmc = promising(end, message="refused")
    bmc.reset("ForceOff")
    bmc.clock.advance(4)
    told = bmc.get(MONITOR)
    assert (told.status_code, message(told)[0]) == (status, "OperationFailed")
    task = bmc.get(f"{TASKS}/1").json
    assert (task["TaskState"], task["TaskStatus"]) == (end, health)
    assert REFUSED.text in [entry["Message"] for entry in task["Messages"]]


def test_a_vendor_may_delete_a_task_with_the_last_look_at_its_monitor(promising):
    bmc = promising("Completed", deleted_by_monitor=True)
    bmc.reset("ForceOff")
    bmc.clock.advance(4)
    assert bmc.get(MONITOR).status_code == 204
    assert bmc.get(TASKS).json["Members"] == []
    assert bmc.get(f"{TASKS}/1").status_code == 404


def test_a_running_task_can_be_deleted(promising):
    bmc = promising("Completed")
    bmc.reset("ForceOff")
    assert bmc.ask("DELETE", f"{TASKS}/1").status_code == 204
    bmc.clock.advance(10)
    assert bmc.get(MONITOR).status_code == 404
    assert [event["state"] for event in bmc.events("task")] == ["New", "Cancelled", "Cancelled"]


def test_a_task_says_nothing_about_the_host(promising):
    """The effect is the power table's, whatever the task ends in."""
    bmc = promising("Cancelled", message="refused", after_s=60.0)
    bmc.reset("ForceOff")
    bmc.clock.advance(2)
    assert bmc.power() == "Off"


def test_tasks_are_in_the_journal(promising):
    bmc = promising("Completed")
    bmc.reset("ForceOff")
    bmc.clock.advance(4)
    bmc.get(bmc.system)
    assert [(event["what"], event["state"]) for event in bmc.events("task")] == [
        ("started", "New"),
        ("running", "Running"),
        ("ended", "Completed"),
    ]


def test_jobs_have_dells_shape(make_bmc):
    idrac = make_bmc("dell-idrac9").profile
    bmc = make_bmc(with_task(idrac, "Completed"))
    answer = bmc.reset("ForceOff")
    job = "/redfish/v1/JobService/Jobs/JID_000000000001"
    assert (answer.status_code, answer.headers["Location"], answer.data) == (202, job, b"")
    assert bmc.get("/redfish/v1/JobService/Jobs").json["Members"] == [{"@odata.id": job}]
    bmc.clock.advance(4)
    assert bmc.get(job).json["JobState"] == "Completed"
    assert bmc.get("/redfish/v1/TaskService").status_code == 404
    assert bmc.get("/redfish/v1/").json["JobService"] == {"@odata.id": "/redfish/v1/JobService"}


def test_a_bmc_remembers_so_many_tasks_and_never_drops_one_that_runs(promising):
    bmc = promising("Completed", after_s=1000.0)
    for _ in range(150):
        bmc.reset("Nmi")
    assert bmc.get(TASKS).json["Members@odata.count"] == 150
    bmc.clock.advance(1000)
    bmc.reset("Nmi")
    assert bmc.get(TASKS).json["Members@odata.count"] == 100


def test_a_reset_of_the_bmc_forgets_its_tasks(promising):
    bmc = promising("Completed", after_s=1000.0)
    bmc.reset("ForceOff")
    bmc.rack.life.reset(bmc.rack.unit("n1"), "ForceRestart", None)
    bmc.clock.advance(100)
    assert bmc.get(TASKS).json["Members"] == []


@pytest.mark.parametrize(
    ("change", "part"),
    [({"tasks": {"style": "none"}}, "style"), ({"end": "Maybe"}, "Maybe"), ({"message": "nobody"}, "nobody")],
)
def test_a_profile_with_an_impossible_task_is_refused_at_once(generic, make_bmc, change, part):
    profile = with_task(generic.profile, change.get("end", "Completed"), change.get("message"))
    with pytest.raises(RackMisconfigured, match=part):
        make_bmc(replace(profile, tasks=change.get("tasks", profile.tasks)))


def test_a_vendor_without_tasks_has_no_service_for_them(generic, make_bmc):
    bmc = make_bmc(replace(generic.profile, tasks={"style": "none"}))
    assert bmc.get("/redfish/v1/TaskService").status_code == 404
    assert "Tasks" not in bmc.get("/redfish/v1/").json
