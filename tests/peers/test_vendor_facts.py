"""How many of the known facts about vendors the profiles express; the rest has reasons in tests/data/vendor-facts.yaml.

The list of facts lies beside the checkout, as other test data does; FENCELAB_VENDOR_FACTS names another place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import yaml

import profiles
from fencelab_yaml.source import YamlMap
from profiles import origins
from profiles.loader import all_names, resolve
from profiles.model import Profile
from tests.commands import ROOT
from tests.vendor_facts import VendorFact, expressed, facts

VARIABLE: Final = "FENCELAB_VENDOR_FACTS"
LIST: Final = Path(os.environ.get(VARIABLE, ROOT / ".." / "shared" / "vendor-facts.yaml"))
ELSEWHERE: Final = ROOT / "tests" / "data" / "vendor-facts.yaml"
GOAL: Final = 0.8
"""Of the facts about power, and of those about errors."""
PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "supermicro-x11-x12": ("supermicro-x11", "supermicro-x12", "supermicro-x13"),
    "nvidia": ("nvidia-dgx", "nvidia-bluefield"),
    "openbmc": ("openbmc-x86", "openbmc-phosphor"),
}
"""Profiles of a vendor in the list, where they are not called as the vendor is."""

pytestmark = pytest.mark.skipif(not LIST.is_file(), reason=f"there is no {LIST}: set {VARIABLE}")


class FoundFact(NamedTuple):
    """A fact and what became of it: `rule` (a rule finds it), `at` (the data file names the place), `because`, or `lost`."""

    fact: VendorFact
    how: str


@cache
def loaded(name: str) -> Profile:
    return profiles.load(name)


@cache
def tree(name: str) -> YamlMap:
    return resolve(name).root


@cache
def every_fact() -> tuple[VendorFact, ...]:
    return tuple(facts(yaml.safe_load(LIST.read_text(encoding="utf-8"))))


@cache
def elsewhere() -> Mapping[str, Mapping[str, str]]:
    told: Mapping[str, Mapping[str, str]] = yaml.safe_load(ELSEWHERE.read_text(encoding="utf-8"))
    return told


def of_vendor(vendor: str) -> Iterator[Profile]:
    for name in PROFILES.get(vendor, (vendor,)):
        if name in profiles.names():
            yield loaded(name)


def found(fact: VendorFact) -> FoundFact:
    if any(expressed(fact, profile) for profile in of_vendor(fact.vendor)):
        return FoundFact(fact, "rule")
    if fact.name in elsewhere()["at"]:
        return FoundFact(fact, "at")
    reasons = elsewhere()["because"]
    return FoundFact(fact, "because" if fact.name in reasons or fact.vendor in reasons else "lost")


def share(of: list[FoundFact]) -> float:
    return sum(each.how in ("rule", "at") for each in of) / len(of)


def test_most_facts_about_power_and_errors_are_in_profiles_and_the_rest_has_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    every = [found(fact) for fact in every_fact()]
    about_power = [each for each in every if each.fact.about_power]
    about_errors = [each for each in every if each.fact.about_errors]
    with capsys.disabled():
        for title, group in (("about power", about_power), ("about errors", about_errors), ("all", every)):
            known = sum(each.how in ("rule", "at") for each in group)
            print(f"\nfacts {title}: {known} of {len(group)} expressed, {share(group):.0%}", end="")
        print()
    expressed_now = [each.fact.name for each in every if each.how == "rule" and each.fact.name in elsewhere()["because"]]
    assert expressed_now == [], f"take these lines out of {ELSEWHERE.name}"
    assert [each.fact.name for each in every if each.how == "lost"] == []
    assert share(about_power) >= GOAL
    assert share(about_errors) >= GOAL


def test_the_data_file_names_facts_and_places_that_there_are() -> None:
    names = {fact.name for fact in every_fact()} | {fact.vendor for fact in every_fact()}
    assert [name for table in elsewhere().values() for name in table if name not in names] == []
    for name, place in elsewhere()["at"].items():
        profile, _, path = place.partition(":")
        assert profile in all_names(), f"{name}: {place}"
        assert list(origins.values(tree(profile), path)), f"{name}: {place}"


# -- controls ----------------------------------------------------------------------------------------------------------


def one(name: str) -> VendorFact:
    (fact,) = (fact for fact in every_fact() if fact.name == name)
    return fact


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dell-idrac9.power.On.On.2", {"status": 400}),
        ("dell-idrac9.power.On.On.2", {"message_id": "IDRAC.2.1.PSU502"}),
        ("dell-idrac9.power.On.ForceOff.5", {"effect": "none"}),
        ("openbmc-x86.power.Off.PowerCycle.4", {"effect": "on"}),
        ("dell-idrac9.auth.ip_block", {"value": {"fail_count": 4, "window_s": 60, "penalty_s": 60}}),
        ("dell-idrac9.http.etag", {"value": 'weak, W/"8 hex"'}),
        ("dell-idrac9.ipmi.manufacturer_id", {"value": 675}),
        ("dell-idrac9.ipmi.off_when_off", {"value": "0x00"}),
        ("openbmc.reset.unknown_type", {"value": {"status": 400, "message_id": "Base.1.x.ActionNotSupported"}}),
        ("openbmc.ipmi.cycle_when_off", {"value": "0x00"}),
        ("dell-idrac9.identity.system_uuid_form", {"value": "00000000-0000-0000-0000-<BMC MAC>"}),
        ("ami-megarac.identity.manager_strings", {"value": {"FirmwareVersion": "12.84.13", "Color": "blue"}}),
        ("ami-megarac.identity.system_strings", {"value": {"Manufacturer": "GIGABYTE", "SKU": "other"}}),
        ("ami-megarac.identity.system_strings", {"value": {"Manufacturer": "GIGABYTE", "BiosVersion": "other"}}),
        ("dmtf-generic.identity.service_root", {"value": {"RedfishVersion": "1.15.0", "UUID": "absent"}}),
        ("dmtf-generic.identity.service_root", {"value": {"RedfishVersion": "1.15.0", "Oem": ["Contoso"]}}),
        ("supermicro-x10.identity.service_root", {"value": {"RedfishVersion": "1.0.1", "uuid_form": "ends in something"}}),
    ],
)
def test_a_fact_that_says_something_else_is_not_expressed(name: str, change: Mapping[str, object]) -> None:
    fact = one(name)
    others = list(of_vendor(fact.vendor))
    assert any(expressed(fact, profile) for profile in others)
    changed = fact._replace(content={**fact.content, **change})
    assert not any(expressed(changed, profile) for profile in others)


def test_a_cell_that_nobody_knows_expresses_nothing_but_that() -> None:
    fact = one("dell-idrac9.power.On.On.2")
    dell = loaded("dell-idrac9")
    row = {**dell.power.table["On"], "On": replace(dell.power.table["On"]["On"], assumed=True)}
    unknown = replace(dell, power=replace(dell.power, table={**dell.power.table, "On": row}))
    assert expressed(fact, unknown) is False
    assert expressed(fact._replace(content={**fact.content, "status": "unknown"}), unknown) is True
