"""The child profile of a BMC whose power commands were watched, as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.profile_tools.captured_profile import free_source, safe
from emulator.profile_tools.observed import ObservedCommand
from emulator.profile_tools.power_table import learnt
from emulator.profile_tools.yaml_text import Hexadecimal, Line, YamlValue, yaml_text
from profiles.model import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedProfile:
    """What the text is made from. `how` is probe or proxy, `extends` as it is written, `day` ISO 8601."""

    id: str
    parent: Profile
    extends: str
    how: str
    machine: str
    firmware: str
    day: str
    commands: Sequence[ObservedCommand]


def observed_yaml(observed: ObservedProfile) -> str:
    """The text of the profile: a cell for each command, and what the cells need."""
    parent = observed.parent
    table = learnt(observed.commands, parent)
    source = free_source(observed.how, parent)
    claim: list[YamlValue] = ["captured", source]
    root: dict[str, YamlValue] = {
        "schema": "profile/1",
        "id": observed.id,
        "title": safe(f"{observed.machine}, power as {observed.how} saw it on {observed.day}"),
        "extends": observed.extends,
        "firmware": {"modelled_on": safe(observed.firmware)},
        "sources": {source: {"ref": safe(f"{observed.how} of {observed.machine}, firmware {observed.firmware}, {observed.day}")}},
    }
    power: dict[str, YamlValue] = {}
    new = {word for row in table.cells.values() for word in row} - set(parent.power.reset_types)
    if new:
        power["reset_types"] = [*parent.power.reset_types, *sorted(new)]
    if table.cells:
        cells = {state: {word: Line([outcome, *claim]) for word, outcome in row.items()} for state, row in table.cells.items()}
        for word in sorted(new):
            for state in ("On", "Off"):
                guess = Line([parent.power.unlisted_type.outcome, "inferred"], "not tried")
                cells.setdefault(state, {}).setdefault(word, guess)
        power["table"] = cells
    if table.outcomes:
        power["outcomes"] = {name: {"reply": reply, "effect": effect} for name, (reply, effect) in table.outcomes.items()}
    if table.effects:
        power["effects"] = {name: list(steps) for name, steps in table.effects.items()}
    evidence: dict[str, YamlValue] = {name: claim for name in ("effects", "reset_types") if name in power}
    if evidence:
        power["evidence"] = evidence
    if power:
        root["power"] = power
    if table.replies:
        root["replies"] = table.replies
    if table.messages:
        root["messages"] = {**table.messages, "evidence": dict.fromkeys(table.messages, claim)}
    if table.ipmi:
        root["ipmi"] = {
            "chassis": {
                state: {word: Line([Hexadecimal(code), effect, *claim]) for word, (code, effect) in row.items()}
                for state, row in table.ipmi.items()
            }
        }
    head = (
        f"Made by `bmc-emulator profile {observed.how}`. Cells that are not here are inherited from {parent.id}.",
        "In effects, `real` is where the rail is taken to move: Off with the last view that says so, On with the first.",
    )
    return yaml_text(root, head)
