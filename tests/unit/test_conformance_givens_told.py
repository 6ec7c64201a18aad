"""Preconditions about log-ins, identity and addresses: what each makes of the rack, and what it lets the fencer know."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.givens import address_as
from conformance.givens.address_as import AddressAs, OverIpv6
from conformance.givens.bmc import ON, host
from conformance.givens.chassis_tells_power import ChassisTellsPower
from conformance.givens.circumstance import Circumstance
from conformance.givens.given import FaultFacts, Given, PlannedRack
from conformance.givens.has_uuid import HasUuid
from conformance.givens.inject import Inject
from conformance.givens.log_in_rules import LogInRules
from conformance.givens.no_identity import NoIdentity
from conformance.givens.other_system import OtherSystem, OtherSystemTrouble
from conformance.givens.password_from import PasswordFrom
from conformance.givens.password_is import PasswordIs
from conformance.givens.reset_types import ResetTypes
from conformance.givens.verbose import Verbose
from conformance.givens.verifies_tls import VerifiesTls
from conformance.givens.wrong_target import STRANGER, OtherIdentity, OtherIpmiTarget, UnknownSystem
from emulator import Armed, Emulator, UnitSpec, make_fault
from profiles import load

DELL = load("dell-idrac9")
OPENBMC = load("openbmc-x86")
PASSWORD = "Zq7-0123456789ab"
VALUES = {
    "bmc.host": "127.0.0.1",
    "bmc.port": "8443",
    "bmc.url": "https://127.0.0.1:8443",
    "bmc.password": PASSWORD,
    "bmc.password_file": "",
    "bmc.password_script": "",
    "bmc.system_uri": "/redfish/v1/Systems/1",
    "bmc.uuid": "u",
    "bmc.ipmi_target": "",
    "bmc.insecure": "1",
    "bmc.ca_file": "/nowhere/target.pem",
    "bmc.verbose": "",
}


def unit(given: Given, profile=DELL) -> UnitSpec:
    """What becomes of the target; another BMC stays as it was."""
    rack = PlannedRack(profile=profile, password=PASSWORD)
    for each in (host(ON), host(ON, name="other")):
        rack = each.shape(rack)
    shaped = given.shape(rack)
    assert shaped.units[1] == rack.units[1]
    return shaped.units[0]


def changes(given: Given) -> Mapping[str, str]:
    """The placeholders that a fencer sees otherwise."""
    told = given.handed(VALUES)
    assert told.keys() == VALUES.keys()
    return {name: value for name, value in told.items() if value != VALUES[name]}


@pytest.mark.parametrize(
    ("given", "changed", "told_by"),
    [
        (Verbose(), {"bmc.verbose": "1"}, set()),
        (VerifiesTls(), {"bmc.insecure": "", "bmc.ca_file": ""}, {"bmc.insecure", "bmc.ca_file"}),
        (VerifiesTls(ca_file=True), {"bmc.insecure": ""}, {"bmc.insecure", "bmc.ca_file"}),
        (
            UnknownSystem(),
            {"bmc.system_uri": "/redfish/v1/Systems/no-such-system", "bmc.uuid": STRANGER},
            {"bmc.system_uri", "bmc.system_id"},
        ),
        (OtherIdentity(), {"bmc.uuid": STRANGER}, {"bmc.uuid"}),
        (NoIdentity(), {"bmc.uuid": ""}, set()),
        (OtherIpmiTarget(), {"bmc.ipmi_target": "0x82"}, {"bmc.ipmi_target"}),
        (AddressAs("name"), {"bmc.host": "localhost", "bmc.url": "https://localhost:8443"}, {"bmc.host", "bmc.url"}),
        (AddressAs("host-port"), {"bmc.host": "127.0.0.1:8443", "bmc.port": ""}, {"bmc.host"}),
        (PasswordFrom("file"), {"bmc.password": "", "bmc.password_file": "/nowhere/target.password"}, {"bmc.password_file"}),
        (PasswordFrom("script"), {"bmc.password": "", "bmc.password_script": "/nowhere/target.sh"}, {"bmc.password_script"}),
    ],
    ids=lambda value: value.sentence if isinstance(value, Given) else "",
)
def test_what_the_fencer_is_told(given: Given, changed: dict[str, str], told_by: set[str]) -> None:
    assert changes(given) == changed
    assert given.told_by == told_by
    assert given.sentence


def test_a_certificate_fails_without_its_authority_or_with_a_flaw() -> None:
    assert [VerifiesTls(ca, valid).certificate_fails for ca in (False, True) for valid in (False, True)] == [True] * 3 + [False]
    assert "is given the CA certificate" in VerifiesTls(ca_file=True).sentence


def test_a_password_file_and_a_program_lie_beside_the_certificate_for_their_owner_only(tmp_path: Path) -> None:
    endpoint = SimpleNamespace(ca_file=str(tmp_path / "target.pem"), password="pä ss")
    emulator = cast(Emulator, SimpleNamespace(endpoints={"target": endpoint}))
    PasswordFrom("file").arrange(emulator)
    PasswordFrom("script").arrange(emulator)  # a scenario may have both
    file, script = tmp_path / "target.password", tmp_path / "target.sh"
    assert file.read_text(encoding="utf-8") == "pä ss\n"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(script.stat().st_mode)) == (0o600, 0o700)
    assert "pä ss" not in script.read_text(encoding="utf-8")


@pytest.mark.parametrize(("start", "size"), [("a' ", 16), ("pässwört€", 16), ("Zq7-", 20)])
def test_a_password_has_its_size_in_bytes_and_differs_from_run_to_run(start: str, size: int) -> None:
    given = PasswordIs(start, size, "target")
    password = str(unit(given).password)
    assert password.startswith(start)
    assert len(password.encode()) == min(size, len(start.encode()) + len(PASSWORD))
    assert start in given.sentence


def test_rules_for_log_ins_change_what_they_name_and_nothing_else() -> None:
    assert unit(LogInRules("none")).profile == DELL
    strict = unit(LogInRules("strict", basic=False, slots=3, role="ReadOnly", failures=2)).profile
    assert (strict.auth.basic, strict.auth.no_auth, strict.auth.sessions.max, strict.ipmi.sessions) == (False, None, 3, 3)
    assert (strict.auth.accounts[0].role, strict.auth.lockout.failures, strict.auth.lockout.by) == ("ReadOnly", 2, "account")
    assert unit(LogInRules("open", basic=True)).profile.auth == DELL.auth
    assert LogInRules("words").sentence == "words"


def test_reset_types_are_taken_away_listed_elsewhere_or_replaced_by_a_button() -> None:
    without = unit(ResetTypes("x", without=frozenset({"ForceOff"}))).profile.power
    assert "ForceOff" not in without.reset_types
    assert not any("ForceOff" in cells for cells in without.table.values())
    assert unit(ResetTypes("x", listed="none")).profile.power == replace(DELL.power, advertise="none")
    button = unit(ResetTypes("x", button_only=True)).profile.power
    assert button.reset_types == ("PushPowerButton",)
    assert button.table["Off"]["PushPowerButton"] == DELL.power.table["Off"]["On"]
    assert ResetTypes("x").sentence == "x"


def test_a_button_without_a_model_does_what_unlisted_types_do() -> None:
    bare = replace(DELL, power=replace(DELL.power, table={"Off": {}, "On": {}}))
    assert unit(ResetTypes("x", button_only=True), bare).profile.power.table == {"Off": {}, "On": {}}


def test_a_chassis_that_has_no_power_state_gets_one() -> None:
    x10 = load("supermicro-x10")
    assert not x10.power.chassis.power_state
    (telling,) = host(ON).shape(ChassisTellsPower().shape(PlannedRack(profile=x10, password="x"))).units
    assert telling.profile.power.chassis.power_state
    assert ChassisTellsPower().shape(PlannedRack(profile=DELL, password="x")).profile == DELL


def test_a_uuid_is_given_where_there_is_none() -> None:
    assert unit(HasUuid()).profile == DELL
    assert unit(HasUuid(), OPENBMC).profile.identity == replace(OPENBMC.identity, system_uuid="random")
    assert HasUuid().sentence == "target: the system shows a UUID"


def test_an_ipv6_address_needs_a_machine_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = OverIpv6("target")
    assert given.shape(PlannedRack(profile=DELL, password=PASSWORD)).addresses == {"target": "::1"}
    assert "::1" in given.sentence
    for text, missing in (("0" * 31 + "1 01 80 10 80       lo\n", False), ("", True), (None, True)):
        file = tmp_path / "if_inet6"
        file.write_text(text) if text is not None else file.unlink()
        monkeypatch.setattr(address_as, "IPV6_ADDRESSES", file)
        assert (given.missing_in(DELL) is not None) is missing


def test_a_circumstance_is_armed_and_makes_no_run_void() -> None:
    armed: list[Armed] = []
    emulator = cast(Emulator, SimpleNamespace(arm=lambda name, fault: armed.append(fault)))
    given = Circumstance.of(Inject("words", Armed(fault=make_fault("power.ignore")), "target"))
    given.arrange(emulator)
    assert armed == [given.armed]
    assert (given.sentence, given.bmc, given.faults(emulator)) == ("words", "target", ())


@pytest.mark.parametrize("trouble", list(OtherSystemTrouble))
def test_trouble_with_another_system_names_the_uris_of_the_profile(trouble: OtherSystemTrouble) -> None:
    systems = tuple(
        SimpleNamespace(uri=f"/redfish/v1/Systems/{name}", chassis=f"/redfish/v1/Chassis/{name}") for name in ("own", "other")
    )
    armed: list[Armed] = []
    emulator = cast(
        Emulator,
        SimpleNamespace(
            endpoints={"target": SimpleNamespace(systems=systems)},
            arm=lambda name, fault: armed.append(fault),
            faults=lambda name: [
                SimpleNamespace(armed=armed[0], fired=2),
                SimpleNamespace(armed=Armed(fault=make_fault("power.ignore")), fired=9),
            ],
        ),
    )
    given = OtherSystem(trouble)
    given.arrange(emulator)
    assert armed[0].when.path in {system.uri for system in systems}
    must_fire = trouble is not OtherSystemTrouble.UNAVAILABLE
    assert given.faults(emulator) == (FaultFacts(sentence=given.sentence, bmc="target", must_fire=must_fire, fired=2),)
    assert replace(given, needed=False).faults(emulator) == ()
