"""Users over IPMI are the BMC's accounts."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from emulator.core.bmc.accounts import ATTEMPTS_KEPT, AuthResult
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.ipmi.responder import IpmiResponder
from profiles.model import Lockout
from tests.conftest import make_bench, tiny_profile
from tests.ipmi_client import PEER, Client, Client15, Refused

SET_ACCESS, ACCESS, SET_NAME, NAME, PASSWORD = (6, 0x43), (6, 0x44), (6, 0x45), (6, 0x46), (6, 0x47)
SLOT = 5
NOT_KNOWN = 0x0D


@pytest.fixture
def bmc(bench):
    return IpmiResponder(bench.view(), entropy=os.urandom)


def to(bmc):
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def admin(bmc):
    return Client(to(bmc)).login()


def name(text: str) -> bytes:
    return bytes((SLOT,)) + text.encode().ljust(16, b"\0")


def password(operation: int, text: str = "", size: int = 16) -> bytes:
    return bytes((SLOT | (0x80 if size == 20 else 0), operation)) + (text.encode().ljust(size, b"\0") if text else b"")


def make_bob(admin: Client, level: int = 3) -> None:
    assert admin.command(*SET_NAME, name("bob")) == (0, b"")
    assert admin.command(*PASSWORD, password(2, "s3cret")) == (0, b"")
    assert admin.command(*SET_ACCESS, bytes((0x91, SLOT, level))) == (0, b"")
    assert admin.command(*PASSWORD, password(1)) == (0, b"")


def test_a_user_made_over_ipmi_can_log_in_everywhere(bench, bmc, admin):
    make_bob(admin)
    assert Client(to(bmc), user="bob", password="s3cret", privilege=3).login()
    assert Client15(to(bmc), user="bob", password="s3cret", privilege=3).login()
    result, account = bench.view().verify("bob", "s3cret", "10.0.0.1", "redfish")
    assert (result, account.role, account.slot) == (AuthResult.OK, "Operator", SLOT)
    assert admin.command(*ACCESS, bytes((1, SLOT)))[1][3] == 0x13
    assert "s3cret" not in bench.rack.journal.to_jsonl()


def test_a_user_without_a_password_is_disabled_and_cannot_be_enabled(bmc, admin):
    assert admin.command(*SET_NAME, name("bob")) == (0, b"")
    assert admin.command(*PASSWORD, password(1)) == (0xCC, b"")
    with pytest.raises(Refused) as refused:
        Client(to(bmc), user="bob", password="", privilege=2).login()
    assert refused.value.status == NOT_KNOWN


def test_an_empty_name_deletes_and_another_one_renames(bench, admin):
    make_bob(admin)
    assert admin.command(*SET_NAME, name("rob")) == (0, b"")
    assert bench.view().account("bob") is None
    assert admin.command(*NAME, bytes((SLOT,))) == (0, name("rob")[1:])
    assert admin.command(*SET_NAME, name("")) == (0, b"")
    assert bench.view().account("rob") is None
    assert admin.command(*SET_NAME, name("")) == (0, b"")


@pytest.mark.parametrize(
    "data", [b"\x01" + bytes(16), b"\x11" + bytes(16), b"\x05" + b"\xff" * 16, b"\x05" + b"root".ljust(16, b"\0")]
)
def test_names_that_cannot_be_are_refused(admin, data):
    assert admin.command(*SET_NAME, data) == (0xCC, b"")


def test_a_password_can_be_tested_in_both_lengths_and_told_apart(admin):
    make_bob(admin)
    assert admin.command(*PASSWORD, password(3, "s3cret")) == (0, b"")
    assert admin.command(*PASSWORD, password(3, "s3cret", 20)) == (0, b"")
    assert admin.command(*PASSWORD, password(3, "s3cre")) == (0x80, b"")
    assert admin.command(*PASSWORD, password(2, "x")[:-1]) == (0xC7, b"")
    assert admin.command(*PASSWORD, bytes((SLOT, 2)) + b"\xff" * 16) == (0xCC, b"")
    assert admin.command(*PASSWORD, bytes((9, 2)) + b"x" * 16) == (0xCC, b"")


def test_who_is_renamed_stays_in(bmc, admin):
    make_bob(admin)
    bob = Client(to(bmc), user="bob", password="s3cret", privilege=3).login()
    assert admin.command(*SET_NAME, bytes((SLOT,)) + b"robert".ljust(16, b"\0")) == (0, b"")
    assert bob.command(0, 1)[0] == 0
    assert bob.close() == (0, b"")
    assert Client(to(bmc), user="robert", password="s3cret", privilege=3).login()


def test_a_long_password_is_not_tested_with_a_short_one(admin):
    make_bob(admin)
    assert admin.command(*PASSWORD, password(2, "a-password-of-20-byt", 20)) == (0, b"")
    assert admin.command(*PASSWORD, password(3, "a-password-of-20-byt", 20)) == (0, b"")
    assert admin.command(*PASSWORD, password(3, "a-password-of-20")) == (0x81, b"")


@pytest.mark.parametrize("how", ["disabled", "no access", "deleted"])
def test_a_user_who_is_shut_out_loses_the_open_session_too(bench, bmc, admin, how):
    make_bob(admin)
    bob = Client(to(bmc), user="bob", password="s3cret", privilege=3).login()
    command, data = {
        "disabled": (PASSWORD, password(0)),
        "no access": (SET_ACCESS, bytes((1, SLOT, 0x0F))),
        "deleted": (SET_NAME, name("")),
    }[how]
    assert admin.command(*command, data) == (0, b"")
    assert bob.command(0, 1) is None
    assert bmc.drops["a session that does not exist here"] == 1
    assert any(e.data.get("what") == "closed: the account is gone" for e in bench.events(EventKind.SESSION))


def test_a_user_without_ipmi_messaging_still_has_redfish(bench, bmc, admin):
    make_bob(admin)
    assert admin.command(*SET_ACCESS, bytes((0x81, SLOT, 3))) == (0, b"")
    assert admin.command(*ACCESS, bytes((1, SLOT)))[1][3] == 0x03
    with pytest.raises(Refused) as refused:
        Client(to(bmc), user="bob", password="s3cret", privilege=3).login()
    assert refused.value.status == NOT_KNOWN
    assert bench.view().verify("bob", "s3cret", "10.0.0.1", "redfish")[0] is AuthResult.OK
    assert admin.command(*SET_ACCESS, bytes((0x91, SLOT, 3))) == (0, b"")
    assert Client(to(bmc), user="bob", password="s3cret", privilege=3).login()


def test_the_last_administrator_cannot_shut_everybody_out(admin):
    assert admin.command(*PASSWORD, b"\x02\x00") == (0xD6, b"")
    assert admin.command(*SET_ACCESS, b"\x01\x02\x02") == (0xD6, b"")
    assert admin.command(*SET_ACCESS, b"\x01\x02\x07") == (0xCC, b"")


def test_only_administrators_change_users(bmc, admin):
    make_bob(admin)
    bob = Client(to(bmc), user="bob", password="s3cret", privilege=3).login()
    for command, data in ((SET_NAME, name("eve")), (PASSWORD, password(2, "x")), (SET_ACCESS, bytes((1, SLOT, 4)))):
        assert bob.command(*command, data) == (0xD4, b"")


@pytest.mark.parametrize("by", ["account", "address"])
def test_strangers_cannot_make_the_memory_of_failures_grow(by):
    rule = Lockout(by=by, failures=3, window_s=60.0, penalty_s=60.0)
    profile = tiny_profile()
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, auth=replace(profile.auth, lockout=rule))))
    accounts, view = bench.rack.unit("node1").accounts, bench.view()
    for _ in range(3):
        view.verify("root", "wrong", "10.9.9.9", "redfish")
    for n in range(3 * ATTEMPTS_KEPT):
        view.verify(f"nobody{n}", "x", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "redfish")
    assert len(accounts._attempts) <= ATTEMPTS_KEPT + 1
    assert view.is_locked("root", "10.9.9.9"), "a flood of strangers does not unlock anybody"
