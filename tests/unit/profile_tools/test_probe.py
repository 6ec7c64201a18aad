"""A probe of our own emulator on virtual time reproduces the power table that the emulator was given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import When
from emulator.core.vocab import ResetType
from emulator.faults.registry import make_fault
from emulator.profile_tools.json_values import JsonObject
from emulator.profile_tools.observed_profile import ObservedProfile, observed_yaml
from emulator.profile_tools.probe_plan import Cell, next_cell, switches
from emulator.profile_tools.probe_run import PowerProbe, ProbeStopped, ProbeTimes, find_machine
from emulator.profile_tools.walk import NoAnswer
from profiles import load
from profiles.model import Profile, View
from tests.ipmi_client import Client
from tests.virtual_bmc import PASSWORD, VirtualBmc, virtual_bmc

pytestmark = pytest.mark.long


UNSEEN = {"hpe-ilo5": {"On.GracefulRestart"}}
"""A restart that iLO calls graceful and does hard: no view of the power shows the difference."""
CONTROLS = {"down": 0, "up": 1, "cycle": 2, "reset": 3, "diag": 4, "soft": 5}
TIMES = ProbeTimes(interval_s=1.0, settle_s=25.0, patience_s=200.0, boot_s=30.0)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class VirtualRedfish:
    bmc: VirtualBmc
    posts: list[str] = field(default_factory=list)

    def get(self, path: str) -> Answer:
        answer = self._ask("GET", path)
        return self._ask("GET", answer.headers["location"]) if answer.status == 308 else answer

    def post(self, path: str, body: JsonObject) -> Answer:
        self.posts.append(str(body["ResetType"]))
        return self._ask("POST", path, body)

    def power(self) -> str:
        return str(json.loads(self.get(self.bmc.system).body)["PowerState"])

    def _ask(self, method: str, path: str, body: JsonObject | None = None) -> Answer:
        try:
            answer = self.bmc.ask(method, path, body, timeout=30.0)
        except OSError as error:
            raise NoAnswer(str(error)) from None
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)


class VirtualChassis:
    """IPMI over the virtual network, in one session."""

    def __init__(self, bmc: VirtualBmc) -> None:
        def send(datagram: bytes) -> list[bytes]:
            return [bmc.transport.datagram(datagram, 5.0)]

        user = bmc.emulator.endpoints["node1"].username
        self._client = Client(send, user=user, password=PASSWORD, suite=17).login()

    def power(self) -> str | None:
        code, data = self._ask(1)
        return None if code else "On" if data[0] & 1 else "Off"

    def control(self, word: str) -> int:
        return self._ask(2, bytes([CONTROLS[word]]))[0]

    def _ask(self, command: int, data: bytes = b"") -> tuple[int, bytes]:
        answer = self._client.command(0, command, data)
        assert answer is not None
        return answer


@dataclass
class Probed:
    profile: Profile
    redfish: VirtualRedfish
    said: list[str]
    text: str
    stopped: ProbeStopped | None
    commands: int
    state: str


def probed(
    source: Profile,
    parent: Profile,
    tmp_path: Path,
    *,
    name: str = "",
    ipmi: bool = True,
    arrange: Callable[[VirtualBmc], object] | None = None,
) -> Probed:
    with virtual_bmc(source, limit_s=1e6) as bmc:
        redfish, said = VirtualRedfish(bmc), list[str]()
        machine = find_machine(redfish, name or bmc.emulator.endpoints["node1"].systems[0].id)
        if arrange is not None:
            arrange(bmc)
        chassis = VirtualChassis(bmc) if ipmi else None
        probe = PowerProbe(redfish, chassis, bmc.clock, machine, said.append, TIMES)
        stopped = None
        try:
            probe.run()
        except ProbeStopped as error:
            stopped = error
        text = observed_yaml(
            ObservedProfile(
                id="probed",
                parent=parent,
                extends=parent.id,
                how="probe",
                machine="x",
                firmware="1",
                day="2026-11-28",
                commands=probe.commands,
            )
        )
        file = tmp_path / "probed.yaml"
        file.write_text(text)
        return Probed(load(file), redfish, said, text, stopped, len(probe.commands), redfish.power())


def cells(profile: Profile) -> dict[str, tuple[object, ...]]:
    """What a client sees of each cell: status, MessageId, the end of a task, and the words of each view in their order."""
    found: dict[str, tuple[object, ...]] = {}
    for state, row in profile.power.table.items():
        for word in profile.power.reset_types:
            outcome = profile.power.outcomes[row[word].outcome]
            reply = profile.replies[outcome.reply]
            message = profile.messages[reply.message].id if reply.message else None
            end = (reply.task["start"], reply.task["end"], reply.task.get("message")) if reply.task else None
            found[f"{state}.{word}"] = (reply.status, message, end, *shown(profile, outcome.effect, state))
    for state, commands in profile.ipmi.chassis.items():
        for word, cell in commands.items():
            found[f"ipmi.{state}.{word}"] = (cell.completion_code, *shown(profile, cell.effect, state))
    return found


def shown(profile: Profile, effect: str, state: str) -> tuple[object, ...]:
    said: dict[View, str | None] = dict.fromkeys(View, state)
    words: list[object] = []
    for step in profile.power.effects.get(effect, ()):
        changed = {view: word for view, word in step.says.items() if said[view] != word}
        said |= changed
        words.append((step.event, tuple(sorted(changed.items())))) if changed or step.event else None
    return tuple(words)


@pytest.mark.parametrize("name", ["dell-idrac9", "openbmc-x86", "dmtf-generic", "ami-megarac", "hpe-ilo5", "supermicro-x11"])
def test_a_probe_of_a_vendor_finds_the_table_of_its_profile(name: str, tmp_path: Path) -> None:
    source = load(name)
    found = probed(source, source, tmp_path)
    assert found.stopped is None
    learnt, given = cells(found.profile), cells(source)
    assert {cell for cell in given if learnt.get(cell) != given[cell]} == UNSEEN.get(name, set())
    tried = [cell for row in found.profile.power.table.values() for word, cell in row.items() if word in source.power.reset_types]
    assert all(cell.evidence.confidence == "captured" and cell.evidence.sources == ("probe",) for cell in tried)
    assert found.state == "On", "as it was found"


def test_what_the_parent_does_not_know_is_learnt(tmp_path: Path) -> None:
    source = load("openbmc-x86")
    found = probed(source, load("dmtf-generic"), tmp_path)
    force_off = found.profile.power.outcomes[found.profile.power.table["On"]["ForceOff"].outcome].effect
    steps = found.profile.power.effects[force_off]
    assert [dict(step.says) for step in steps] == [{View.SYSTEM: "Off"}, {View.CHASSIS: "Off", View.IPMI: "Off"}], "eager"
    assert [step.real for step in steps] == [None, "Off"], "the rail falls with the last view"
    assert 4 <= steps[1].at.low <= 16
    already = found.profile.power.outcomes[found.profile.power.table["Off"]["ForceOff"].outcome]
    assert (found.profile.replies[already.reply].status, already.effect) == (204, "none")


def test_a_machine_that_answers_otherwise_than_its_parent_gets_a_new_reply_and_message(tmp_path: Path) -> None:
    dell = load("dell-idrac9")
    replies = {**dell.replies, "psu502": replace(dell.replies["psu502"], status=400)}
    messages = {**dell.messages, "psu501": replace(dell.messages["psu501"], id="IDRAC.2.8.PSU504")}
    found = probed(replace(dell, replies=replies, messages=messages), dell, tmp_path, ipmi=False).profile
    off, on = found.power.table["Off"]["ForceOff"], found.power.table["On"]["On"]
    assert found.replies[found.power.outcomes[off.outcome].reply].status == 400
    message = found.replies[found.power.outcomes[on.outcome].reply].message
    assert message is not None
    assert found.messages[message].id == "IDRAC.2.8.PSU504"


def test_the_end_of_a_task_is_learnt_and_told(tmp_path: Path) -> None:
    """AMI answers everything with 202; whether a request was refused is known from the task."""
    found = probed(load("ami-megarac"), load("dmtf-generic"), tmp_path, ipmi=False)
    assert any(line.startswith("Off ForceOff: HTTP 202, task Cancelled after 2.0 s Base.1.12.Action") for line in found.said)
    refused = found.profile.power.outcomes[found.profile.power.table["Off"]["ForceOff"].outcome]
    task = found.profile.replies[refused.reply].task
    assert task is not None
    assert (task["start"], task["end"], refused.effect) == ("New", "Cancelled", "none")
    assert found.profile.messages[task["message"]].id == "Base.1.12.ActionNotSupported"
    done = found.profile.power.outcomes[found.profile.power.table["On"]["ForceOff"].outcome]
    assert found.profile.replies[done.reply].task is not None
    assert done.effect == "force_off"


def test_a_cell_that_was_seen_is_never_called_unknown(tmp_path: Path) -> None:
    found = probed(load("supermicro-x11"), load("supermicro-x11"), tmp_path, ipmi=False)
    assert "unknown" not in {
        cell.outcome for row in found.profile.power.table.values() for cell in row.values() if cell.evidence.sources == ("probe",)
    }


def test_a_redirect_is_a_surprise_and_no_answer_to_a_command() -> None:
    redfish = scripted(body, status=308)
    stopped, _ = run(redfish)
    assert str(stopped) == "On in state On was answered with HTTP 308"
    assert redfish.posts == 1


def test_a_task_that_never_ends_stops_the_probe() -> None:
    bodies: dict[str, JsonObject] = {
        "/redfish/v1/TaskService/Tasks/1": {"@odata.id": "/redfish/v1/TaskService/Tasks/1", "TaskState": "Running"}
    }
    plain = scripted(body)
    redfish = Scripted(
        lambda method, path: (
            (202, bodies["/redfish/v1/TaskService/Tasks/1"])
            if method == "POST"
            else (200, bodies[path])
            if path in bodies
            else plain.answer(method, path)
        )
    )
    stopped, _ = run(redfish)
    assert str(stopped) == "after 200 s the task at /redfish/v1/TaskService/Tasks/1 has not ended"


def test_each_cell_is_tried_once_and_the_machine_is_switched_seldom(tmp_path: Path) -> None:
    dell = load("dell-idrac9")
    found = probed(dell, dell, tmp_path, ipmi=False)
    cells_ = 2 * len(dell.power.reset_types)
    assert len(found.redfish.posts) <= cells_ + 1
    assert found.said[-1] == "the machine is On, as it was found"


def test_an_answer_of_500_ends_the_probe_and_the_machine_is_brought_back(tmp_path: Path) -> None:
    dell = load("dell-idrac9")

    def arrange(bmc: VirtualBmc) -> None:
        bmc.arm(Armed(fault=make_fault("redfish.reply", reply="busy"), when=When(reset=(ResetType.FORCE_RESTART,)), count=None))

    found = probed(dell, dell, tmp_path, ipmi=False, arrange=arrange)
    assert "ForceRestart in state On was answered with HTTP 500" in str(found.stopped)
    assert found.state == "On"
    assert "the machine is On, as it was found" in found.said[-1]


def test_another_name_sends_nothing() -> None:
    with virtual_bmc(load("dell-idrac9")) as bmc:
        redfish = VirtualRedfish(bmc)
        with pytest.raises(ProbeStopped, match=r"no system of this BMC is 'prod-db': it shows .*; nothing was sent"):
            find_machine(redfish, "prod-db")
        assert redfish.posts == []


@dataclass
class Scripted:
    """A BMC that answers from a function."""

    answer: Callable[[str, str], tuple[int, JsonObject]]
    posts: int = 0

    def get(self, path: str) -> Answer:
        status, body = self.answer("GET", path.rstrip("/"))
        return Answer(status, {}, json.dumps(body).encode())

    def post(self, path: str, body: JsonObject) -> Answer:
        self.posts += 1
        status, said = self.answer("POST", path)
        return Answer(status, {}, json.dumps(said).encode())


@dataclass
class Ticks:
    at: float = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def scripted(system: Callable[[], JsonObject], status: int = 204) -> Scripted:
    root: JsonObject = {"Systems": {"@odata.id": "/redfish/v1/Systems"}}
    members: JsonObject = {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]}
    bodies = {"/redfish/v1": lambda: root, "/redfish/v1/Systems": lambda: members, "/redfish/v1/Systems/1": system}
    return Scripted(lambda method, path: (status, {}) if method == "POST" else (200, bodies[path]()))


def body(state: str | None = "On", serial: str = "S1") -> JsonObject:
    action: JsonObject = {"ResetType@Redfish.AllowableValues": ["On", "ForceOff"]}
    return {"Id": "1", "SerialNumber": serial, "PowerState": state, "Actions": {"#ComputerSystem.Reset": action}}


def run(redfish: Scripted) -> tuple[ProbeStopped, list[str]]:
    said: list[str] = []
    probe = PowerProbe(redfish, None, Ticks(), find_machine(redfish, "1"), said.append, TIMES)
    with pytest.raises(ProbeStopped) as caught:
        probe.run()
    return caught.value, said


def test_another_identity_ends_the_probe_without_another_command() -> None:
    serials = iter(["S1", "S1", "S1"])
    redfish = scripted(lambda: body(serial=next(serials, "S2")))
    stopped, said = run(redfish)
    assert "another UUID or serial number" in str(stopped)
    assert redfish.posts <= 1
    assert said == [] or "as it was found" not in said[-1]


def test_a_state_that_stays_unclear_ends_the_probe() -> None:
    states = iter(["On", "On", "On"])
    stopped, said = run(scripted(lambda: body(state=next(states, "PoweringOff"))))
    assert "after 200 s it is still unclear where the machine is: system PoweringOff" in str(stopped)
    assert "could NOT be brought back to On" in said[-1]


def test_a_machine_that_nothing_switches_off_is_said() -> None:
    stopped, _ = run(scripted(body))
    assert str(stopped) == "nothing brings the machine to Off"


def test_a_machine_that_is_in_no_clear_state_is_left_alone() -> None:
    redfish = scripted(lambda: body(state=None))
    with pytest.raises(ProbeStopped, match="PowerState nothing, neither On nor Off; nothing was sent"):
        find_machine(redfish, "1")


def test_the_plan_keeps_the_state_as_long_as_it_can_and_crashes_the_system_late() -> None:
    words = ("ForceOff", "Nmi", "On", "GracefulShutdown", "Odd")
    left = frozenset(Cell("On", word) for word in words)
    order = []
    while (cell := next_cell("On", left)) is not None:
        order.append(cell.word)
        left -= {cell}
    assert order[0] == "On"
    assert order[-2:] == ["Nmi", "ForceOff"]
    assert next_cell("Off", frozenset({Cell("On", "On")})) is None


def test_what_has_been_seen_to_switch_is_used_first() -> None:
    offered = frozenset({Cell("Off", "On"), Cell("Off", "ForceOn"), Cell("Off", "PowerCycle"), Cell("On", "ForceOff")})
    assert [cell.word for cell in switches("On", offered, {})] == ["On", "ForceOn"]
    learnt = {Cell("Off", "On"): "Off", Cell("Off", "PowerCycle"): "On"}
    assert [cell.word for cell in switches("On", offered, learnt)] == ["PowerCycle", "ForceOn"]
