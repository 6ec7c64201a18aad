"""Requests in and out of sessions: protocol faults, the journal, and what is answered to strangers."""

from __future__ import annotations

import pytest

from emulator.core.bmc.sensors import SensorNumber
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import Intent, When
from emulator.core.journal import EventKind
from emulator.core.vocab import Rail
from emulator.faults.protocol import Completion, Silence
from emulator.faults.report import Says
from emulator.ipmi.responder import IpmiResponder
from profiles.model import View
from tests.conftest import Bench
from tests.ipmi_client import (
    Client,
    Refused,
    open_sessionless,
    request,
    sessionless,
)
from tests.ipmi_unit import CONTROL, STATUS, responder, to


@pytest.fixture
def bmc(bench: Bench) -> IpmiResponder:
    return responder(bench)


def arm(bench: Bench, fault: Completion | Silence, path: str, **settings: int) -> None:
    bench.rack.arm("node1", Armed(fault=fault, when=When(path=path), **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(("executed", "rail"), [(False, Rail.UP), (True, Rail.DOWN)])
def test_a_completion_fault_answers_instead_with_or_without_doing_it(bench, bmc, executed, rail):
    arm(bench, Completion(0xC0, executed=executed), "chassis-control", count=1)
    client = Client(to(bmc)).login()
    assert client.command(*CONTROL, b"\x00") == (0xC0, b"")
    bench.advance(5)
    assert bench.host().rail is rail
    assert client.command(*STATUS)[0] == 0
    assert len(bench.events(EventKind.FAULT)) == 1


@pytest.mark.parametrize(("executed", "commands"), [(False, 0), (True, 1)])
def test_a_silence_fault_loses_the_request_or_only_the_reply(bench, bmc, executed, commands):
    arm(bench, Silence(executed=executed), "chassis-control", count=1)
    client = Client(to(bmc)).login()
    assert client.command(*CONTROL, b"\x00") is None
    assert len(bench.events(EventKind.COMMAND)) == commands


ACPI = (0x06, 0x07)
READING = (0x04, 0x2D)


def looks(bench: Bench) -> list[tuple[object, ...]]:
    return [(e.data["view"], e.data["word"]) for e in bench.events(EventKind.LOOK)]


@pytest.mark.parametrize(
    ("command", "data", "intent", "words"),
    [
        (STATUS, b"", Intent.POWER_READ, ["On"]),
        (ACPI, b"", Intent.POWER_READ, ["On"]),
        (READING, bytes((SensorNumber.POWER_UNIT,)), Intent.POWER_READ, ["On"]),
        (READING, bytes((SensorNumber.ACPI_POWER_STATE,)), Intent.POWER_READ, ["On"]),
        (READING, b"\x01", Intent.READ, []),
        (CONTROL, b"\x00", Intent.POWER_COMMAND, []),
        ((0x06, 0x01), b"", Intent.READ, []),
        ((0x06, 0x02), b"", Intent.BMC_RESET, []),
        ((0x06, 0x3B), b"\x04", Intent.LOGIN, []),
        ((0x06, 0x3C), bytes(4), Intent.LOGOUT, []),
        ((0x0C, 0x01), bytes(3), Intent.WRITE, []),
        ((0x0C, 0x7F), b"", Intent.OTHER, []),
    ],
)
def test_the_command_table_says_what_a_request_means(bench, bmc, command, data, intent, words):
    Client(to(bmc)).login().command(*command, data)
    asked = bench.events(EventKind.REQUEST)[-1]
    assert (asked.data["intent"], asked.data["system"]) == (intent, "1")
    assert looks(bench) == [("ipmi", word) for word in words]
    assert all(event.cause == asked.seq for event in bench.events(EventKind.LOOK))


@pytest.mark.parametrize(
    ("said", "status", "acpi"), [("Off", "Off", "Off"), ("PoweringOff", "On", None), (None, "nothing", None)]
)
def test_a_look_is_the_word_that_the_answer_can_say(bench, bmc, said, status, acpi):
    bench.rack.arm("node1", Armed(fault=Says(said, (View.IPMI,))))
    client = Client(to(bmc)).login()
    client.command(*STATUS)
    client.command(*ACPI)
    assert looks(bench) == [*([("ipmi", status)] if status != "nothing" else []), ("ipmi", acpi)]


@pytest.mark.parametrize("said", ["Off", None])
def test_the_sensors_of_power_tell_it_too(bench, bmc, said):
    bench.rack.arm("node1", Armed(fault=Says(said, (View.IPMI,))))
    client = Client(to(bmc)).login()
    for number in (SensorNumber.POWER_UNIT, SensorNumber.ACPI_POWER_STATE):
        client.command(*READING, bytes((number,)))
    assert looks(bench) == [("ipmi", said or "On"), ("ipmi", said)], "a unit that is not off is on"


@pytest.mark.parametrize(("fault", "told"), [(Completion(0xC0, executed=True), 0), (Completion(0, executed=True), 1)])
def test_a_completion_code_instead_of_the_word_tells_nothing(bench, bmc, fault, told):
    arm(bench, fault, "chassis-status", count=1)
    Client(to(bmc)).login().command(*STATUS)
    assert len(looks(bench)) == told


def test_an_answer_that_is_lost_tells_nothing(bench, bmc):
    arm(bench, Silence(executed=True), "chassis-status", count=1)
    assert Client(to(bmc)).login().command(*STATUS) is None
    assert looks(bench) == []
    assert bench.events(EventKind.REQUEST)[-1].data["intent"] is Intent.POWER_READ


def test_logging_in_can_be_a_trigger(bench, bmc):
    bench.rack.arm("node1", Armed(fault=Completion(0x01), when=When(intent=Intent.LOGIN), count=1))
    with pytest.raises(Refused):
        Client(to(bmc)).login()


def test_handshake_faults_answer_with_a_status_or_not_at_all(bench, bmc):
    arm(bench, Completion(0x01), "open-session", count=1)
    arm(bench, Silence(), "rakp1", count=1)
    with pytest.raises(Refused) as refused:
        Client(to(bmc)).login()
    assert refused.value.status == 0x01
    with pytest.raises(AssertionError, match="silence"):
        Client(to(bmc)).login()
    assert Client(to(bmc)).login()


def test_the_journal_ties_request_command_and_response_and_holds_no_secret(bench, bmc):
    client = Client(to(bmc)).login()
    client.command(*CONTROL, b"\x00")
    asked = next(e for e in bench.events(EventKind.REQUEST) if e.data["path"] == "chassis-control")
    assert (asked.data["method"], asked.data["user"], asked.data["reset"]) == ("IPMI", "root", "ForceOff")
    (command,) = bench.events(EventKind.COMMAND)
    response = next(e for e in bench.events(EventKind.RESPONSE) if e.cause == asked.seq)
    assert (command.cause, response.data["completion_code"]) == (asked.seq, 0)
    text = bench.rack.journal.to_jsonl()
    assert "Tr0ub4dor&3" not in text
    assert "40000" not in text


def test_capabilities_say_2_0_only_to_those_who_ask_for_it(bmc):
    for channel in (0x0E, 0x01):
        code, old = open_sessionless(to(bmc)(sessionless(request(6, 0x38, bytes((channel, 4)))))[0])
        assert (code, old[0], old[1] & 0x80, old[3]) == (0, 1, 0, 0)
        code, new = open_sessionless(to(bmc)(sessionless(request(6, 0x38, bytes((0x80 | channel, 4)))))[0])
        assert (code, new[0], new[1] & 0x80, new[3] & 2) == (0, 1, 0x80, 2)
    assert open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x83\x04")))[0])[0] == 0xCC
    assert open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x8e\x09")))[0])[0] == 0xCC
    assert open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x8e")))[0])[0] == 0xC7


@pytest.mark.parametrize("v2", [False, True])
def test_cipher_suites_are_listed_in_and_out_of_sessions_page_by_page(bmc, v2):
    def ask(data: bytes) -> tuple[int, bytes]:
        return open_sessionless(to(bmc)(sessionless(request(6, 0x54, data), v2=v2))[0])

    listed = bytes.fromhex("01 c003014181 c011034481")
    assert ask(b"\x0e\x00\x80") == (0, listed)
    assert ask(b"\x0e\x00\x81") == (0, b"\x01")
    assert ask(b"\x0e\x00\x00") == (0, bytes.fromhex("01 01 03 41 44 81"))
    assert Client(to(bmc)).login().command(6, 0x54, b"\x0e\x00\x80") == (0, listed)


def test_a_presence_ping_is_answered(bmc):
    (pong,) = to(bmc)(bytes.fromhex("0600ff06000011be80420000"))
    assert pong[:12] == bytes.fromhex("0600ff06000011be40420010")
    assert pong[20] == 0x81
    assert len(pong) == 28


def test_a_command_that_needs_a_session_is_not_answered_without_one(bench, bmc):
    for v2 in (False, True):
        assert to(bmc)(sessionless(request(0, 2, b"\x00"), v2=v2)) == []
    assert bench.events(EventKind.COMMAND) == []
    assert bmc.drops["a command that needs a session, without one"] == 2


def test_a_status_fault_later_in_the_handshake_names_the_clients_session(bench, bmc):
    arm(bench, Completion(0x0D), "rakp1", count=1)
    client = Client(to(bmc))
    client.open()
    (reply,) = to(bmc)(client.rakp1_message(bytes(16)))
    assert (reply[5], reply[17], reply[20:24]) == (0x13, 0x0D, client.console)
