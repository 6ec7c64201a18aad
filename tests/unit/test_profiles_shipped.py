"""What the shipped profiles promise to the front ends and to whoever fences through them."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest

import profiles
from conformance.selection import USUAL_PROFILES
from emulator.core.rack import HostSpec, UnitSpec
from emulator.faults.model import check_profile
from profiles import schema
from profiles.model import Confidence, HostEvent, Profile, Span, View
from tests.conftest import make_bench

SHIPPED = (
    "ami-megarac", "cisco-cimc", "dell-idrac10", "dell-idrac8", "dell-idrac9", "dmtf-generic", "fujitsu-irmc", "hpe-ilo4",
    "hpe-ilo5", "hpe-ilo6", "hpe-ilo7", "hpe-superdome-flex", "huawei-ibmc", "ipmi-only", "lenovo-imm2", "lenovo-xcc",
    "nvidia-bluefield", "nvidia-dgx", "openbmc-phosphor", "openbmc-x86", "supermicro-x10", "supermicro-x11",
    "supermicro-x12", "supermicro-x13",
)  # fmt: skip


BMCS = profiles.names()


@functools.cache
def loaded(name: str) -> Profile:
    return profiles.load(name)


def answer(profile: Profile, state: str, reset_type: str) -> tuple[int, str | None, str]:
    """Status, message id and effect of a cell."""
    outcome = profile.power.outcomes[profile.power.table[state][reset_type].outcome]
    reply = profile.replies[outcome.reply]
    message = profile.messages[reply.message].id if reply.message else None
    return reply.status, message, outcome.effect


def test_the_names() -> None:
    assert set(SHIPPED) <= set(BMCS), "a name that was shipped stays"
    assert {"enclosure-generic", "pdu-generic"} <= set(profiles.feeder_names())
    assert {"base-registry-1-0", "openbmc"} <= set(profiles.all_names()) - {*profiles.names(), *profiles.feeder_names()}
    assert profiles.path("dell-idrac9").is_file()


@pytest.mark.parametrize(
    ("name", "state", "reset_type", "status", "message", "effect"),
    [
        ("dell-idrac9", "Off", "ForceOff", 409, "IDRAC.2.7.PSU502", "none"),
        ("dell-idrac9", "Off", "GracefulShutdown", 409, "IDRAC.2.7.PSU502", "none"),
        ("dell-idrac9", "On", "On", 409, "IDRAC.2.7.PSU501", "none"),
        ("dell-idrac9", "On", "ForceOff", 204, None, "force_off"),
        ("dell-idrac9", "Off", "On", 204, None, "boot"),
        ("openbmc-x86", "Off", "ForceOff", 204, None, "none"),
        ("openbmc-x86", "Off", "PowerCycle", 204, None, "none"),
        ("openbmc-x86", "Off", "ForceRestart", 204, None, "none"),
        ("openbmc-x86", "On", "On", 204, None, "none"),
        ("dmtf-generic", "Off", "ForceOff", 200, "Base.1.22.NoOperation", "none"),
        ("dmtf-generic", "On", "On", 200, "Base.1.22.NoOperation", "none"),
        ("dmtf-generic", "On", "ForceOn", 200, "Base.1.22.NoOperation", "none"),
        ("dmtf-generic", "Off", "GracefulShutdown", 200, "Base.1.22.NoOperation", "none"),
        ("dmtf-generic", "Off", "ForceRestart", 204, None, "boot"),
        ("dmtf-generic", "Off", "PowerCycle", 204, None, "boot"),
        ("dmtf-generic", "On", "PowerCycle", 204, None, "power_cycle"),
        ("ami-megarac", "Off", "ForceOff", 202, None, "none"),
        ("ami-megarac", "On", "ForceOff", 202, None, "force_off"),
        ("dell-idrac8", "On", "On", 409, "IDRAC.1.6.PSU501", "none"),
        ("dell-idrac8", "On", "GracefulRestart", 204, None, "hard_restart"),
        ("hpe-ilo4", "Off", "ForceRestart", 400, "iLO.0.10.InvalidOperationForSystemState", "none"),
        ("hpe-ilo5", "On", "On", 400, "iLO.2.15.InvalidOperationForSystemState", "none"),
        ("hpe-ilo5", "On", "ForceOff", 200, "Base.1.4.Success", "force_off"),
        ("hpe-ilo5", "Off", "GracefulShutdown", 400, "iLO.2.15.InvalidOperationForSystemState", "none"),
        ("hpe-ilo6", "On", "GracefulRestart", 200, "Base.1.18.Success", "hard_restart"),
        ("hpe-ilo7", "On", "GracefulRestart", 200, "Base.1.18.Success", "graceful_restart"),
        ("hpe-superdome-flex", "Off", "ForceRestart", 500, "Base.1.8.InternalError", "none"),
        ("huawei-ibmc", "On", "ForceOff", 200, "Base.1.0.Success", "force_off"),
        ("fujitsu-irmc", "On", "PowerCycle", 204, None, "power_cycle"),
        ("hpe-ilo5", "Off", "ColdBoot", 400, "iLO.2.15.InvalidOperationForSystemState", "none"),
        ("lenovo-xcc", "Off", "ForceOff", 204, None, "none"),
        ("openbmc-phosphor", "Off", "ForceRestart", 204, None, "boot"),
        ("openbmc-phosphor", "Off", "ForceOff", 204, None, "none"),
    ],
)
def test_key_cells(name: str, state: str, reset_type: str, status: int, message: str | None, effect: str) -> None:
    assert answer(loaded(name), state, reset_type) == (status, message, effect)


@pytest.mark.parametrize("name", [*BMCS, *profiles.feeder_names()])
def test_each_is_without_mistakes_and_runs_in_a_rack_of_two(name: str) -> None:
    assert profiles.lint(name, also=check_profile).ok
    profile = loaded(name)
    bench = make_bench(*(UnitSpec(name=unit, profile=profile, hosts=(HostSpec(),)) for unit in ("one", "two")))
    if profile.feeder is None:
        one, two = (bench.view(unit).first_system() for unit in ("one", "two"))
        assert one.serial != two.serial


def test_what_is_not_known_never_switches_a_host_on() -> None:
    for name in BMCS:
        profile = loaded(name)
        unknown = {
            word: cell for word, cell in profile.power.table["Off"].items() if cell.assumed and word not in ("On", "ForceOn")
        }
        commands = {word: cell for word, cell in profile.ipmi.chassis["Off"].items() if cell.assumed and word != "up"}
        effects = {profile.power.outcomes[cell.outcome].effect for cell in unknown.values()}
        effects |= {cell.effect for cell in commands.values()}
        assert not any(step.real == "On" for effect in effects for step in profile.power.effects.get(effect, ()))


def test_a_profile_with_one_known_cell_or_none_says_so_in_its_title() -> None:
    for name in BMCS:
        profile = loaded(name)
        known = [cell for row in profile.power.table.values() for cell in row.values() if not cell.assumed]
        assert ("identity only" in profile.title) is profile.identity_only is (len(known) <= 1), name


@pytest.mark.parametrize("name", BMCS)
def test_a_polite_request_only_signals_the_operating_system(name: str) -> None:
    power = loaded(name).power
    (polite,) = power.effects["graceful_off"]
    assert polite.event is HostEvent.OS_SHUTDOWN
    assert polite.real is None
    assert not polite.says
    assert [step.real for step in power.on_os_down if step.real] == ["Off"]


@pytest.mark.parametrize("name", BMCS)
def test_every_effect_that_cuts_the_power_ends_with_all_views_telling_the_truth(name: str) -> None:
    power = loaded(name).power
    for steps in (*power.effects.values(), power.on_os_down):
        rail, views = None, dict[View, str | None]()
        for step in steps:
            rail, views = step.real or rail, views | dict(step.says)
        assert rail is None or views == dict.fromkeys(View, rail)


@pytest.mark.parametrize(("name", "eager"), [("openbmc-x86", True), ("dell-idrac9", False), ("dmtf-generic", False)])
def test_only_openbmc_says_off_while_the_power_is_on(name: str, eager: bool) -> None:
    first, *_, last = (*loaded(name).power.effects["force_off"],) * 2
    assert (first.real is None and first.says.get(View.SYSTEM) == "Off") is eager
    if eager:
        assert first.at == Span(0, 0)
        assert last.at == Span(4, 15)
        assert set(last.says) == {View.CHASSIS, View.IPMI}


def test_faults_that_were_met_on_one_generation_are_not_those_of_another() -> None:
    nine = {"job_queue_500", "full_as_401", "full_as_400"}
    assert nine <= loaded("dell-idrac9").faults.keys()
    assert not any(nine & loaded(name).faults.keys() for name in ("dell-idrac8", "dell-idrac10"))


def test_off_over_ipmi_when_off() -> None:
    codes = {name: loaded(name).ipmi.chassis["Off"]["down"].completion_code for name in USUAL_PROFILES}
    assert codes == {"dell-idrac9": 0xD5, "dmtf-generic": 0x00, "openbmc-x86": 0x00}


@pytest.mark.parametrize("name", BMCS)
def test_every_name_inside_a_loaded_profile_resolves(name: str) -> None:
    profile = loaded(name)
    effects = {*profile.power.effects, "none"}
    for outcome in profile.power.outcomes.values():
        assert outcome.reply in profile.replies
        assert outcome.effect in effects
    own_words = {word for action in profile.power.oem_actions for word in action.values.values()}
    for cells in profile.power.table.values():
        assert tuple(cells)[: len(profile.power.reset_types)] == profile.power.reset_types
        assert set(cells) - set(profile.power.reset_types) <= own_words
    for commands in profile.ipmi.chassis.values():
        assert set(commands) == {"down", "up", "cycle", "reset", "diag", "soft"}
        assert {cell.effect for cell in commands.values()} <= effects
    for evidence in profile.evidence.values():
        assert evidence.confidence is Confidence.INFERRED or evidence.sources
        assert set(evidence.sources) <= set(profile.sources)


def test_the_idrac_error_has_its_captured_shape() -> None:
    dell = profiles.load("dell-idrac9")
    assert dell.errors.code == "Base.1.12.GeneralError"
    assert dell.messages["psu502"].text == "Server is already powered OFF."
    assert dell.messages["psu501"].text == "Server is already powered ON."
    assert dell.messages["sys518"].severity == "Informational"
    assert dell.auth.sessions.max == 8
    assert dell.replies[dell.auth.sessions.on_full or ""].status == 503


def test_what_only_the_request_knows_stays_in_the_text() -> None:
    generic = profiles.load("dmtf-generic")
    assert generic.errors.code == "{message_id}"
    assert generic.messages["not_in_list"].args == ("{reset_type}", "ResetType", "Reset")
    assert profiles.load("dell-idrac9").tasks["id"] == "JID_{digits:12}"
    assert profiles.load("openbmc-x86").tasks["monitor"] == "/redfish/v1/TaskService/TaskMonitors/{n}"
    assert profiles.load("openbmc-x86").faults["state_service_gone"]["when"]["path"] == "/redfish/v1/Systems/system"


def test_bmcweb_answers_a_missing_login_with_nothing() -> None:
    reply = profiles.load("openbmc-x86").replies["no_auth"]
    assert (reply.status, reply.message, reply.body) == (401, None, "empty")


def test_each_machine_can_have_a_serial_number_of_its_own() -> None:
    one, two = (profiles.load("dell-idrac9", {"serial": serial}) for serial in ("AAAAAA1", "BBBBBB2"))
    assert (one.vars["serial"], two.vars["serial"]) == ("AAAAAA1", "BBBBBB2")
    assert (one.given, two.given) == ((("serial", "AAAAAA1"),), (("serial", "BBBBBB2"),))
    assert one.identity == two.identity  # it is filled when a machine is shown


def test_the_default_passwords_are_no_words_of_a_refusal() -> None:
    """A validator that looks for the password in error bodies must not find it there by accident."""
    for name in BMCS:
        profile = loaded(name)
        texts = " ".join(f"{message.text} {message.resolution}" for message in profile.messages.values()).lower()
        assert all(account.password.lower() not in texts for account in profile.auth.accounts)


def _deep(value: object) -> None:
    assert not isinstance(value, dict | list), value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            _deep(getattr(value, field.name))
    elif isinstance(value, Mapping):
        assert isinstance(value, MappingProxyType)
        for item in value.values():
            _deep(item)
    elif isinstance(value, tuple):
        for item in value:
            _deep(item)


@pytest.mark.parametrize("name", BMCS)
def test_a_profile_cannot_be_changed_anywhere(name: str) -> None:
    _deep(loaded(name))


def test_loading_twice_gives_the_same_digest() -> None:
    digests = {load(name).digest for name in BMCS for load in (profiles.load, loaded)}
    assert len(digests) == len(BMCS)
    assert all(len(digest) == 64 for digest in digests)


def test_the_schema_for_editors_is_fresh() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: python -m profiles.schema"


def test_free_json_can_be_written_as_json_again() -> None:
    override = profiles.load("openbmc-x86").faults["old_success_200"]["params"]["body"]
    assert json.loads(json.dumps(profiles.thawed(override))) == profiles.thawed(override)
    with pytest.raises(TypeError):
        json.dumps(override)


def test_times_inside_small_maps_are_spans() -> None:
    after = profiles.load("openbmc-x86").bmc_reset.after
    assert after is not None
    assert after["for_s"] == Span(30, 30)
    assert after["reset"] == ("On", "ForceOn", "ForceRestart", "GracefulRestart", "PowerCycle")
