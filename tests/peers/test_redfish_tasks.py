"""Answers that are tasks, as sushy and DMTF's tools take them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sushy
from sushy.taskmonitor import TaskMonitor

from tests.peers.redfish.clients import curl, over_sushy, tacklebox, until
from tests.peers.redfish.promising import promising
from tests.peers.redfish.served import Served

pytestmark = pytest.mark.timeout(300)

PATIENCE = 60
LOOKS = 400
Serve = Callable[..., Served]


def asked(root: sushy.Sushy, service: Served) -> TaskMonitor:
    """sushy's monitor of a ForceOff."""
    target = f"{service.system}/Actions/ComputerSystem.Reset"
    answer = root._conn.post(target, data={"ResetType": "ForceOff"})
    assert answer.status_code == 202
    return root.get_task_monitor(answer.headers["Location"])


def test_sushy_follows_a_monitor_until_the_task_has_ended(serve: Serve, tmp_path: Path) -> None:
    service = serve(promising(tmp_path))
    with over_sushy(service) as root:
        monitor = asked(root, service)
        assert (monitor.is_processing, monitor.task.task_state) == (True, sushy.TaskState.NEW)
        monitor.wait(PATIENCE)
        assert (monitor.is_processing, monitor.response.status_code) == (False, 200)
        service_of_tasks = root.get_task_service()
        assert service_of_tasks.tasks.summary == {"1": sushy.TaskState.COMPLETED}
        (task,) = service_of_tasks.tasks.get_members()
        assert (task.task_status, task.percent_complete) == (sushy.Health.OK, 100)
        assert "It is done." in [message.message for message in task.messages]
    until(service, "Off")
    assert [event["what"] for event in service.events() if event["kind"] == "task"] == ["started", "running", "ended"]


def test_sushy_hears_that_a_task_came_to_nothing(serve: Serve, tmp_path: Path) -> None:
    """Accepted, and refused in the task: whoever only looks at the 202 believes that it was done."""
    service = serve(promising(tmp_path, end="Cancelled", after_s=1))
    with over_sushy(service) as root:
        monitor = asked(root, service)
        with pytest.raises(sushy.exceptions.BadRequestError, match="The host did not do it"):
            monitor.wait(PATIENCE)
        assert root.get_task_service().tasks.summary == {"1": sushy.TaskState.CANCELLED}


def test_a_blocking_call_of_sushy_ends_with_its_first_look_at_the_task(serve: Serve, tmp_path: Path) -> None:
    """It takes the Task in the body of the 202 for the monitor, and a Task is readable (200) at once: it waits for nothing."""
    service = serve(promising(tmp_path))
    with over_sushy(service) as root:
        target = f"{service.system}/Actions/ComputerSystem.Reset"
        answer = root._conn.post(target, data={"ResetType": "ForceOff"}, blocking=True, timeout=PATIENCE)
        assert answer.json()["@odata.type"].startswith("#Task.")


def test_a_job_of_dell_is_read_where_the_answer_points(serve: Serve, tmp_path: Path) -> None:
    service = serve(promising(tmp_path, extends="dell-idrac9", after_s=1))
    with over_sushy(service) as root:
        monitor = asked(root, service)
        assert "/JobService/Jobs/JID_" in monitor.task_monitor_uri
        assert not monitor.is_processing, "a job is a resource, not a monitor: 200 while it runs"
    for _ in range(LOOKS):
        job = json.loads(curl(service, "GET", monitor.task_monitor_uri)[1].out)
        if job["JobState"] == "Completed":
            break
    assert (job["JobState"], job["JobStatus"], job["PercentComplete"]) == ("Completed", "OK", 100)


@pytest.mark.parametrize(("end", "code"), [("Completed", 0), ("Cancelled", 1)])
def test_rf_power_reset_waits_for_the_task(serve: Serve, tmp_path: Path, end: str, code: int) -> None:
    service = serve(promising(tmp_path, end=end, after_s=1))
    done = tacklebox(service, "rf_power_reset", "--type", "ForceOff")
    assert done.code == code, done.out
    assert [event["state"] for event in service.events() if event["kind"] == "task"][-1] == end
