"""The names of machines: what is drawn has the profile's shape, what is given wins, and no two systems of a rack are alike."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType

import pytest

from emulator.core import naming
from emulator.core.naming import SerialNumbers, derived_serial, mac_of, machine_uuid
from emulator.core.rack import UnitSpec
from profiles.model import Profile
from tests.conftest import make_bench


def with_serial(profile: Profile, sample: str, *given: tuple[str, str]) -> Profile:
    return replace(profile, vars=MappingProxyType({**profile.vars, "serial": sample}), given=given)


def test_a_drawn_serial_number_has_the_shape_of_the_sample() -> None:
    assert re.fullmatch("[A-Z]{2}-[a-z][0-9]{3}", derived_serial("key", "CZ-x123"))
    assert len(derived_serial("key")) == 7


def test_a_mac_address_that_is_given_is_written_with_colons() -> None:
    assert mac_of("drawn", (("serial", "A1"), ("mac", "3cecef000001"))) == "3C:EC:EF:00:00:01"
    assert mac_of("drawn", (("serial", "A1"),)).startswith("02:")


def test_a_uuid_spells_what_is_served_and_is_drawn_where_that_makes_none() -> None:
    form = "00000000-0000-0000-0000-{mac}"
    assert machine_uuid(form, "key", "A1", "3C:EC:EF:00:00:01") == "00000000-0000-0000-0000-3cecef000001"
    assert re.fullmatch("[0-9a-f-]{36}", machine_uuid("4c4c4544-{serial}", "key", "A1", ""))


def test_a_serial_number_that_is_given_is_drawn_for_no_other(profile: Profile) -> None:
    drawn, _ = SerialNumbers(()).of(with_serial(profile, "AB12"), "key", 0)
    taken = SerialNumbers([with_serial(profile, "AB12", ("serial", drawn))])
    other, draw = taken.of(with_serial(profile, "AB12"), "key", 0)
    assert other != drawn
    assert draw > 0
    assert taken.of(with_serial(profile, "AB12", ("serial", drawn)), "own", 0)[0] == drawn


def test_a_shape_that_is_used_up_gives_way_to_a_service_tag(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "DRAWN_AGAIN", 3)
    numbers, one = SerialNumbers(()), with_serial(profile, "7")
    drawn = [numbers.of(one, f"key{n}", 0)[0] for n in range(30)]
    assert len(set(drawn)) == 30
    assert {len(serial) for serial in drawn} == {1, 7}


def test_each_bmc_has_a_root_uuid_of_its_own(profile: Profile) -> None:
    random = replace(profile, identity=replace(profile.identity, root_uuid="random"))
    bench = make_bench(UnitSpec(name="n1", profile=random), UnitSpec(name="n2", profile=random))
    first, second = bench.view("n1").root_uuid(), bench.view("n2").root_uuid()
    assert re.fullmatch("[0-9a-f-]{36}", first)
    assert first != second == bench.view("n2").root_uuid()
