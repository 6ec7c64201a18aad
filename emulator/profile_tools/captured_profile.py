"""The profile of a captured BMC as text: what the tree shows, each value with evidence, and `"?"` for every power cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emulator.profile_tools.identity_facts import COME_AND_GO, Facts, IdentityFact
from emulator.profile_tools.reset_references import trimmed_after, trimmed_faults, trimmed_windows
from emulator.profile_tools.yaml_text import Line, YamlValue, yaml_text
from profiles.blocks import CHASSIS_COMMANDS, STATES
from profiles.model import ABSENT, Profile

RESOURCES: Final = "resources"
"""The folder of the captured tree, beside the profile."""
_REGISTRY: Final = re.compile(r"([A-Za-z]+)\.\d+\.\d+")
_ORDER: Final = ("identity", "power", "http", "auth", "bmc_reset", "inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedProfile:
    """What the text is made from. `day` is ISO 8601; `has_base`: the tree is to be served."""

    id: str
    parent: Profile
    facts: Facts
    day: str
    has_base: bool


def captured_yaml(captured: CapturedProfile) -> str:
    """The text of `profile.yaml`."""
    parent, facts = captured.parent, captured.facts
    source = free_source("capture", parent)
    identity = facts.blocks.get("identity", {})
    firmware = _word(identity, "bmc_firmware")
    machine = " ".join(word for word in (_word(identity, "manufacturer"), _word(identity, "model")) if word) or "a server"
    advertised = facts.blocks.get("power", {}).get("reset_types")
    types = advertised if isinstance(advertised, tuple) else parent.power.reset_types
    root: dict[str, YamlValue] = {
        "schema": "profile/1",
        "id": captured.id,
        "title": safe(f"{machine}, captured on {captured.day}"),
        "extends": parent.id,
        "firmware": {"modelled_on": safe(firmware or "unknown")},
        "sources": {source: {"ref": safe(f"capture of {machine}, firmware {firmware or 'unknown'}, {captured.day}")}},
        "vars": _vars(facts, parent),
    }
    for name in _ORDER:
        block = dict(facts.blocks.get(name, {}))
        if name == "http" and parent.http.slash not in ("ids", "redirect"):
            block.pop("slash", None)  # ids without a slash at their end are what the parent expects
        if block or name == "power":
            claim: YamlValue = {"*": ["captured", source]}
            if name == "power":
                claim = {key: ["captured", source] for key in block}
            values: dict[str, YamlValue] = {key: _value(value) for key, value in block.items()}
            if name == "power":
                own = [word for action in parent.power.oem_actions for word in action.values.values() if word not in types]
                values |= {"table": unknown_table((*types, *dict.fromkeys(own))), **trimmed_windows(parent, types)}
            root[name] = values | ({"evidence": claim} if block else {})
    if after := trimmed_after(parent, types):
        known = root.get("bmc_reset", {})
        assert isinstance(known, Mapping)
        evidence = known.get("evidence", {})
        assert isinstance(evidence, Mapping)
        root["bmc_reset"] = {**known, **after, "evidence": {**evidence, "after": ["inferred"]}}
    if faults := trimmed_faults(parent, types):
        root["faults"] = faults
    root["ipmi"] = {"chassis": dict.fromkeys(STATES, dict.fromkeys(CHASSIS_COMMANDS, "?"))}
    if captured.has_base:
        root |= _own_tree(parent, source, facts.versions)
    head = (
        f"Made by `bmc-emulator profile capture`. What is not here is inherited from {parent.id}.",
        'A "?" is a power cell that nobody has tried on this machine: `bmc-emulator profile probe` or `proxy` fills it.',
    )
    return yaml_text(root, head)


def _own_tree(parent: Profile, source: str, versions: Mapping[str, str]) -> dict[str, YamlValue]:
    """The captured tree as base, without what a parent changes in its own built-in one, and the versions of the rest."""
    rules = parent.resources
    changed = (("templates", rules.templates), ("merge", rules.merge), ("remove", rules.remove))
    nothing: dict[str, YamlValue] = {name: None for name, there in changed if there}
    blocks: dict[str, YamlValue] = {}
    if parent.versions or versions:
        blocks["versions"] = {
            **{schema: None for schema in parent.versions if schema not in versions and schema not in COME_AND_GO},
            **versions,
            **({"evidence": {"*": ["captured", source]}} if versions else {}),
        }
    if parent.managers:
        blocks["managers"] = None
    return {"resources": {"base": RESOURCES, **nothing, "evidence": {"base": ["captured", source]}}, **blocks}


def free_source(name: str, parent: Profile) -> str:
    """A source id that no parent uses, since a source keeps its meaning."""
    number = 1
    while (found := name if number == 1 else f"{name}{number}") in parent.sources:
        number += 1
    return found


def unknown_table(types: tuple[str, ...]) -> YamlValue:
    """A row of `"?"` for each state."""
    return {state: {word: Line("?") for word in types} for state in STATES}


def safe(text: str) -> str:
    """A text without braces, which a profile would take for a template."""
    return text.replace("{", "(").replace("}", ")")


def _word(block: Mapping[str, IdentityFact], key: str) -> str | None:
    value = block.get(key)
    return value if isinstance(value, str) and value != ABSENT else None


def _value(value: IdentityFact) -> YamlValue:
    match value:
        case str():
            return value if value.startswith("/redfish/") else safe(value)
        case Mapping():
            return {key: _value(each) for key, each in value.items()}
        case _:
            return value


def _vars(facts: Facts, parent: Profile) -> dict[str, YamlValue]:
    """Ids, serial number, and the versions of registries that the parent names."""
    words: dict[str, YamlValue] = {**facts.ids}
    if facts.serial is not None:
        words["serial"] = safe(facts.serial)
    for name, value in parent.vars.items():
        if name == "base" and "Base" in facts.registries:
            words[name] = facts.registries["Base"]
        match = _REGISTRY.fullmatch(value)
        if match is not None and match[1] in facts.registries:
            words[name] = f"{match[1]}.{facts.registries[match[1]]}"
    return words
