"""Whether a profile says what a fact about names, versions and IPMI says. `vendor_facts` uses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from profiles.model import ABSENT, Profile

Value = object


def lan(value: Value, profile: Profile) -> bool:
    return profile.ipmi.lan is value


def ipmi(command: str) -> Callable[[Value, Profile], bool | None]:
    def rule(value: Value, profile: Profile) -> bool | None:
        code = re.match(r"0x([0-9A-F]{2})", str(value))
        cell = profile.ipmi.chassis["Off"].get(command)
        return None if code is None else cell is not None and not cell.assumed and cell.completion_code == int(code.group(1), 16)

    return rule


def device(value: Value, profile: Profile) -> bool | None:
    if not isinstance(value, Mapping):
        return None
    device = profile.ipmi.device
    ours = {
        "manuf": device.manufacturer,
        "device_id": device.device_id,
        "product": device.product,
        "revision": device.revision,
        "device_revision": device.revision,
    }
    shared = value.keys() & ours.keys()
    products = value.get("product_ids")
    return bool(shared) and all(ours[key] == value[key] for key in shared) and (products is None or device.product in products)


def _is_one_of(told: object, ours: str) -> bool:
    """Whether a told value, or one of several, is ours; null and `absent` mean that it is not sent."""
    if told is None or str(told).startswith("absent"):
        return ours in (ABSENT, "null")
    return ours in [str(each) for each in told] if isinstance(told, list) else str(told) == ours


def strings(names: Mapping[str, Callable[[Profile], str]]) -> Callable[[Value, Profile], bool | None]:
    def rule(value: Value, profile: Profile) -> bool | None:
        if not isinstance(value, Mapping):
            return None
        shared = value.keys() & names.keys()
        return bool(shared) and all(_is_one_of(value[key], names[key](profile)) for key in shared)

    return rule


def schema_type(odata_type: str) -> str:
    """`Manager.v1_12_0` of `#Manager.v1_12_0.Manager`."""
    return odata_type.lstrip("#").rpartition(".")[0]


def ids(value: Value, profile: Profile) -> bool | None:
    if not isinstance(value, Mapping):
        return None
    ours = {"system": profile.ids.system, "manager": profile.ids.manager, "chassis": profile.ids.chassis}
    return all(_is_one_of(value[key], ours[key]) or str(value[key]).startswith((f"{ours[key]} ", "<serial")) for key in value)
