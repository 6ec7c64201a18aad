"""What a proxy makes of the traffic of its clients: cells, records without credentials, and limits."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from emulator.profile_tools.exchanges import MAX_SYSTEMS, STALE_S, Exchanges, RecordedExchange
from emulator.profile_tools.json_values import Json
from emulator.profile_tools.observed import ObservedReply, ObservedTask, ViewChange
from profiles.model import View

SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"
CANARY = "c4nary-secret"


def exchange(
    method: str, path: str, at_s: float, request: Json = None, answer: Json = None, status: int = 200, **more: str
) -> RecordedExchange:
    return RecordedExchange(
        client=1,
        method=method,
        path=path,
        started_s=at_s,
        ended_s=at_s,
        status=status,
        request_headers=more,
        request=json.dumps(request).encode() if request is not None else b"",
        answer=json.dumps(answer).encode() if answer is not None else b"",
    )


def system(state: str | None, path: str = SYSTEM) -> Json:
    return {"@odata.id": path, "PowerState": state, "Links": {"Chassis": [{"@odata.id": CHASSIS}]}}


def read(exchanges: Exchanges, at_s: float, state: str | None, path: str = SYSTEM) -> None:
    exchanges.take(exchange("GET", path, at_s, answer=system(state, path)))


def reset(exchanges: Exchanges, at_s: float, word: str, status: int = 204, answer: Json = None) -> None:
    target = f"{SYSTEM}/Actions/ComputerSystem.Reset"
    exchanges.take(exchange("POST", target, at_s, {"ResetType": word}, answer, status))


def test_a_command_whose_effect_was_read_becomes_a_cell() -> None:
    passed = Exchanges(b"seed")
    read(passed, 0, "On")
    passed.take(exchange("GET", CHASSIS, 1, answer={"@odata.id": f"{CHASSIS}/", "PowerState": "On"}))
    reset(passed, 10, "ForceOff")
    read(passed, 11, "Off")
    passed.take(exchange("GET", CHASSIS, 12, answer={"@odata.id": CHASSIS, "PowerState": "On"}))
    passed.take(exchange("GET", CHASSIS, 18, answer={"@odata.id": CHASSIS, "PowerState": "Off"}))
    (command,) = passed.finish()
    assert (command.cell, command.after, command.reply) == (("On", "ForceOff"), "Off", ObservedReply(status=204))
    assert command.changes == (ViewChange(1, View.SYSTEM, "Off"), ViewChange(8, View.CHASSIS, "Off"))
    assert command.views == {View.SYSTEM, View.CHASSIS}


@pytest.mark.parametrize("target", ["/redfish/v1/Computers/1/Actions/ComputerSystem.Reset", "/redfish/v1/Oem/Acme/Reset/"])
def test_systems_and_their_resets_may_be_anywhere(target: str) -> None:
    passed = Exchanges(b"seed")
    path = "/redfish/v1/Computers/1"

    def look(at_s: float, state: str) -> None:
        actions: Json = {"#ComputerSystem.Reset": {"target": target}}
        kind = "#ComputerSystem.v1_20_0.ComputerSystem"
        body: Json = {"@odata.id": path, "@odata.type": kind, "PowerState": state, "Actions": actions}
        passed.take(exchange("GET", path, at_s, answer=body))

    look(0, "On")
    passed.take(exchange("POST", target, 1, {"ResetType": "ForceOff"}, status=204))
    look(2, "Off")
    (command,) = passed.finish()
    assert (command.cell, command.after) == (("On", "ForceOff"), "Off")
    assert path in passed.resources


def test_a_refusal_has_its_message_and_changes_nothing() -> None:
    passed = Exchanges(b"seed")
    read(passed, 0, "Off")
    info: Json = {
        "MessageId": "IDRAC.2.8.PSU502",
        "Message": "already off",
        "MessageArgs": [],
        "Severity": "OK",
        "Resolution": "None",
    }
    reset(passed, 1, "ForceOff", 409, {"error": {"@Message.ExtendedInfo": [info]}})
    read(passed, 2, "Off")
    (command,) = passed.finish()
    assert command.reply is not None
    assert (command.reply.status, command.reply.message_id, command.changes) == (409, "IDRAC.2.8.PSU502", ())


def test_the_task_of_a_command_is_followed_through_the_reads_of_its_clients() -> None:
    passed = Exchanges(b"seed")
    task = "/redfish/v1/TaskService/Tasks/1"
    begun: Json = {"@odata.id": task, "TaskState": "New"}
    read(passed, 0, "Off")
    passed.take(
        replace(
            exchange("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", 1, {"ResetType": "ForceOff"}, begun, 202),
            headers={"location": "https://192.0.2.1/redfish/v1/TaskMonitors/1"},
        )
    )
    passed.take(exchange("GET", "/redfish/v1/TaskMonitors/1", 2, answer=begun, status=202))
    read(passed, 3, "Off")
    said: Json = [{"MessageId": "TaskEvent.1.0.TaskCancelled"}, {"MessageId": "Base.1.12.ActionNotSupported", "Message": "no"}]
    passed.take(exchange("GET", task, 4, answer={"@odata.id": task, "TaskState": "Cancelled", "Messages": said}))
    (command,) = passed.finish()
    assert command.reply is not None
    assert command.reply.task == ObservedTask(
        start="New",
        end="Cancelled",
        after_s=3,
        answer=ObservedReply(status=200, message_id="Base.1.12.ActionNotSupported", text="no"),
    )
    assert not command.reply.is_accepted


@pytest.mark.parametrize(
    ("status", "answer", "end"), [(204, None, "Completed"), (200, {}, "Completed"), (400, {}, "Exception"), (404, {}, None)]
)
def test_a_task_monitor_ends_with_the_answer_to_the_command(status: int, answer: Json, end: str | None) -> None:
    passed = Exchanges(b"seed")
    read(passed, 0, "On")
    target = f"{SYSTEM}/Actions/ComputerSystem.Reset"
    asked = exchange("POST", target, 1, {"ResetType": "ForceOff"}, status=202)
    passed.take(replace(asked, headers={"location": "/redfish/v1/TaskService/TaskMonitors/7"}))
    passed.take(exchange("GET", "/redfish/v1/TaskService/TaskMonitors/7", 3, answer=answer, status=status))
    read(passed, 4, "Off")
    (command,) = passed.finish()
    assert command.reply is not None
    assert command.reply.task is not None
    assert (command.reply.task.start, command.reply.task.end) == (None, end)


def test_the_next_command_ends_the_watch_of_the_one_before() -> None:
    passed = Exchanges(b"seed")
    read(passed, 0, "On")
    reset(passed, 1, "ForceOff")
    read(passed, 2, "Off")
    reset(passed, 3, "On")
    read(passed, 4, "On")
    assert [(each.cell, each.after) for each in passed.finish()] == [(("On", "ForceOff"), "Off"), (("Off", "On"), "On")]


def test_a_command_that_nobody_watched_is_no_cell_and_is_named() -> None:
    passed = Exchanges(b"seed")
    reset(passed, 1, "ForceOff")
    read(passed, 2, "On")
    reset(passed, 3, "ForceRestart")
    read(passed, 4 + STALE_S, "On")
    reset(passed, 5 + 3 * STALE_S, "Nmi")
    reset(passed, 6 + 3 * STALE_S, "Odd")
    assert [each.word for each in passed.finish()] == ["ForceRestart"]
    assert set(passed.skipped) == {"ForceOff", "Nmi", "Odd"}
    blind = Exchanges(b"seed")
    read(blind, 0, "On")
    reset(blind, 1, "ForceOff")
    assert (blind.finish(), blind.skipped) == ((), {"ForceOff": "nobody read the state of the system after it"})


def test_members_that_were_expanded_are_read_too() -> None:
    passed = Exchanges(b"seed")
    passed.take(exchange("GET", "/redfish/v1/Systems?$expand=.", 0, answer={"Members": [system("On")]}))
    reset(passed, 1, "ForceOff")
    passed.take(exchange("GET", "/redfish/v1/Systems?$expand=.", 2, answer={"Members": [system("Off")]}))
    assert [each.after for each in passed.finish()] == ["Off"]


def test_credentials_are_in_no_record() -> None:
    passed = Exchanges(b"seed")
    basic = "Basic " + base64.b64encode(f"root:{CANARY}".encode()).decode()
    tokens = {"x-auth-token": f"3-{CANARY}", "cookie": CANARY}
    lines = [
        passed.take(exchange("GET", SYSTEM, 0, answer={"said": f"hello {CANARY}"}, authorization=basic)),
        passed.take(exchange("POST", "/redfish/v1/SessionService/Sessions", 1, {"UserName": "root", "Password": f"2-{CANARY}"})),
        passed.take(replace(exchange("GET", f"/redfish/v1/x?p=2-{CANARY}", 2), request_headers=tokens)),
        passed.take(exchange("GET", "/x", 3, answer={"Token": f"4-{CANARY}", "Other": [f"3-{CANARY}", basic]})),
    ]
    assert CANARY not in "".join(lines)
    assert basic.split()[1] not in "".join(lines)
    assert json.loads(lines[1])["request"] == {"UserName": "root", "Password": "(removed)"}
    assert CANARY in passed.secrets


def test_credentials_in_odd_places_are_in_no_record() -> None:
    passed = Exchanges(b"seed")
    lines = [
        passed.take(exchange("GET", f"/redfish/v1/Sse?token=t-{CANARY}", 0, cookie=f"a=1; SESSION=c-{CANARY}")),
        passed.take(
            exchange(
                "GET", "/x", 1, answer={"Url": f"https://x/?a=c-{CANARY}", "B": base64.b64encode(f"t-{CANARY}".encode()).decode()}
            )
        ),
        passed.take(
            exchange(
                "POST", "/x", 2, {"Passwd": "p@ss w0rd", "Oem": {"Url": "https://h/?x=p%40ss%20w0rd", "Text": "(p@ss w0rd)"}}
            )
        ),
        passed.take(exchange("POST", "/x", 3, {"Password": "null", "Count": 12, "None": None})),
    ]
    told = "".join(lines)
    for secret in (CANARY, base64.b64encode(f"t-{CANARY}".encode()).decode(), "p@ss", "p%40ss"):
        assert secret not in told, secret
    assert json.loads(lines[3])["request"] == {"Password": "(removed)", "Count": 12, "None": None}


def test_what_names_a_machine_or_its_owner_is_in_no_record() -> None:
    passed = Exchanges(b"seed")
    early = passed.take(exchange("GET", "/redfish/v1/Chassis/SN4711X", 0, status=404))
    names = {"SerialNumber": "SN4711X", "MACAddress": "3c:ec:ef:12:34:56", "HostName": "prod-db-17", "Address": "203.0.113.7"}
    basic = "Basic " + base64.b64encode(b"jdoe:pw-4711").decode()
    late = passed.take(exchange("GET", SYSTEM, 1, answer={**names, "Message": "jdoe came from 203.0.113.7"}, authorization=basic))
    for private in (*names.values(), "jdoe", "pw-4711"):
        assert private not in passed.cleaned(early) + late, private
    assert json.loads(passed.cleaned(early))["path"] == f"/redfish/v1/Chassis/{json.loads(late)['answer']['SerialNumber']}"


def test_what_is_no_json_or_large_is_recorded_by_its_size() -> None:
    passed = Exchanges(b"seed")
    odd = RecordedExchange(client=1, method="GET", path="/x", started_s=0, ended_s=1, status=200, answer=b"\xff<html>")
    assert json.loads(passed.take(odd))["answer"] == {"bytes": 7}
    large = exchange("GET", "/x", 0, answer={"x": "y" * 100_000})
    assert json.loads(passed.take(large))["answer"] == {"bytes": 100_009}


def test_a_bmc_with_endless_systems_costs_no_endless_memory() -> None:
    passed = Exchanges(b"seed")
    for number in range(3 * MAX_SYSTEMS):
        read(passed, number, "On", f"/redfish/v1/Systems/{number}")
    assert len(passed.resources) == MAX_SYSTEMS
