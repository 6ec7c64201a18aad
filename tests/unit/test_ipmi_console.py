"""Serial over LAN: the console shows the host's life, packet by acknowledged packet."""

from __future__ import annotations

import os
import struct

import pytest

from emulator.core.bmc.boot import BootEnabled, BootOverride, BootTarget
from emulator.core.power.commands import PowerCommand
from emulator.core.rack import UnitSpec
from emulator.ipmi.console.sol import BACKLOG, RETRIES
from emulator.ipmi.responder import IpmiResponder
from tests.conftest import make_bench, tiny_profile
from tests.ipmi_client import PEER, RMCP, Client, Client15

ACTIVATE, DEACTIVATE, STATUS = (6, 0x48), (6, 0x49), (6, 0x4A)
SOL = b"\x01\x01\xc0\0\0\0"


class Bed:
    def __init__(self) -> None:
        self.bench = make_bench(UnitSpec(name="node1", profile=tiny_profile()))
        self.sent: list[bytes] = []
        self.bmc = IpmiResponder(self.bench.view(), entropy=os.urandom, emit=lambda data, *_: self.sent.append(data))

    def client(self, **more: object) -> Client:
        return Client(lambda datagram: [data for data, _ in self.bmc.receive(datagram, PEER)], **more).login()  # type: ignore[arg-type]

    def tick(self, seconds: float) -> None:
        self.bench.advance(seconds)
        self.bmc.tick(self.bench.clock.now())


class Terminal:
    """A client that has activated the console."""

    def __init__(self, bed: Bed, client: Client) -> None:
        self.bed, self.client = bed, client
        code, data = client.command(*ACTIVATE, SOL)
        assert code == 0
        assert data[4:8] == struct.pack("<HH", 204, 204)
        self.screen = b""

    def opened(self) -> list[bytes]:
        packets, self.bed.sent[:] = [unwrap(self.client, p) for p in self.bed.sent], []
        return packets

    def send(self, payload: bytes) -> bytes | None:
        self.client.sequence += 1
        replies = self.client.send(wrap(self.client, payload))
        return unwrap(self.client, replies[0]) if replies else None

    def read(self) -> bytes:
        """Acknowledges until nothing more comes; what came."""
        got = b""
        while packets := self.opened():
            for packet in packets:
                got += packet[4:]
                if packet[0]:
                    assert self.send(bytes((0, packet[0], len(packet) - 4, 0))) is None
        self.screen += got
        return got


def wrap(client: Client, payload: bytes) -> bytes:
    pad = -(len(payload) + 1) % 16
    body = client.aes(payload + bytes(range(1, pad + 1)) + bytes((pad,)))
    head = RMCP + bytes((6, 0xC1)) + client.managed + struct.pack("<IH", client.sequence, len(body))
    return client.sign(head + body)


def unwrap(client: Client, datagram: bytes) -> bytes:
    """The client's own way to open a datagram looks for the IPMI payload type alone."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    assert datagram[5] == 0xC1
    (length,) = struct.unpack("<H", datagram[14:16])
    payload = datagram[16 : 16 + length]
    crypt = Cipher(algorithms.AES(client.k2[:16]), modes.CBC(payload[:16])).decryptor()
    plain = crypt.update(payload[16:]) + crypt.finalize()
    return plain[: -plain[-1] - 1]


@pytest.fixture
def bed():
    return Bed()


def test_the_console_shows_boot_lines_in_packets_that_are_acknowledged_one_by_one(bed):
    terminal = Terminal(bed, bed.client())
    bed.bench.view().boot.set(BootOverride(target=BootTarget.PXE, enabled=BootEnabled.ONCE))
    for _ in range(2):
        terminal.client.command(0, 2, b"\x03")
        bed.bench.advance(30)
    assert len(bed.sent) == 1, "the second packet waits for the first one's acknowledgement"
    text = terminal.read().decode()
    assert "BIOS" in text
    assert "Booting from Pxe (boot override)" in text
    assert text.endswith("node1 login: ")


def test_a_graceful_shutdown_is_seen_going_down(bed):
    terminal = Terminal(bed, bed.client())
    terminal.client.command(0, 2, b"\x05")
    bed.bench.advance(60)
    assert b"The system is going down." in terminal.read()
    bed.bench.advance(60)
    answer = terminal.send(b"\x01\0\0\0ls\r")
    assert answer[3] & 0x60 == 0x60, "a machine without power takes no characters"


def test_what_is_not_acknowledged_is_sent_again_and_given_up_at_last(bed):
    terminal = Terminal(bed, bed.client())
    for _ in range(2):
        terminal.client.command(0, 2, b"\x03")
        bed.bench.advance(30)
    (first,) = terminal.opened()
    for _ in range(RETRIES):
        bed.tick(1)
        (again,) = terminal.opened()
        assert again == first
    bed.tick(10)
    (following,) = terminal.opened()
    assert following[0] == first[0] + 1


def test_a_console_repeats_itself_as_often_and_as_soon_as_it_was_configured(bed):
    client = bed.client()
    assert client.command(0x0C, 0x21, b"\x01\x04\x02\x05") == (0, b"")  # twice, 50 ms apart
    terminal = Terminal(bed, client)
    for _ in range(2):
        client.command(0, 2, b"\x03")
        bed.bench.advance(30)
    (first,) = terminal.opened()
    for _ in range(2):
        bed.tick(0.1)
        assert terminal.opened() == [first]
    bed.tick(0.2)
    (following,) = terminal.opened()
    assert following[0] == first[0] + 1


def test_a_part_that_was_not_accepted_comes_again_under_a_new_number(bed):
    terminal = Terminal(bed, bed.client())
    terminal.client.command(0, 2, b"\x03")
    bed.bench.advance(30)
    (first,) = terminal.opened()
    terminal.send(bytes((0, first[0], 10, 0)))
    (second,) = terminal.opened()
    assert second[0] == first[0] + 1
    assert second[4:].startswith(first[14:])
    terminal.send(bytes((0, second[0], len(second) - 4, 0x40)))
    assert terminal.opened() == [], "a refused packet waits for its next try"


def test_characters_are_acknowledged_also_when_they_come_twice(bed):
    terminal = Terminal(bed, bed.client())
    assert terminal.send(b"\x01\0\0\0hello") == b"\x00\x01\x05\x00"
    assert terminal.send(b"\x01\0\0\0hello") == b"\x00\x01\x05\x00"
    assert terminal.send(b"\0\0\0\0") is None


def test_one_console_one_session(bed):
    first, second = bed.client(), bed.client()
    assert first.command(*STATUS, b"\x01") == (0, b"\x01\0\0")
    Terminal(bed, first)
    assert first.command(*STATUS, b"\x01") == (0, b"\x01\x01\0")
    assert first.command(6, 0x4B, b"\x01\x01") == (0, first.managed + b"\x01" + bytes(7))
    assert second.command(*ACTIVATE, SOL) == (0x80, b"")
    assert second.command(*DEACTIVATE, SOL) == (0, b"")
    assert [unwrap(first, p)[3] for p in bed.sent] == [0x10], "the one who had it is told"
    assert second.command(*DEACTIVATE, SOL) == (0x80, b"")
    assert second.command(*ACTIVATE, SOL)[0] == 0


@pytest.mark.parametrize("end", ["close", "idle", "reset"])
def test_a_session_that_ends_frees_the_console(bed, end):
    terminal = Terminal(bed, bed.client())
    if end == "close":
        terminal.client.close()
    elif end == "idle":
        bed.tick(61)
    else:
        assert terminal.client.command(6, 2) == (0, b"")
        bed.tick(3600)
    assert Terminal(bed, bed.client())
    unit = bed.bench.rack.unit("node1")
    assert len(unit.log_listeners) == 1


def test_a_client_that_never_acknowledges_costs_a_bounded_backlog(bed):
    client = bed.client()
    Terminal(bed, client)
    for _ in range(60):
        client.command(0, 2, b"\x03")
        bed.bench.advance(30)
        client.command(0, 1)
    assert len(bed.bmc._bmc.sol._active.backlog) <= BACKLOG


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x00\x01\xc0\0\0\0", 0xCC), (b"\x01\x02\xc0\0\0\0", 0xCC), (b"\x01\x01\x00\0\0\0", 0x84), (b"\x01", 0xC7)],
)
def test_what_cannot_be_activated_is_refused(bed, data, code):
    assert bed.client().command(*ACTIVATE, data) == (code, b"")


def test_a_1_5_session_has_no_payloads(bed):
    client = Client15(lambda datagram: [data for data, _ in bed.bmc.receive(datagram, PEER)]).login()
    assert client.command(6, 0x3B, b"\x04")[0] == 0
    assert client.command(*ACTIVATE, SOL) == (0x81, b"")


def test_a_user_can_be_kept_from_the_console(bed):
    client = bed.client()
    assert client.command(6, 0x4D, b"\x01\x02") == (0, b"\x02\0\0\0")
    assert client.command(6, 0x4C, b"\x01\x42\x02\0\0\0") == (0, b"")
    assert client.command(6, 0x4D, b"\x01\x02") == (0, bytes(4))
    assert client.command(*ACTIVATE, SOL) == (0x81, b"")
    assert client.command(6, 0x4C, b"\x01\x02\x02\0\0\0") == (0, b"")
    assert client.command(*ACTIVATE, SOL)[0] == 0
    assert client.command(6, 0x4C, b"\x01\x49\x02\0\0\0") == (0, b""), "of a user id without an account it is kept"
    assert client.command(6, 0x4D, b"\x01\x09") == (0, bytes(4))
    assert client.command(6, 0x4C, b"\x01\x11\x02\0\0\0") == client.command(6, 0x4D, b"\x01\x11") == (0xCC, b"")


def test_payload_support_versions_and_configuration_are_told(bed):
    client = bed.client()
    assert client.command(6, 0x4E, b"\x0e") == (0, b"\x03\x00\x3f\x00" + bytes(4))
    assert client.command(6, 0x4F, b"\x0e\x01") == (0, b"\x10")
    assert client.command(6, 0x4F, b"\x0e\x02") == (0x80, b"")
    for number in range(9):
        assert client.command(0x0C, 0x22, bytes((1, number, 0, 0)))[0] == 0
    assert client.command(0x0C, 0x22, b"\x01\x09\0\0") == client.command(0x0C, 0x21, b"\x01\x09\0") == (0x80, b"")
    assert client.command(0x0C, 0x22, b"\x81\x01\0\0") == (0, b"\x11")


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\0\0"])
def test_cut_off_packets_and_those_of_others_are_dropped(bed, payload):
    other = bed.client()
    terminal = Terminal(bed, bed.client())
    other.sequence += 1
    assert other.send(wrap(other, b"\x01\0\0\0x")) == []
    assert terminal.send(payload) is None
    assert bed.bmc.drops["a payload that was not activated"] == 1
    packet = wrap(terminal.client, b"\x01\0\0\0x")
    terminal.client.sequence += 1
    fresh = wrap(terminal.client, b"\x02\0\0\0x")
    assert len(terminal.client.send(fresh)) == 1
    assert terminal.client.send(fresh) == [], "a replay"
    assert terminal.client.send(packet[:-1] + bytes((packet[-1] ^ 1,))) == []


@pytest.mark.parametrize("end", ["delete", "disable", "neither"])
def test_the_console_ends_with_the_account_of_its_user_also_if_the_user_sends_nothing(end: str) -> None:
    bed = Bed()
    users = bed.bench.view().users
    users.create("second", "pass-word", "Administrator")
    name, password = "second", "pass-word"
    terminal = Terminal(bed, bed.client(user=name, password=password))
    if end == "delete":
        users.delete(name)
    elif end == "disable":
        users.change(name, enabled=False)
    bed.tick(1)
    for _ in range(2):
        bed.bench.view().command("1", PowerCommand.redfish("ForceRestart"), None)
        bed.bench.advance(30)
    assert bool(terminal.opened()) is (end == "neither")
