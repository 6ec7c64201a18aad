"""`profile check` and `profile lint` notice what somebody changed: in the running service, or in the file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import cli
from emulator.profile_commands.check import checked
from emulator.profile_commands.check_in_time import checked_in_time
from profiles import load
from profiles.loader import path
from profiles.model import Profile, Span

DELL, AMI, X86 = load("dell-idrac9"), load("ami-megarac"), load("openbmc-x86")
Change = Callable[[Profile], Profile]


def cell(state: str, word: str, like: tuple[str, str]) -> Change:
    """The outcome of another cell."""

    def change(profile: Profile) -> Profile:
        table = {name: dict(row) for name, row in profile.power.table.items()}
        table[state][word] = table[like[0]][like[1]]
        return replace(profile, power=replace(profile.power, table=table))

    return change


def reply(name: str, **changes: object) -> Change:
    return lambda profile: replace(
        profile,
        replies={**profile.replies, name: replace(profile.replies[name], **changes)},  # type: ignore[arg-type]
    )


def message(name: str, **changes: object) -> Change:
    return lambda profile: replace(
        profile,
        messages={**profile.messages, name: replace(profile.messages[name], **changes)},  # type: ignore[arg-type]
    )


def code(state: str, word: str, completion_code: int) -> Change:
    def change(profile: Profile) -> Profile:
        chassis = {name: dict(row) for name, row in profile.ipmi.chassis.items()}
        chassis[state][word] = replace(chassis[state][word], completion_code=completion_code)
        return replace(profile, ipmi=replace(profile.ipmi, chassis=chassis))

    return change


def later(effect: str, seconds: float) -> Change:
    def change(profile: Profile) -> Profile:
        steps = tuple(
            replace(step, at=Span(step.at.low + seconds, step.at.high + seconds)) for step in profile.power.effects[effect]
        )
        return replace(profile, power=replace(profile.power, effects={**profile.power.effects, effect: steps}))

    return change


def identity(**changes: object) -> Change:
    return lambda profile: replace(profile, identity=replace(profile.identity, **changes))  # type: ignore[arg-type]


def task(name: str, **changes: object) -> Change:
    def change(profile: Profile) -> Profile:
        known = profile.replies[name]
        rule = {**(known.task or {}), **changes}
        return replace(profile, replies={**profile.replies, name: replace(known, task=rule)})

    return change


def few(profile: Profile) -> Profile:
    """Two cells of the profile: what is not in it is not compared."""
    chassis = {"On": {}, "Off": {"down": profile.ipmi.chassis["Off"]["down"]}}
    return replace(profile, power=replace(profile.power, reset_types=("ForceOff",)), ipmi=replace(profile.ipmi, chassis=chassis))


ON_THE_WIRE: dict[str, tuple[Change, str, str]] = {
    "outcome": (cell("Off", "ForceOff", ("Off", "On")), "power.table.Off.ForceOff", "host on"),
    "status": (reply("psu502", status=400), "power.table.Off.ForceOff", "HTTP 400"),
    "message": (message("psu502", id="IDRAC.2.7.PSU501"), "power.table.Off.ForceOff", "IDRAC.2.7.PSU501"),
    "version": (message("psu502", id="IDRAC.2.9.PSU502"), "power.table.Off.ForceOff", "IDRAC.2.9.PSU502"),
    "text": (message("psu502", text="Server is off."), "power.table.Off.ForceOff", "text Server is off."),
    "severity": (message("psu502", severity="Critical"), "power.table.Off.ForceOff", "severity Critical"),
    "resolution": (message("psu502", resolution="Go home."), "power.table.Off.ForceOff", "resolution Go home."),
    "body": (reply("psu502", body="empty"), "power.table.Off.ForceOff", "HTTP 409, None"),
    "completion code": (code("Off", "down", 0xC1), "ipmi.chassis.Off.down", "code 0xC1"),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", ON_THE_WIRE)
def test_a_service_that_answers_otherwise_is_told_with_the_place(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[checked.__module__], "PATIENCE_S", 0.5)
    change, where, said = ON_THE_WIRE[kind]
    wrong = {each.path: each for each in checked(few(DELL), change(DELL)) if not each.ok}
    assert set(wrong) == {where}
    assert said in wrong[where].found
    assert said not in wrong[where].expected


IN_TIME: dict[str, tuple[Profile, Change, str, str]] = {
    "effect time": (DELL, later("force_off", 1.0), "power.effects.force_off", "On at 2.05 s"),
    "one of two times": (X86, later("force_off", 2.0), "power.effects.force_off", "system On at 0.05 s"),
    "effect": (DELL, cell("On", "ForceOff", ("On", "On")), "power.effects.force_off", "On at 2.05 s"),
    "model": (DELL, identity(model="PowerEdge R1"), "identity.model", "PowerEdge R1"),
    "firmware": (DELL, identity(bmc_firmware="9.9"), "identity.bmc_firmware", "9.9"),
    "type": (DELL, identity(chassis_type="#Chassis.v1_9_0.Chassis"), "identity.chassis_type", "#Chassis.v1_9_0.Chassis"),
    "task end": (AMI, task("task_cancelled", end="Exception"), "power.table.On.On.task", "New, Exception after 2 to 2 s"),
    "task time": (AMI, task("task", after_s=Span(9, 9)), "power.table.On.ForceOff.task", "New, Completed after 9.0"),
    "task message": (AMI, message("wrong_state", id="Base.1.12.X"), "power.table.Off.ForceOff.task", "Base.1.12.X"),
    "no task": (AMI, reply("task", task=None), "power.table.On.ForceOff.task", "no task"),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", IN_TIME)
def test_a_service_with_other_times_tasks_or_names_is_told(kind: str) -> None:
    profile, change, where, said = IN_TIME[kind]
    wrong = {each.path: each for each in checked_in_time(profile, change(profile)) if not each.ok}
    assert where in wrong
    assert said in wrong[where].found
    assert [each for each in checked_in_time(profile, profile) if not each.ok] == []


OVERLAY = """schema: profile/1
id: ours
title: Ours
extends: dmtf-generic
sources: {me: {ref: our lab}}
resources:
  merge: {/redfish/v1/Systems/437XR1138R2: {AssetTag: ours, Oem: {Acme: {A: 1}}}}
  remove: [/redfish/v1/Chassis/1U/Drives/Bay1]
  evidence: {"*": [captured, me]}
"""


def test_a_resource_that_is_not_as_merged_or_still_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(OVERLAY)
    ours, plain = load(file), load("dmtf-generic")
    assert [each for each in checked_in_time(ours, ours) if not each.ok] == []
    wrong = {each.path: each.found for each in checked_in_time(ours, plain) if not each.ok}
    assert wrong == {
        "resources.merge./redfish/v1/Systems/437XR1138R2": "AssetTag, Oem otherwise",
        "resources.remove[0]": "HTTP 200",
    }


# -- in the file: profile, what is written there, what somebody makes of it, and the words of lint ---------------------------

IN_THE_FILE: dict[str, tuple[str, str, str]] = {
    "outcome": (
        "[already_off, captured, i434, lib409]",
        "[alredy_off, captured, i434, lib409]",
        "power.table.Off.ForceOff[0]: there is no outcome 'alredy_off'; did you mean 'already_off'?",
    ),
    "confidence": (
        "[already_off, captured, i434, lib409]",
        "[already_off, captured]",
        "power.table.Off.ForceOff: 'captured' needs a source after it",
    ),
    "source": ("[already_off, captured, i434, lib409]", "[already_off, captured, i435]", "no source 'i435'"),
    "cell that is missing": (
        "      PowerCycle:       [power_cycle,",
        "      PowerCicle:       [power_cycle,",
        "power.table.On.PowerCicle: 'PowerCicle' is not in power.reset_types",
    ),
    "status": ("psu501:  {status: 409,", "psu501:  {status: 4090,", "replies.psu501.status: must be from 200 to 599, not 4090"),
    "reply": ("already_off: {reply: psu502,", "already_off: {reply: psu503,", "there is no reply 'psu503'; did you mean"),
    "completion code": (
        "      down:  [0xD5, none,",
        "      down:  [0x1D5, none,",
        "ipmi.chassis.Off.down: must be from 0 to 255, not 0x1D5",
    ),
    "effect": (
        "      down:  [0xD5, none,",
        "      down:  [0xD5, forceoff,",
        "there is no effect 'forceoff'; did you mean 'force_off'?",
    ),
    "effect time": ("- {at: 3, real: On,", "- {at: [3, 1], real: On,", "power.effects.boot[0].at: "),
    "order of steps": ("- {at: 12, real: On,", "- {at: 1, real: On,", "power.effects.power_cycle[1].at: "),
    "message": (
        'id: "{oemreg}.PSU502"',
        'id: "{oemreg}.PSU599"',
        "messages.psu502.id: IDRAC 2.7.0 of Dell has no message 'PSU599'",
    ),
    "text": (
        "text: Server is already powered OFF.",
        "text: Server is off.",
        "messages.psu502.text: IDRAC 2.7.0 of Dell says PSU502: Server is already powered OFF.",
    ),
    "severity": (
        "text: Server is already powered OFF.\n    severity: Informational",
        "text: Server is already powered OFF.\n    severity: Critical",
        "messages.psu502.severity: IDRAC 2.7.0 of Dell gives PSU502 the severity Informational, not Critical",
    ),
    "arguments": (
        'args: ["{reset_type}", ResetType]',
        'args: ["{reset_type}"]',
        "messages.not_in_list.args: IDRAC 2.7.0 of Dell gives SYS426 2 arguments, not 1",
    ),
    "type": ('manager_type: "#Manager.v1_12_0.Manager"', 'manager_type: "#Manager.1_12_0.Manager"', "identity.manager_type: "),
    "version": (
        'modelled_on: "6.00.30.00"',
        "modelled_on: 6.10",
        "firmware.modelled_on: must be text, not the number 6.10; quote it",
    ),
    "ResetType": (
        "chassis: {reset_types: [On, ForceOff]}",
        "chassis: {reset_types: [On, ForceOf]}",
        "power.chassis.reset_types[1]: there is no ResetType in power.table 'ForceOf'; did you mean 'ForceOff'?",
    ),
    "resource path": (
        "  evidence: {merge: [captured, r750]}\n",
        "  remove: [/redfish/v1/Systems/System.Embeded.1]\n  evidence: {merge: [captured, r750], remove: [inferred]}\n",
        "this BMC has no resource /redfish/v1/Systems/System.Embeded.1; did you mean",
    ),
}


@pytest.mark.parametrize("kind", IN_THE_FILE)
def test_lint_tells_what_is_wrong_in_a_file_with_its_line(kind: str, tmp_path: Path) -> None:
    old, new, said = IN_THE_FILE[kind]
    text = path("dell-idrac9").read_text(encoding="utf-8")
    assert text.count(old) >= 1, "the profile has changed: choose another mutation"
    place = text.index(old)
    file = tmp_path / "dell-idrac9.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(cli, ["profile", "lint", str(file)])
    assert result.exit_code == 2
    (line,) = [each for each in result.output.splitlines() if said in each]
    number = int(line.removeprefix(f"{file}:").partition(":")[0])
    first = text.count("\n", 0, place) + 1
    assert first <= number <= first + new.count("\n"), line


def test_a_file_that_was_not_changed_has_no_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "dell-idrac9.yaml"
    file.write_bytes(path("dell-idrac9").read_bytes())
    assert CliRunner().invoke(cli, ["profile", "lint", str(file)]).exit_code == 0
