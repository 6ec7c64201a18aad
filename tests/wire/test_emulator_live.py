"""What changes while an emulator runs: BMCs that come and go, a profile's own faults, a vendor's latency."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
import requests

from emulator import Emulator, EventKind, Fleet, RackMisconfigured, UnitSpec, arming_from_mapping
from emulator.core.errors import NoSuchUnit
from emulator.frontends import Place
from emulator.latency import Latency
from emulator.wire.tcp import CannotBind
from profiles import load
from profiles.model import Timing
from tests.fault_bench import FaultBench, fault_bench
from tests.ipmi_client import Client

GENERIC = load("dmtf-generic")


def power(endpoint) -> str:
    login = (endpoint.username, endpoint.password)
    url = endpoint.redfish_url + endpoint.systems[0].uri
    return requests.get(url, auth=login, verify=endpoint.ca_file, timeout=20).json()["PowerState"]


def chassis_status(endpoint) -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect((endpoint.ipmi_host, endpoint.ipmi_port))

        def send(datagram: bytes) -> list[bytes]:
            sock.send(datagram)
            return [sock.recv(4096)]

        answer = Client(send, user=endpoint.username, password=endpoint.password).login().command(0, 1)
    assert answer is not None
    return answer[0]


def test_a_bmc_is_added_serves_both_protocols_and_is_removed() -> None:
    with Emulator([UnitSpec(name="a", profile=GENERIC)]) as emulator:
        late = emulator.add(UnitSpec(name="late", profile=load("dell-idrac9"), password="Pw-5.unguessable"))
        assert (late.name, late.password, tuple(emulator.endpoints)) == ("late", "Pw-5.unguessable", ("a", "late"))
        assert (power(late), chassis_status(late)) == ("On", 0)
        emulator.arm("late", arming_from_mapping({"type": "report.says", "params": {"word": "Off"}}))
        assert power(late) == "Off"
        emulator.remove("late")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((late.host, late.redfish_port), timeout=20)
        assert (tuple(emulator.endpoints), emulator.faults()) == (("a",), ())
        assert [e.data["what"] for e in emulator.events() if e.kind is EventKind.UNIT] == ["added", "removed"]
        assert power(emulator.endpoints["a"]) == "On"


def test_what_cannot_be_added_or_removed_is_said_and_nothing_has_changed() -> None:
    with Emulator([UnitSpec(name="a", profile=GENERIC)]) as emulator, socket.create_server(("127.0.0.1", 0)) as taken:
        place = Place(redfish_port=taken.getsockname()[1])
        with pytest.raises(CannotBind):
            emulator.add(UnitSpec(name="b", profile=GENERIC), place)
        with pytest.raises(RackMisconfigured, match="a BMC is or was called 'a'"):
            emulator.add(UnitSpec(name="a", profile=GENERIC))
        with pytest.raises(NoSuchUnit, match="'nobody'"):
            emulator.remove("nobody")
        assert tuple(emulator.endpoints) == ("a",)
        assert power(emulator.endpoints["a"]) == "On"


def test_a_fleet_has_its_bmcs_from_the_start() -> None:
    import ipaddress

    units = [UnitSpec(name="a", profile=GENERIC)]
    with Emulator(units, fleet=Fleet(ipaddress.IPv4Network("127.91.0.0/24"))) as emulator:
        with pytest.raises(RackMisconfigured, match="none can be added"):
            emulator.add(UnitSpec(name="b", profile=GENERIC))
        with pytest.raises(RackMisconfigured, match="none can be removed"):
            emulator.remove("a")


def test_an_emulator_that_does_not_run_takes_nobody() -> None:
    with pytest.raises(RuntimeError, match="does not run"):
        Emulator([]).add(UnitSpec(name="a", profile=GENERIC))


# -- a profile's own faults ------------------------------------------------------------------------------------------------


def test_a_named_fault_of_a_profile_acts_as_it_is_written_there() -> None:
    with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"))], latency=False) as emulator:
        bench = FaultBench(emulator)
        assert bench.log_in().status_code == 201
        emulator.arm("node1", "full_as_401")
        assert bench.log_in().status_code == 401
        emulator.arm("node1", "job_queue_500")
        assert [bench.reset("ForceOff").status_code >= 400 for _ in range(4)] == [True, True, True, False]
        with pytest.raises(RackMisconfigured, match="did you mean 'full_as_401'"):
            emulator.arm("node1", "full_as_41")


def test_faults_of_openbmc_profiles() -> None:
    with Emulator([UnitSpec(name="node1", profile=load("openbmc-x86"))], latency=False) as emulator:
        bench = FaultBench(emulator)
        assert bench.power() == "On"
        emulator.arm("node1", "state_service_gone")
        assert "PowerState" not in bench.ask().json()
        emulator.arm("node1", "old_success_200")
        answer = bench.reset("ForceOff")
        assert (answer.status_code, answer.json()["@Message.ExtendedInfo"][0]["MessageId"]) == (200, "Base.1.4.0.Success")


def test_a_fault_that_its_seam_cannot_use_is_refused_when_it_is_armed() -> None:
    with fault_bench() as bench:
        armed = arming_from_mapping({"type": "udp.loss"})
        broken = replace(armed, fault=type("Odd", (), {"name": "their.odd", "seam": armed.fault.seam})())
        with pytest.raises(RackMisconfigured, match=r"their\.odd is no fault of the seam datagram"):
            bench.emulator.arm("node1", broken)


# -- latency ---------------------------------------------------------------------------------------------------------------


def slow(milliseconds: float) -> UnitSpec:
    timing = Timing(latency_ms={"min": milliseconds, "typ": milliseconds})
    return UnitSpec(name="node1", profile=replace(GENERIC, timing=timing))


@pytest.mark.parametrize(("latency", "answers"), [(True, False), (False, True)])
def test_a_slow_vendor_answers_late_on_both_protocols(latency: bool, answers: bool) -> None:
    with Emulator([slow(600_000)], latency=latency) as emulator:
        bench = FaultBench(emulator)
        if answers:
            assert (bench.power(), chassis_status(bench.bmc)) == ("On", 0)
        else:
            with pytest.raises(requests.exceptions.ReadTimeout):
                bench.ask(timeout=0.3)
            assert bench.ipmi(timeout=0.3).send(b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x2a\x00\x00") == []
            for sock in bench.sockets:
                sock.close()


def test_latency_is_drawn_from_the_seed_around_the_typical_value() -> None:
    def of(**told: float) -> list[float]:
        profile = replace(GENERIC, timing=Timing(latency_ms=told))
        pace = Latency(7)
        return [pace.of(profile) for _ in range(200)]

    assert of() == [0.0] * 200
    assert of(min=20) == of(min=20, typ=20) == of(min=20, max=20) == [0.02] * 200
    drawn = of(min=20, typ=120)
    assert drawn == of(min=20, typ=120)
    assert min(drawn) >= 0.02
    assert max(drawn) <= 0.22
    assert 0.10 < sum(drawn) / 200 < 0.14
    assert max(of(min=20, typ=120, max=1000)) > 0.5
    assert Latency(7, on=False).of(replace(GENERIC, timing=Timing(latency_ms={"min": 20}))) == 0.0
