"""Whether a profile says what a fact about names, versions and IPMI says. `vendor_facts` uses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from profiles import template
from profiles.model import ABSENT, Profile

Value = object
ROOT: Final = "/redfish/v1"


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
    if value.keys() - ours.keys() - {"product_ids"}:
        return False
    products = value.get("product_ids")
    return bool(shared) and all(ours[key] == value[key] for key in shared) and (products is None or device.product in products)


def _is_one_of(told: object, ours: str) -> bool:
    """Whether a told value, or one of several, is ours; null and `absent` mean that it is not sent."""
    if told is None or str(told).startswith("absent"):
        return ours in (ABSENT, "null")
    return ours in [str(each) for each in told] if isinstance(told, list) else str(told) == ours


Says = Callable[[object, Profile], bool]


def _text(ours: Callable[[Profile], str]) -> Says:
    return lambda told, profile: _is_one_of(told, ours(profile))


def _filled(text: str, profile: Profile) -> str:
    """What the machine of the profile's samples shows."""
    return template.fill(text, profile.vars)


def _sku(told: object, profile: Profile) -> bool:
    tag = profile.identity.sku == "{serial}" and len(profile.vars["serial"]) == 7
    return tag if told == "7-char service tag" else _is_one_of(told, _filled(profile.identity.sku, profile))


def _uuid(told: object, profile: Profile) -> bool:
    """A UUID of one machine says that there is one; which one it is, is no fact about the vendor."""
    return (told == ABSENT) == (profile.identity.root_uuid == ABSENT)


def _uuid_form(told: object, form: str) -> bool:
    text, used = str(told), template.octets_used(form)
    if text.startswith("ASCII of product id and serial"):
        return used == {"part": 6, "serial": 10}
    if text.startswith("4c4c4544-00xx-"):
        return form.startswith("4c4c4544-00{serial:hex1}") and used == {"serial": 7}
    return form.endswith("-{mac}") if text == "ends in BMC MAC" else form == text.replace("<BMC MAC>", "{mac}")


def system_uuid_form(value: Value, profile: Profile) -> bool:
    return _uuid_form(value, profile.identity.system_uuid)


def _oem_of(path: Callable[[Profile], str]) -> Says:
    def says(told: object, profile: Profile) -> bool:
        at = path(profile)
        rules = profile.resources
        bodies = [tree[at] for tree in (rules.base or {}, rules.templates, rules.merge) if at in tree]
        ours = {key for body in bodies if isinstance(body, Mapping) for key in body.get("Oem") or ()}
        return isinstance(told, list) and set(told) <= ours

    return says


def _root_says(key: str, built: str) -> Says:
    """A property of the service root that a profile may replace."""

    def says(told: object, profile: Profile) -> bool:
        return bool(told == profile.resources.merge.get(ROOT, {}).get(key, built))

    return says


_SERVICE_ROOT: Final[Mapping[str, Says]] = {
    "type": _text(lambda profile: schema_type(profile.identity.root_type)),
    "Vendor": _text(lambda profile: profile.identity.vendor),
    "Product": _text(lambda profile: profile.identity.product),
    "RedfishVersion": _text(lambda profile: profile.identity.redfish_version),
    "UUID": _uuid,
    "uuid_form": lambda told, profile: _uuid_form(told, profile.identity.root_uuid),
    "odata_id": _root_says("@odata.id", f"{ROOT}/"),
    "Oem": _oem_of(lambda profile: ROOT),
}
_SYSTEM: Final[Mapping[str, Says]] = {
    "Manufacturer": _text(lambda profile: profile.identity.manufacturer),
    "Model": _text(lambda profile: profile.identity.model),
    "type": _text(lambda profile: schema_type(profile.identity.system_type)),
    "SKU": _sku,
    "BiosVersion": _text(lambda profile: profile.identity.bios_version),
    "uuid_form": lambda told, profile: _uuid_form(told, profile.identity.system_uuid),
}
_MANAGER: Final[Mapping[str, Says]] = {
    "Model": _text(lambda profile: profile.identity.bmc_model),
    "FirmwareVersion": _text(lambda profile: profile.identity.bmc_firmware),
    "type": _text(lambda profile: schema_type(profile.identity.manager_type)),
    "Oem": _oem_of(lambda profile: f"{ROOT}/Managers/{profile.ids.manager}"),
}


def _every(known: Mapping[str, Says]) -> Callable[[Value, Profile], bool | None]:
    """All that the fact says; what no rule here knows is not expressed."""

    def rule(value: Value, profile: Profile) -> bool | None:
        if not isinstance(value, Mapping):
            return None
        return all(key in known and known[key](told, profile) for key, told in value.items())

    return rule


service_root, system_strings, manager_strings = map(_every, (_SERVICE_ROOT, _SYSTEM, _MANAGER))


def schema_type(odata_type: str) -> str:
    """`Manager.v1_12_0` of `#Manager.v1_12_0.Manager`."""
    return odata_type.lstrip("#").rpartition(".")[0]


def ids(value: Value, profile: Profile) -> bool | None:
    if not isinstance(value, Mapping):
        return None
    ours = {"system": profile.ids.system, "manager": profile.ids.manager, "chassis": profile.ids.chassis}
    return all(_is_one_of(value[key], ours[key]) or str(value[key]).startswith(f"{ours[key]} ") for key in value)
