"""What can be tried on whom, and what an exit code of an agent claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import fencers
from conformance.adapters.agent import claim_of
from conformance.adapters.python_child import exit_of
from conformance.givens.profile_answers import ProfileAnswers
from conformance.runner import MatrixCell, NotApplicable, RunOptions, fit, repeat_line
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Ask, Claim, Protocol
from profiles import load

DELL = load("dell-idrac9")


def cell(fencer: str, scenario: str) -> MatrixCell:
    return MatrixCell(fencers.load(fencer), DELL, BY_ID[scenario])


@pytest.mark.parametrize("profile", ["dell-idrac9", "openbmc-x86", "dmtf-generic"])
def test_everything_but_managers_is_applicable_to_the_reference(profile: str) -> None:
    reference, bmc = fencers.load("fence_bmc"), load(profile)
    for scenario in ALL:
        if scenario.group != "HA":
            fit(MatrixCell(reference, bmc, scenario))


def test_a_manager_is_asked_to_watch_and_nothing_else() -> None:
    manager, fencer = fencers.load("fence-ha"), fencers.load("fence_bmc")
    for scenario in ALL:
        fits, other = (fencer, manager) if scenario.group != "HA" else (manager, fencer)
        fit(MatrixCell(fits, DELL, scenario))
        with pytest.raises(NotApplicable):
            fit(MatrixCell(other, DELL, scenario))


def test_a_fencer_is_asked_over_both_protocols_where_a_scenario_needs_both() -> None:
    both, one = fit(cell("fence_bmc", "IPMI-014")).definition, fit(cell("fence_bmc", "STATE-001")).definition
    assert [way.params.get("protocol") for way in both.ways.values()] == ["redfish,ipmi"] * 2  # type: ignore[attr-defined]
    assert one.ways[Protocol.REDFISH].params.get("protocol") is None  # type: ignore[attr-defined]
    ever_the_same = replace(one, both=None)
    assert ever_the_same.meeting(frozenset({"dual"})) is ever_the_same


def test_ipmi_scenarios_go_over_ipmi_and_all_others_over_redfish() -> None:
    assert fit(cell("fence_bmc", "STATE-003")).protocol is Protocol.IPMI
    assert fit(cell("fence_bmc", "STATE-016")).protocol is Protocol.REDFISH
    assert fit(cell("ipmitool", "STATE-016")).protocol is Protocol.IPMI


@pytest.mark.parametrize(
    ("fencer", "scenario", "why"),
    [
        ("ipmitool", "STATE-001", "does not speak redfish"),
        ("fence_redfish", "IPMI-002", "does not speak ipmi"),
        ("ipmitool", "AGENT-003", "not invoked so"),
    ],
)
def test_what_does_not_apply_says_why(fencer: str, scenario: str, why: str) -> None:
    with pytest.raises(NotApplicable, match=why):
        fit(cell(fencer, scenario))


def test_a_fencer_is_not_asked_for_what_it_cannot_do() -> None:
    some = cell("fence_bmc", "AGENT-003")
    with pytest.raises(NotApplicable, match="cannot be asked for reboot"):
        fit(replace(some, definition=replace(some.definition, asks=frozenset(Ask) - {Ask.REBOOT})))


def test_optional_asks_are_left_out() -> None:
    assert {step.ask for step in fit(cell("ipmitool", "STATE-019")).steps} == {Ask.STATUS}
    assert len(fit(cell("fence_bmc", "STATE-019")).steps) == 6


def test_a_needed_capability_that_is_not_declared_does_not_apply() -> None:
    some = cell("fence_redfish", "STATE-016")
    with pytest.raises(NotApplicable, match="does not declare sessions"):
        fit(replace(some, scenario=replace(some.scenario, needs=frozenset({"sessions"}))))


def test_a_step_that_needs_more_is_left_out_and_none_left_does_not_apply() -> None:
    some = cell("fence_redfish", "AUTH-005")
    assert [step.bmc for step in fit(some).steps] == ["basic-only"]
    mute = replace(some, definition=replace(some.definition, capabilities=frozenset({"redfish"})))
    with pytest.raises(NotApplicable, match="does not declare sessions; fence_redfish does not declare basic-auth"):
        fit(mute)
    assert len(fit(replace(some, definition=replace(some.definition, capabilities=None))).steps) == 2


def test_what_a_fencer_cannot_be_told_does_not_apply() -> None:
    with pytest.raises(
        NotApplicable, match=r"cannot be told that .* the IPMI target 0x82.*: its file has no \{bmc.ipmi_target\}"
    ):
        fit(cell("ipmitool", "ID-018"))
    assert fit(cell("fence_ipmilan", "ID-018")).steps
    assert fit(cell("cloudstack-redfish", "ID-004")).steps  # a function is handed everything


def test_what_names_nothing_over_a_protocol_is_no_way_to_be_told() -> None:
    function, ipmi_only = fencers.load("conflict-is-off"), load("ipmi-only")
    over_ipmi = fit(MatrixCell(function, ipmi_only, BY_ID["AUTH-007"]))
    assert over_ipmi.protocol is Protocol.IPMI
    assert not any(step.told for step in over_ipmi.steps)  # a BMC has one system there, so that no other one can be named
    assert any(step.told for step in fit(cell("conflict-is-off", "AUTH-007")).steps)
    unknown = replace(BY_ID["ID-004"], protocol=Protocol.IPMI)
    with pytest.raises(NotApplicable, match=r"cannot be told over ipmi that .* does not have: .* names nothing there"):
        fit(MatrixCell(function, ipmi_only, unknown))


def test_a_precondition_that_the_profile_lacks_does_not_apply() -> None:
    some = cell("fence_bmc", "STATE-016")
    given = (*some.scenario.given, ProfileAnswers("Off", "ForceOff", 204))
    with pytest.raises(NotApplicable, match="answers ForceOff on a host that is Off with HTTP 409"):
        fit(replace(some, scenario=replace(some.scenario, given=given)))


def test_a_bmc_without_ipmi_over_lan_does_not_apply() -> None:
    deaf = replace(DELL, ipmi=replace(DELL.ipmi, lan=False))
    with pytest.raises(NotApplicable, match="IPMI over LAN switched off"):
        fit(MatrixCell(fencers.load("ipmitool"), deaf, BY_ID["STATE-003"]))


def test_an_on_that_the_bmc_refuses_for_a_while_after_off_cannot_be_swallowed() -> None:
    with pytest.raises(NotApplicable, match="dell-idrac10 refuses On for up to 60 s after a power-off"):
        fit(MatrixCell(fencers.load("fence_bmc"), load("dell-idrac10"), BY_ID["TRUTH-016"]))
    fit(cell("fence_bmc", "TRUTH-016"))


@pytest.mark.parametrize(("profile", "why"), [("ipmi-only", "has no Redfish"), ("hpe-ilo6", "has IPMI over LAN switched off")])
def test_a_scenario_about_both_protocols_does_not_apply_to_a_bmc_with_one(profile: str, why: str) -> None:
    with pytest.raises(NotApplicable, match=why):
        fit(MatrixCell(fencers.load("fence_bmc"), load(profile), BY_ID["IPMI-014"]))


def test_the_repeat_line_is_what_the_user_would_type() -> None:
    some = replace(cell("fence_bmc", "STATE-016"), profile_word="./my bmc.yaml")
    assert repeat_line(some, RunOptions(seed=7, strict=True)) == (
        "fence-conformance run --fencer fence_bmc --profile './my bmc.yaml' --scenario STATE-016 --seed 7 --strict"
    )


@pytest.mark.parametrize(
    ("ask", "code", "claim"),
    [
        (Ask.OFF, 0, Claim.OFF),
        (Ask.OFF, 1, Claim.FAILED),
        (Ask.OFF, 2, Claim.FAILED),
        (Ask.ON, 0, Claim.ON),
        (Ask.REBOOT, 0, Claim.REBOOTED),
        (Ask.STATUS, 0, Claim.ON),
        (Ask.STATUS, 2, Claim.OFF),
        (Ask.STATUS, 1, Claim.FAILED),
        (Ask.MONITOR, 0, Claim.OK),
        (Ask.MONITOR, 2, Claim.OK),
        (Ask.OFF, -9, Claim.FAILED),
        (Ask.OFF, None, Claim.NONE),
    ],
)
def test_exit_codes_of_an_agent(ask: Ask, code: int | None, claim: Claim) -> None:
    assert claim_of(ask, code) is claim


@pytest.mark.parametrize(
    ("action", "answer", "code"),
    [
        ("off", None, 0),
        ("off", True, 0),
        ("off", False, 1),
        ("off", "off", 0),
        ("on", "on", 0),
        ("off", "on", 1),
        ("reboot", "on", 1),
        ("off", "yes", 1),
        ("off", 0, 1),
        ("off", 1, 1),
        ("status", "on", 0),
        ("status", "off", 2),
        ("status", None, 1),
    ],
)
def test_answers_of_a_python_fencer(action: str, answer: object, code: int) -> None:
    assert exit_of(action, answer) == code
