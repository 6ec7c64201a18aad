"""Faults that look at a request before they answer it, tasks, handshakes that end early; every test has its twin without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator import Emulator, EventKind, UnitSpec, arming_from_mapping
from profiles import load
from tests.fault_bench import FaultBench, fault_bench

COMMAND = {"intent": "power-command"}
GOOD = {"Accept": "application/json", "OData-Version": "4.0"}
RESET = "Actions/ComputerSystem.Reset"


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


@pytest.fixture
def bench(shared: FaultBench) -> FaultBench:
    """Nothing is armed, the host is on, and no command moves it."""
    for status in shared.emulator.faults():
        shared.emulator.disarm(status.id)
    assert shared.power() == "On"
    shared.arm("power.ignore", must_fire=False)
    return shared


def reset(bench: FaultBench, path: str = "", **headers: str) -> requests.Response:
    return bench.ask("POST", path or f"{bench.system}/{RESET}", json={"ResetType": "ForceOff"}, headers=headers)


# -- headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (GOOD, 200),
        ({**GOOD, "Accept": "text/html, */*;q=0.1"}, 200),
        ({**GOOD, "Accept": "text/html"}, 406),
        ({**GOOD, "Accept": None}, 406),
        ({"Accept": "application/json"}, 406),
        ({**GOOD, "OData-Version": "3.0"}, 406),
    ],
)
def test_reads_need_the_headers_of_redfish(bench: FaultBench, headers: dict[str, str], status: int) -> None:
    assert bench.ask(headers={**headers, "OData-Version": "4.0"}).status_code in (200, 406)
    with bench.armed("redfish.strict-headers") as fault_id:
        assert bench.ask(headers=headers).status_code == status
        assert bench.fired(fault_id) == 1
    assert bench.ask(headers={"Accept": "application/json"}).status_code == 200


def test_a_body_needs_its_content_type(bench: FaultBench) -> None:
    with bench.armed("redfish.strict-headers"):
        assert reset(bench, **GOOD).status_code == 204
        assert reset(bench, **GOOD, **{"Content-Type": "text/json"}).status_code == 415
    assert reset(bench, **{"Content-Type": "text/json"}).status_code == 204


@pytest.mark.parametrize("missing", [412, 428])
def test_a_command_needs_the_current_entity_tag_of_its_system(bench: FaultBench, missing: int) -> None:
    etag = bench.ask().headers["ETag"]
    with bench.armed("redfish.if-match", when=COMMAND, params={"wants": "current", "missing": missing}):
        assert reset(bench).status_code == missing
        assert reset(bench, **{"If-Match": '"old"'}).status_code == 412
        assert reset(bench, **{"If-Match": f'"old", {etag}'}).status_code == 204
        assert reset(bench, **{"If-Match": "*"}).status_code == 204
        assert bench.ask().status_code == 200
    assert reset(bench).status_code == 204


def test_a_command_must_come_without_an_entity_tag(bench: FaultBench) -> None:
    with bench.armed("redfish.if-match", when=COMMAND, params={"wants": "absent"}):
        assert reset(bench, **{"If-Match": "*"}).status_code == 412
        assert reset(bench).status_code == 204
    assert reset(bench, **{"If-Match": "*"}).status_code == 204


def test_a_profile_with_a_rule_of_its_own_for_if_match_is_overruled(tasked: FaultBench) -> None:
    etag = tasked.ask().headers["ETag"]
    with tasked.armed("redfish.if-match", when=COMMAND, params={"wants": "current"}):
        assert reset(tasked, **{"If-Match": etag}).status_code == 204


# -- redirects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_path_without_trailing_slash_is_redirected_to_the_one_with_it(bench: FaultBench, status: int) -> None:
    with bench.armed("redfish.trailing-slash", params={"status": status}):
        answer = bench.ask(path="/redfish/v1/Systems?$select=Members")
        assert (answer.status_code, answer.headers["Location"]) == (status, "/redfish/v1/Systems/?$select=Members")
        assert bench.ask(path=f"{bench.system}/").json()["PowerState"] == "On"
        assert reset(bench).headers["Location"] == f"{bench.system}/{RESET}/"
        assert reset(bench, f"{bench.system}/{RESET}/").status_code == 204
    assert bench.ask().status_code == 200


# -- tasks -------------------------------------------------------------------------------------------------------------


PROFILES = ("dmtf-generic", "dell-idrac9", "openbmc-x86")


@pytest.fixture(scope="module", params=PROFILES)
def tasked(request: pytest.FixtureRequest) -> Iterator[FaultBench]:
    """Profiles with tasks, with jobs, and a child of one of them."""
    with Emulator([UnitSpec(name="node1", profile=load(request.param))], latency=False) as emulator:
        made = FaultBench(emulator)
        made.arm("power.ignore", must_fire=False)
        yield made


def state_of(answer: requests.Response) -> object:
    """What a monitor, a Task or a Job says; None where it says nothing."""
    told = answer.json() if answer.content else {}
    return told.get("TaskState", told.get("JobState"))


@pytest.mark.parametrize("end", ["Completed", "Exception"])
def test_a_command_that_is_answered_with_a_task(tasked: FaultBench, end: str) -> None:
    with tasked.armed("redfish.task", when=COMMAND, params={"end": end, "after_s": 0}):
        answer = reset(tasked)
        assert answer.status_code == 202
        assert tasked.ask().json()["PowerState"] == "On"
    told = tasked.ask(path=answer.headers["Location"])
    assert state_of(told) == end or told.status_code == {"Completed": 204, "Exception": 500}[end]
    assert "Location" not in reset(tasked).headers


def test_a_task_that_never_ends(tasked: FaultBench) -> None:
    with tasked.armed("redfish.task", when=COMMAND, params={"end": "never"}):
        told = tasked.ask(path=reset(tasked).headers["Location"])
        assert state_of(told) == "Running"


def test_a_task_of_which_there_is_nothing_to_see(tasked: FaultBench) -> None:
    with tasked.armed("redfish.task", when=COMMAND, params={"monitor": "404"}):
        assert tasked.ask(path=reset(tasked).headers["Location"]).status_code == 404
    with tasked.armed("redfish.task", when=COMMAND, params={"monitor": "none"}):
        answer = reset(tasked)
        assert (answer.status_code, "Location" in answer.headers, answer.content) == (202, False, b"")


def test_whether_the_command_of_a_task_is_executed(tasked: FaultBench) -> None:
    def commands() -> int:
        return len(tasked.events(EventKind.COMMAND))

    before = commands()
    with tasked.armed("redfish.task", when=COMMAND, params={"executed": False}):
        reset(tasked)
    assert commands() == before
    with tasked.armed("redfish.task", when=COMMAND):
        reset(tasked)
    assert commands() == before + 1


# -- connections -------------------------------------------------------------------------------------------------------


def test_a_handshake_that_ends_in_an_end_of_file(bench: FaultBench) -> None:
    with bench.armed("tls.eof", count=1):
        with pytest.raises(requests.exceptions.SSLError, match=r"(?i)eof"):
            bench.ask()
        assert bench.ask().status_code == 200


def test_a_client_that_leaves_while_an_answer_drips_troubles_nobody(bench: FaultBench, capfd: pytest.CaptureFixture[str]) -> None:
    with bench.armed("wire.drip", params={"size": 50, "every": 0.01}) as fault_id:
        sock = bench.tls()
        sock.sendall(b"GET /redfish/v1/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(1) == b"H"
        sock.close()
        assert bench.ask(path="/redfish/v1/").status_code == 200  # drips as long as the other one would have done
        assert bench.fired(fault_id) == 2
    assert "failed" not in "".join(capfd.readouterr())


def test_faults_behind_a_request_act_on_later_ones(bench: FaultBench) -> None:
    fault = arming_from_mapping({"type": "wire.reset", "after": COMMAND, "count": 2, "params": {"executed": False}})
    fault_id = bench.emulator.arm("node1", fault)
    assert bench.ask().status_code == 200
    assert reset(bench).status_code == 204
    for _ in range(2):
        with pytest.raises(requests.exceptions.ConnectionError):
            bench.ask()
    assert bench.ask().status_code == 200
    assert bench.fired(fault_id) == 2
