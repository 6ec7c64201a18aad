"""A BMC that is back on the network and not ready yet answers IPMI as its profile says."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from emulator.core.rack import UnitSpec
from emulator.ipmi.responder import IpmiResponder
from profiles import load
from profiles.model import BmcReset, Span
from tests.conftest import make_bench, tiny_profile
from tests.ipmi_client import PEER, Client, request, sessionless

STATUS, CONTROL, DEVICE = (0, 1), (0, 2), (6, 1)
CAPABILITIES = sessionless(request(6, 0x38, b"\x8e\x04"))


def restarted(**after):
    """A BMC in the ten seconds after its outage, with its bench and a way to send to it."""
    rules = BmcReset(
        reset_types=(),
        reply="ok",
        grace_s=Span(0, 0),
        outage_s=Span(20, 20),
        after={"reply": "full", "for_s": Span(10, 10)} | after,
    )
    bench = make_bench(UnitSpec(name="node1", profile=replace(tiny_profile(), bmc_reset=rules)))
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    bench.view().reset_bmc("cold")
    bench.advance(21)
    return bench, lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


def test_without_a_code_it_is_silent_until_it_is_ready():
    bench, send = restarted()
    assert send(CAPABILITIES) == send(bytes.fromhex("0600ff06000011be80010000")) == []
    bench.advance(9)
    assert send(CAPABILITIES) != []
    assert Client(send).login().command(*STATUS)[0] == 0


@pytest.mark.parametrize("code", [0xD2, 0xC0])
def test_with_a_code_every_command_but_those_of_sessions_gets_it(code):
    bench, send = restarted(ipmi=code)
    client = Client(send).login()
    assert client.command(*STATUS) == client.command(*DEVICE) == client.command(*CONTROL, b"\x00") == (code, b"")
    assert client.command(0x0A, 0x40) == client.command(0x3E, 1) == (code, b"")
    assert bench.host().rail == "up"
    bench.advance(9)
    assert client.command(*STATUS)[0] == 0
    assert client.close() == (0, b"")


def test_where_only_some_resets_are_not_ready_all_else_works():
    bench, send = restarted(ipmi=0xFF, reset=["ForceRestart"])
    client = Client(send).login()
    assert client.command(*STATUS)[0] == client.command(*DEVICE)[0] == 0
    assert client.command(*CONTROL, b"\x03") == (0xFF, b"")
    assert client.command(*CONTROL, b"\x01")[0] != 0xFF
    bench.advance(9)
    assert client.command(*CONTROL, b"\x03") == (0, b"")


def test_without_a_code_only_those_resets_are_not_answered():
    _, send = restarted(reset=["ForceRestart"])
    client = Client(send).login()
    assert client.command(*CONTROL, b"\x03") is None
    assert client.command(*STATUS)[0] == 0


def test_shipped_profiles_have_a_code_only_where_one_is_known():
    codes = {name: load(name).bmc_reset.after.get("ipmi") for name in ("dmtf-generic", "dell-idrac9", "openbmc-x86")}
    assert codes == {"dmtf-generic": None, "dell-idrac9": None, "openbmc-x86": 0xFF}
