"""The control listener as its clients meet it: what each operation does, and where the listener is found."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator import ControlClient, ControlError, HostSpec, NoInstance, Rail
from emulator.control import api, journal_reader
from tests.control_bed import ControlBed, control_bed

SYSTEM = "/redfish/v1/Systems/437XR1138R2"


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ControlBed]:
    with control_bed(monkeypatch, tmp_path) as bed:
        yield bed


def rail(bed: ControlBed) -> Rail:
    return bed.emulator.host("node1").rail


# -- operations --------------------------------------------------------------------------------------------------------


def test_power_by_hand_tells_the_truth_and_what_the_bmc_says(bed: ControlBed) -> None:
    told = bed.client.power("node1", "off")
    assert (told["systems"][0]["rail"], rail(bed)) == ("down", Rail.DOWN)
    assert bed.client.power("node1", "on")["systems"][0]["rail"] == "up"
    assert bed.client.power("node1", "hang")["systems"][0]["os"] == "hung"
    assert bed.client.power("node1", "boot")["systems"][0]["os"] == "running"
    assert bed.client.power("node1", "crash")["systems"][0]["os"] == "stopped"


@pytest.mark.parametrize("action", ["hang", "crash", "boot"])
def test_what_cannot_happen_to_a_host_is_refused_and_changes_nothing(bed: ControlBed, action: str) -> None:
    bed.client.power("node1", "off")
    with pytest.raises(ControlError) as caught:
        bed.client.power("node1", action)
    assert caught.value.status == 409
    assert rail(bed) is Rail.DOWN


def test_a_cord_pulled_and_plugged_in(bed: ControlBed) -> None:
    assert bed.client.power("node1", "unplug")["presence"] == "dark"
    assert rail(bed) is Rail.DOWN
    with pytest.raises(ControlError, match="plug it in first"):
        bed.client.power("node1", "on")
    assert bed.client.power("node1", "plug")["presence"] == "starting"
    bed.client.set_clock(step_s=5)
    shown = bed.client.bmc("node1")
    assert (shown["presence"], shown["systems"][0]["rail"]) == ("answers", "up")


def test_as_profile_a_bmc_takes_the_vendors_time_to_start(bed: ControlBed) -> None:
    bed.client.power("node1", "unplug")
    bed.client.power("node1", "plug", as_profile=True)
    bed.client.set_clock(step_s=5)
    assert bed.client.bmc("node1")["presence"] == "starting"
    bed.client.set_clock(step_s=600)
    assert bed.client.bmc("node1")["presence"] == "answers"


def test_a_paused_clock_holds_back_what_is_due_and_a_step_lets_it_happen(bed: ControlBed) -> None:
    bed.client.set_clock(paused=True)
    bed.client.power("node1", "press")
    bed.client.set_clock(step_s=1)
    assert rail(bed) is Rail.UP
    assert bed.client.set_clock(step_s=3600)["paused"] is True
    assert rail(bed) is Rail.DOWN
    assert bed.client.set_clock(paused=False, rate=5.0) == {**bed.client.clock(), "now_s": pytest.approx(3601, abs=60)}


def test_a_fault_is_armed_listed_and_taken_away(bed: ControlBed) -> None:
    told = bed.client.arm("node1", {"type": "report.says", "params": {"word": "Off"}, "count": 3})
    assert (told["id"], told["phase"], told["fault"]["count"]) == ("f1", "active", 3)
    assert [each["id"] for each in bed.client.faults()] == [each["id"] for each in bed.client.faults("node1")] == ["f1"]
    bed.client.disarm("f1")
    assert bed.client.faults() == []
    with pytest.raises(ControlError) as caught:
        bed.client.disarm("f1")
    assert caught.value.status == 404


def test_everything_that_is_wrong_with_a_fault_is_said_with_its_place(bed: ControlBed) -> None:
    with pytest.raises(ControlError) as caught:
        bed.client.arm("node1", {"type": "wire.delay", "params": {"second": 1}, "when": {"intent": "nap"}})
    assert caught.value.status == 422
    assert {path for path, _ in caught.value.problems} == {"params", "params.second", "when.intent"}
    assert bed.client.faults() == []


def test_one_bmc_has_a_bounded_number_of_faults(bed: ControlBed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_FAULTS", 2)
    for _ in range(2):
        bed.client.arm("node1", {"type": "power.ignore"})
    with pytest.raises(ControlError) as caught:
        bed.client.arm("node1", {"type": "power.ignore"})
    assert caught.value.status == 409


def test_a_muted_bmc_is_muted_once_and_all_at_once_unmuted(bed: ControlBed) -> None:
    bed.client.mute("node1")
    assert bed.client.mute("node1")["muted"] is True
    assert len(bed.client.faults()) == 1
    assert bed.client.mute("node1", False)["muted"] is False
    assert bed.client.faults() == []


def test_bmcs_come_and_go(bed: ControlBed) -> None:
    added = bed.client.add("openbmc-x86", power="off")
    assert (added["name"], added["systems"][0]["rail"]) == ("openbmc-x86-1", "down")
    assert [each["name"] for each in bed.client.bmcs()] == ["node1", "openbmc-x86-1"]
    bed.client.remove("node1")
    assert [each["name"] for each in bed.client.bmcs()] == ["openbmc-x86-1"]
    for name, profile in (("node1", "openbmc-x86"), (None, "no-such-vendor"), (None, "racks/relative.yaml")):
        with pytest.raises(ControlError):
            bed.client.add(profile, name)


def test_a_port_that_is_taken_is_said_so_and_leaves_no_bmc(bed: ControlBed) -> None:
    with pytest.raises(ControlError) as caught:
        bed.client.add("openbmc-x86", "other", redfish_port=bed.listener.port)
    assert caught.value.status == 409
    with pytest.raises(ControlError):
        bed.client.add("openbmc-x86", redfish_port=bed.listener.port)
    assert len(list(bed.client.bmcs())) == 1
    assert bed.client.add("openbmc-x86")["name"] == "openbmc-x86-2", "the journal knows the first name already"


def test_lists_come_in_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with control_bed(monkeypatch, tmp_path, HostSpec(power="off"), count=5) as bed:
        status, _, page = bed.ask("GET", "/v1/bmcs?offset=3&limit=1")
        assert (status, [each["name"] for each in page["bmcs"]], page["next"]) == (200, ["node4"], 4)
        assert bed.ask("GET", "/v1/bmcs?offset=4&limit=9")[2]["next"] is None


def test_stop_is_passed_on(bed: ControlBed) -> None:
    sock = bed.connect()
    sock.sendall(f"POST /v1/stop HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bed.listener.token}\r\n\r\n".encode())
    assert sock.recv(100).startswith(b"HTTP/1.1 202 ")
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass
    assert bed.stopped == [True]


def test_health_readiness_and_figures(bed: ControlBed) -> None:
    assert bed.ask("GET", "/healthz", authorization="None")[0] == 200
    assert bed.ask("GET", "/readyz", authorization="None")[0] == 503
    bed.listener.api.ready = True
    assert bed.ask("GET", "/readyz", authorization="None")[0] == 200
    bed.client.arm("node1", {"type": "power.ignore"})
    figures = bed.client.metrics().splitlines()
    assert 'fencelab_hosts{rail="up"} 1' in figures
    assert "fencelab_faults_armed 1" in figures
    assert 'fencelab_control_answers_total{status="201"} 1' in figures
    assert bed.ask("GET", "/metrics", authorization="None")[0] == 401


# -- the journal -------------------------------------------------------------------------------------------------------


def test_the_journal_is_read_by_kind_and_bmc_and_time(bed: ControlBed) -> None:
    bed.client.power("node1", "off")
    assert [event["rail"] for event in bed.client.journal(kind="rail")] == ["up", "down"]
    assert [event["kind"] for event in bed.client.journal(bmc="node1", kind="rail,incident")] == ["rail", "incident", "rail"]
    assert list(bed.client.journal(bmc="node2")) == []
    bed.client.set_clock(step_s=1000)
    assert list(bed.client.journal(since_s=500, kind="rail")) == []
    with pytest.raises(ControlError, match="'rial' does not fit: only these kinds"):
        list(bed.client.journal(kind="rial"))


def test_the_whole_journal_comes_in_pages(bed: ControlBed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.control.client.JOURNAL_PAGE", 3)
    for _ in range(10):
        bed.client.mute("node1")
        bed.client.mute("node1", False)
    seqs = [event["seq"] for event in bed.client.journal()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > 20


def test_followers_see_what_comes_and_end_with_the_listener(bed: ControlBed) -> None:
    events = bed.client.follow(kind="rail")
    bed.client.power("node1", "off")
    bed.client.power("node1", "on")
    assert [next(events)["rail"], next(events)["rail"]] == ["down", "up"]
    bed.listener.close()
    assert list(events) == []


def test_a_follower_may_begin_with_what_has_been(bed: ControlBed) -> None:
    bed.client.power("node1", "off")
    events = bed.client.follow(after=0, kind="rail")
    assert [next(events)["rail"], next(events)["rail"]] == ["up", "down"]


def test_a_follower_that_is_too_slow_is_told_how_many_events_it_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with control_bed(monkeypatch, tmp_path, journal_capacity=10) as bed:
        first = bed.emulator.last_seq()
        query = journal_reader.JournalQuery(after=first, follow=True)
        lines = bed.listener.api.reader.follow(query)
        next(lines)
        for _ in range(30):
            bed.emulator.mute("node1")
            bed.emulator.unmute("node1")
        last = bed.emulator.last_seq()
        told = [json.loads(line) for line in next(lines).splitlines()]
        assert told[0] == {"dropped": last - 10 - first}
        assert [event["seq"] for event in told[1:]] == list(range(last - 9, last + 1))
        lines.close()
        assert bed.listener.api.reader.dropped == told[0]["dropped"]


def test_few_may_follow_and_a_place_is_free_again_when_one_has_gone(bed: ControlBed) -> None:
    with ExitStack() as stack:
        following = [
            bed.listener.api.reader.follow(journal_reader.JournalQuery(follow=True)) for _ in range(journal_reader.MAX_FOLLOWERS)
        ]
        for each in following[1:]:
            stack.callback(each.close)
        with pytest.raises(ControlError) as caught:
            bed.client.follow()
        assert caught.value.status == 503
        following[0].close()  # it has read nothing
        stack.callback(bed.client.follow().close)


# -- where it is -------------------------------------------------------------------------------------------------------


def test_a_client_finds_the_only_emulator_by_itself_and_others_by_name_or_process(bed: ControlBed) -> None:
    instance = bed.client.instance()
    for name in (None, "bed", str(instance["pid"])):
        assert ControlClient.find(name).instance()["name"] == "bed"
    with pytest.raises(NoInstance, match="no emulator is called other"):
        ControlClient.find("other")


def test_it_never_listens_where_a_bmc_does(bed: ControlBed) -> None:
    from emulator import ControlListener
    from emulator.control.listener import ControlCannotListen

    endpoint = bed.emulator.endpoints["node1"]
    for port in (endpoint.redfish_port, endpoint.ipmi_port):
        with pytest.raises(ControlCannotListen, match="belongs to the BMC node1"):
            ControlListener(bed.emulator, name="x", host="127.0.0.1", port=port)
        with pytest.raises(ControlCannotListen, match="belongs to the BMC node1"):
            ControlListener(bed.emulator, name="x", host="0.0.0.0", port=port)
    with pytest.raises(ControlCannotListen, match="cannot listen"):
        ControlListener(bed.emulator, name="x", host="127.0.0.1", port=bed.listener.port)


def test_nothing_is_left_when_it_has_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with control_bed(monkeypatch, tmp_path) as bed:
        (file,) = (tmp_path / "fencelab").iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert bed.listener.token in file.read_text()
        bed.listener.close()
        assert list(tmp_path.iterdir()) == []
