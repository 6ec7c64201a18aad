"""What IPMI changes is the machine's own: boot, light, policy, watchdog, the BMC itself; and what a profile says of IPMI."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from emulator.core.bmc.boot import NO_OVERRIDE, BootEnabled, BootMode, BootOverride, BootTarget
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.machine import Led, RestorePolicy
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import When
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.faults.protocol import Silence
from emulator.ipmi.responder import IpmiResponder
from tests.conftest import Bench, make_bench, tiny_profile
from tests.ipmi_client import PEER, Client, Client15, open_sessionless, request, sessionless

SET_BOOT, GET_BOOT, CONTROL, STATUS = (0, 8), (0, 9), (0, 2), (0, 1)
SET_DOG, RESET_DOG, GET_DOG = (6, 0x24), (6, 0x22), (6, 0x25)


def bench_with(**ipmi: object) -> Bench:
    profile = tiny_profile()
    return make_bench(UnitSpec(name="node1", profile=replace(profile, ipmi=replace(profile.ipmi, **ipmi))))


def responder(bench: Bench, **settings: object) -> IpmiResponder:
    return IpmiResponder(bench.view(), entropy=os.urandom, **settings)  # type: ignore[arg-type]


def to(bmc):
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def bmc(bench):
    return responder(bench)


@pytest.fixture
def client(bmc):
    return Client(to(bmc)).login()


# -- boot --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "override"),
    [
        ("8004000000", BootOverride(target=BootTarget.PXE, enabled=BootEnabled.ONCE, mode=BootMode.LEGACY)),
        ("e004000000", BootOverride(target=BootTarget.PXE, enabled=BootEnabled.CONTINUOUS, mode=BootMode.UEFI)),
        ("8014000000", BootOverride(target=BootTarget.CD, enabled=BootEnabled.ONCE, mode=BootMode.LEGACY)),
        ("8000000000", NO_OVERRIDE),
        ("0004000000", NO_OVERRIDE),
    ],
)
def test_boot_flags_are_the_machines_boot_override(bench, client, flags, override):
    assert client.command(*SET_BOOT, b"\x05" + bytes.fromhex(flags)) == (0, b"")
    assert bench.view().boot.override() == override


def test_an_override_of_another_protocols_is_shown_in_ipmis_words(bench, client):
    bench.view().boot.set(BootOverride(target=BootTarget.CD, enabled=BootEnabled.CONTINUOUS, mode=BootMode.UEFI))
    assert client.command(*GET_BOOT, b"\x05\0\0") == (0, bytes.fromhex("0105 e014000000"))
    bench.view().boot.set(BootOverride(target=BootTarget.UEFI_SHELL, enabled=BootEnabled.ONCE))
    assert client.command(*GET_BOOT, b"\x05\0\0") == (0, bytes.fromhex("0105 8000000000"))


def test_a_device_that_does_not_exist_changes_nothing(bench, client):
    client.command(*SET_BOOT, bytes.fromhex("05 8004000000"))
    assert client.command(*SET_BOOT, bytes.fromhex("05 8030000000")) == (0xCC, b"")
    assert bench.view().boot.override().target is BootTarget.PXE


def test_flags_that_no_power_command_follows_lapse_after_a_minute(bench, bmc, client):
    client.command(*SET_BOOT, bytes.fromhex("05 8004000000"))
    bench.advance(59)
    bmc.tick(bench.clock.now())
    assert bench.view().boot.override().target is BootTarget.PXE
    bench.advance(2)
    bmc.tick(bench.clock.now())
    assert bench.view().boot.override() == NO_OVERRIDE


def test_a_power_command_starts_the_minute_anew_and_parameter_3_can_end_it(bench, bmc, client):
    client.command(*SET_BOOT, bytes.fromhex("05 c004000000"))
    bench.advance(50)
    client.command(*CONTROL, b"\x03")
    bench.advance(50)
    bmc.tick(bench.clock.now())
    assert bench.view().boot.override().target is BootTarget.PXE
    assert client.command(*SET_BOOT, b"\x03\x08") == (0, b"")
    client.command(*SET_BOOT, bytes.fromhex("05 c004000000"))
    bench.advance(600)
    bmc.tick(bench.clock.now())
    assert bench.view().boot.override().target is BootTarget.PXE


def test_what_redfish_has_set_meanwhile_does_not_lapse_with_ipmis_minute(bench, bmc, client):
    client.command(*SET_BOOT, bytes.fromhex("05 8004000000"))
    bench.view().boot.set(BootOverride(target=BootTarget.CD, enabled=BootEnabled.ONCE))
    bench.advance(61)
    bmc.tick(bench.clock.now())
    assert bench.view().boot.override().target is BootTarget.CD


# -- light and policy --------------------------------------------------------------------------------------------------


def test_the_identify_light_is_one_light(bench, client):
    assert client.command(0, 4, b"\x05") == (0, b"")
    assert bench.view().chassis.led() is Led.BLINKING
    bench.advance(6)
    assert bench.view().chassis.led() is Led.OFF
    bench.view().chassis.set_led(Led.LIT)
    assert client.command(*STATUS)[1][2] & 0x30 == 0x20


def test_the_restore_policy_is_one_policy(bench, client):
    assert client.command(0, 6, b"\x02")[0] == 0
    assert bench.view().chassis.restore_policy() is RestorePolicy.ALWAYS_ON
    bench.view().chassis.set_restore_policy(RestorePolicy.ALWAYS_OFF)
    assert client.command(*STATUS)[1][0] >> 5 == 0


def test_a_loss_of_mains_is_seen_in_the_status_once_the_bmc_is_back(bench, bmc, client):
    bench.rack.mains_lost("node1")
    assert client.command(*STATUS) is None
    bench.rack.mains_back("node1")
    bench.advance(3600)
    status = Client(to(bmc)).login().command(*STATUS)[1]
    assert status[1] & 0x01


# -- watchdog ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "incarnation", "rail"), [(1, 2, Rail.UP), (2, 2, Rail.DOWN), (0, 1, Rail.UP)])
def test_a_watchdog_that_fires_acts_on_the_host(bench, client, action, incarnation, rail):
    assert client.command(*RESET_DOG) == (0x80, b"")
    assert client.command(*SET_DOG, bytes((0x04, action, 0, 0, 50, 0))) == (0, b"")
    assert client.command(*RESET_DOG) == (0, b"")
    bench.advance(3)
    assert client.command(*GET_DOG)[1][0] & 0x40
    assert client.command(*GET_DOG)[1][6] == 20
    bench.advance(3)
    assert (bench.host().rail, bench.host().incarnation) == (rail, incarnation)
    use, _, _, expired = client.command(*GET_DOG)[1][:4]
    assert (use & 0x40, expired) == (0, 0x10)
    assert LogKind.WATCHDOG in {e.kind for e in bench.view().log.entries()}
    assert client.command(*SET_DOG, bytes((0x04, 0, 0, 0x10, 50, 0))) == (0, b"")
    assert client.command(*GET_DOG)[1][3] == 0


def test_a_watchdog_that_was_never_set_or_makes_no_sense(client):
    assert client.command(*GET_DOG) == (0, b"\x01" + bytes(7))
    assert client.command(*SET_DOG, bytes((0x07, 0, 0, 0, 1, 0))) == (0xCC, b"")


# -- the BMC itself ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "kind"), [(2, "cold"), (3, "warm")])
def test_a_bmc_that_is_reset_answers_that_and_is_deaf_for_a_while_and_the_host_does_not_care(bench, bmc, client, command, kind):
    rules = bench.view().profile.bmc_reset
    assert client.command(6, command) == (0, b"")
    assert client.command(*STATUS)[0] == 0, "whoever asked can still end the session"
    bench.advance(rules.grace_s.high)
    assert [(e.data["what"], e.data["reset"]) for e in bench.events(EventKind.BMC)] == [("reset", kind), ("down", kind)]
    assert client.command(*STATUS) is None
    assert client.send(sessionless(request(6, 0x38, b"\x8e\x04"))) == []
    assert client.send(bytes.fromhex("0600ff06000011be80010000")) == []
    bench.advance(rules.outage_s.high + 1)
    assert client.command(*STATUS) is None, "its sessions are lost"
    assert Client(to(bmc)).login().command(*STATUS)[0] == 0
    assert bench.host().rail is Rail.UP
    assert bench.host().incarnation == 1


def test_only_administrators_reset_it(bmc):
    operator = Client(to(bmc), privilege=3).login()
    assert operator.command(6, 2) == (0xD4, b"")


# -- what the profile says ---------------------------------------------------------------------------------------------


def test_ipmi_over_lan_off_is_silence():
    bmc = responder(bench_with(lan=False))
    for datagram in (sessionless(request(6, 0x38, b"\x8e\x04")), bytes.fromhex("0600ff06000011be80010000")):
        assert bmc.receive(datagram, PEER) == []
    assert not bmc.drops


@pytest.mark.parametrize(("duplicates", "runs"), [("once", 1), ("twice", 2)])
def test_a_request_repeated_for_a_lost_reply_runs_once_or_twice(duplicates, runs):
    bench = bench_with(duplicates=duplicates)
    client = Client(to(responder(bench))).login()
    bench.rack.arm("node1", Armed(fault=Silence(executed=True), when=When(path="chassis-control"), count=1))
    assert client.command(*CONTROL, b"\x03") is None
    client.rq_seq -= 1
    assert client.command(*CONTROL, b"\x03") == (0, b"")
    assert len(bench.events(EventKind.COMMAND)) == runs


def test_the_same_request_under_a_new_number_or_much_later_is_a_new_one():
    bench = bench_with(duplicates="once")
    client = Client(to(responder(bench))).login()
    for wait in (0, 0, 6):
        bench.advance(wait)
        if wait:
            client.rq_seq -= 1
        assert client.command(*CONTROL, b"\x04")[0] in (0, 0xCC)
    assert len(bench.events(EventKind.COMMAND)) == 3


def test_the_profile_says_which_1_5_authentication_there_is():
    bmc = responder(bench_with(auth_types=("none", "password")))
    (reply,) = bmc.receive(sessionless(request(6, 0x38, b"\x0e\x04")), PEER)
    assert open_sessionless(reply[0])[1][1] == 0b10001
    assert Client15(to(bmc), auth_type=0).login().command(*STATUS)[0] == 0
    assert Client15(to(bmc), auth_type=4).login().command(*STATUS)[0] == 0
    assert responder(bench_with(auth_types=()))._bmc.auth_types == frozenset()


@pytest.mark.parametrize("suite", [3, 17])
def test_a_bmc_key_is_needed_where_the_profile_has_one(suite):
    bmc = responder(bench_with(kg="correct horse"))
    key = b"correct horse".ljust(20, b"\0")
    assert Client(to(bmc), suite=suite, kg=key).login().command(*STATUS)[0] == 0
    with pytest.raises(AssertionError):
        Client(to(bmc), suite=suite).login()
    (reply,) = bmc.receive(sessionless(request(6, 0x38, b"\x8e\x04")), PEER)
    assert open_sessionless(reply[0])[1][2] & 0x20


def test_the_profile_says_how_many_sessions_there_are():
    bmc = responder(bench_with(sessions=2))
    clients = [Client(to(bmc)).login() for _ in range(2)]
    assert clients[0].command(6, 0x3D, b"\0")[1][1] == 2
    assert bmc.sessions.full


def test_a_bmc_has_nothing_to_wait_for_once_its_clients_are_gone(bench, bmc):
    assert bmc.idle
    client = Client(to(bmc)).login()
    assert not bmc.idle
    client.command(*SET_BOOT, bytes.fromhex("05 8004000000"))
    client.close()
    assert not bmc.idle, "boot flags are to lapse"
    bench.advance(61)
    bmc.tick(bench.clock.now())
    assert bmc.idle
    bmc.receive(b"noise", PEER)
    assert not bmc.idle, "what was dropped is to be summed up"
    bmc.tick(bench.clock.now())
    assert bmc.idle


def test_a_power_word_is_told_by_the_answer_that_arrives():
    bench = bench_with(duplicates="once")
    bench.rack.arm("node1", Armed(fault=Silence(executed=True), when=When(path="chassis-status"), count=1))
    client = Client(to(responder(bench))).login()
    assert client.command(*STATUS) is None
    assert not bench.events(EventKind.LOOK)
    client.rq_seq -= 1
    assert client.command(*STATUS) is not None
    (look,) = bench.events(EventKind.LOOK)
    assert (look.data["word"], look.cause) == ("On", bench.events(EventKind.REQUEST)[-1].seq)
