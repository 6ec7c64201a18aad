"""A vendor's own IPMI commands, as data and as code, and a profile's oem.py for Redfish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import profiles
from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.core.rack import HostSpec, UnitSpec
from emulator.ipmi.responder import IpmiResponder
from emulator.redfish.service.tree import Tree
from profiles.model import Profile
from tests.conftest import make_bench
from tests.ipmi_client import PEER, Client

HEAD = "schema: profile/1\nid: acme\ntitle: Acme\nextends: dmtf-generic\nsources: {me: {ref: our lab}}\n"
OEM = """
ipmi:
  oem:
    - {netfn: 0x30, command: 0x70, data: "0c 00", answer: "01", evidence: [captured, me]}
    - {netfn: 0x30, command: 0x70, data: "0c", answer: "02 03", evidence: [captured, me]}
    - {netfn: 0x2E, command: 0x01, code: 0xD5, evidence: [captured, me]}
"""
CODE = """
from emulator.ipmi.call import CompletionError
from emulator.redfish.service.resource import Resource, fixed_content


def redfish(profile, names):
    return [Resource(path=f"/redfish/v1/Acme/{name.id}", content=fixed_content(lambda view: {"Id": "x"})) for name in names]


def led(call):
    if len(call.data) != 1:
        raise CompletionError(0xC7)
    return call.data[::-1] + b"!"


IPMI = {(0x30, 0x01): led}
"""


def loaded(at: Path, yaml: str = "", code: str | None = None) -> Profile:
    (at / "acme").mkdir()
    (at / "acme" / "profile.yaml").write_text(HEAD + yaml)
    if code is not None:
        (at / "acme" / "oem.py").write_text(code)
    return profiles.load(at / "acme")


def client(profile: Profile) -> Client:
    bench = make_bench(UnitSpec(name="node1", profile=profile, hosts=(HostSpec(),)))
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    account = profile.auth.accounts[0]
    return Client(
        lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)],
        user=account.name,
        password=account.password,
    ).login()


def tree(profile: Profile) -> Tree:
    return Tree(profile, (SystemName(id="1", chassis_id="1", uuid="", serial="", host_name=""),))


def test_a_command_of_the_vendor_is_data(tmp_path):
    bmc = client(loaded(tmp_path, OEM))
    assert bmc.command(0x30, 0x70, bytes((0x0C, 0x00))) == (0, b"\x01")
    assert bmc.command(0x30, 0x70, bytes((0x0C, 0x07))) == (0, b"\x02\x03")
    assert bmc.command(0x30, 0x70, b"\x0d") == (0xCC, b"")
    assert bmc.command(0x2E, 0x01) == (0xD5, b"")
    assert bmc.command(0x2E, 0x02) == (0xC1, b"")


def test_a_profile_may_have_code(tmp_path):
    profile = loaded(tmp_path, code=CODE)
    bmc = client(profile)
    assert bmc.command(0x30, 0x01, b"\x07") == (0, b"\x07!")
    assert bmc.command(0x30, 0x01) == (0xC7, b"")
    assert any(resource.path == "/redfish/v1/Acme/1" for resource in tree(profile))


def test_code_of_a_parent_is_inherited_and_counts_in_the_digest(tmp_path):
    parent = loaded(tmp_path, code=CODE)
    (tmp_path / "child.yaml").write_text(HEAD.replace("id: acme", "id: child").replace("dmtf-generic", "acme"))
    assert profiles.load(tmp_path / "child.yaml").code == parent.code
    (tmp_path / "acme" / "oem.py").write_text(CODE + "\n")
    assert profiles.load(tmp_path / "acme").digest != parent.digest


def test_the_place_is_said_for_a_path_that_is_not_absolute_too(tmp_path, monkeypatch):
    loaded(tmp_path, code="\nimport nonsense\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RackMisconfigured, match=r"^acme/oem\.py:2: ModuleNotFoundError"):
        tree(profiles.load("./acme"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\nraise ValueError('no')\n", r"oem\.py:2: ValueError: no"),
        ("def (\n", r"oem\.py:1:5: SyntaxError"),
        ("redfish = 1\n", r"oem\.py: redfish must be a function"),
    ],
)
def test_code_that_fails_is_one_sentence_with_its_place(tmp_path, code, said):
    with pytest.raises(RackMisconfigured, match=said):
        tree(loaded(tmp_path, code=code))
