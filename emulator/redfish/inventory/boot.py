"""ComputerSystem.Boot and BootOptions. The boot override is the core's: IPMI boot flags are the same setting.

`host` calls it for GET and PATCH of a ComputerSystem; `all_resources` calls `boot_options` when a tree is built.

Rules
  1. An override with Once ends with the next boot, whatever causes that boot. The core does this.
  2. A PATCH is checked as a whole before anything is written: a target without its path or boot option changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from emulator.core.bmc.boot import BootEnabled, BootMode, BootOverride, BootTarget
from emulator.core.errors import SettingRefused
from emulator.redfish.inventory.drives import layouts, volume_path
from emulator.redfish.inventory.network import adapter_ports, ethernet_path
from emulator.redfish.inventory.saved_settings import save_patch
from emulator.redfish.inventory.storage import pools
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part
from emulator.redfish.inventory.versions import has_property
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall, RegistryError, shown
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, ListRule, ObjectRule, OneOfRule, OrNullRule, TextRule, WritableFields

TYPE: Final = "#BootOption.v1_0_6.BootOption"
TARGETS: Final = (
    *(BootTarget.NONE, BootTarget.PXE, BootTarget.CD, BootTarget.USB, BootTarget.HDD, BootTarget.BIOS_SETUP, BootTarget.DIAGS),
    *(BootTarget.UEFI_SHELL, BootTarget.UEFI_TARGET, BootTarget.UEFI_HTTP, BootTarget.UEFI_BOOT_NEXT),
)
FIELDS: Final[WritableFields] = {
    "BootSourceOverrideTarget": OneOfRule(tuple(target.value for target in TARGETS)),
    "BootSourceOverrideEnabled": OneOfRule(tuple(word.value for word in BootEnabled)),
    "BootSourceOverrideMode": OneOfRule(tuple(mode.value for mode in BootMode)),
    "UefiTargetBootSourceOverride": OrNullRule(TextRule(high=1024)),
    "BootNext": OrNullRule(TextRule(high=16)),
    "BootOrder": ListRule(item=TextRule(high=16), high=32),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSource:
    """One BootOption. `device` is its UEFI device path; `item` is the path of the resource that it boots from."""

    reference: str
    name: str
    alias: BootTarget
    device: str
    item: str | None


def options(parts: SystemParts) -> tuple[BootSource, ...]:
    return tuple(
        BootSource(reference=f"Boot{n:04X}", name=name, alias=alias, device=device, item=item)
        for n, (name, alias, device, item) in enumerate(_sources(parts), start=1)
    )


def _sources(parts: SystemParts) -> Iterator[tuple[str, BootTarget, str, str | None]]:
    for n, pool in enumerate(pools(parts), start=1):
        for m, layout in enumerate(layouts(parts, pool), start=1):
            device = (
                f"PciRoot(0x0)/Pci(0x{n + 0xA:X},0x0)/NVMe(0x{m:X})"
                if not pool.raid
                else f"PciRoot(0x0)/Pci(0xA,0x0)/Scsi({m},0)"
            )
            yield f"{pool.name}: {layout.name}", BootTarget.HDD, device, volume_path(parts, pool, layout)
    for at in adapter_ports(parts):
        pci = f"PciRoot(0x0)/Pci(0x{at.adapter:X},0x{at.port - 1:X})"
        yield f"UEFI PXEv4 {at.name}", BootTarget.PXE, f"{pci}/IPv4(0.0.0.0)", ethernet_path(parts, at)
    first = next(adapter_ports(parts))
    yield (
        f"UEFI HTTPv4 {first.name}",
        BootTarget.UEFI_HTTP,
        "PciRoot(0x0)/Pci(0x1,0x0)/IPv4(0.0.0.0)/Uri()",
        ethernet_path(parts, first),
    )
    yield "UEFI Virtual CD", BootTarget.CD, "PciRoot(0x0)/Pci(0x14,0x0)/USB(0xD,0x0)", None
    yield "UEFI Virtual USB", BootTarget.USB, "PciRoot(0x0)/Pci(0x14,0x0)/USB(0xE,0x0)", None


def boot_options(parts: SystemParts) -> tuple[Resource, ...]:
    known = options(parts)
    paths = tuple(f"{parts.system}/BootOptions/{option.reference}" for option in known)
    listing = collection(f"{parts.system}/BootOptions", "BootOptionCollection", "Boot Options", lambda view: paths)
    return (listing, *(_option(path, option) for path, option in zip(paths, known, strict=True)))


def _option(path: str, option: BootSource) -> Resource:
    def body(view: RedfishBmc) -> Json:
        properties: Json = {
            "BootOptionReference": option.reference,
            "DisplayName": option.name,
            "BootOptionEnabled": True,
            "UefiDevicePath": option.device,
            "Alias": option.alias.value,
        }
        if option.item is not None:
            properties["RelatedItem"] = links((option.item,))
        return properties | view.settings.of(path)

    return fixed_part(path, TYPE, option.name, body, operations=save_patch(path, {"BootOptionEnabled": BooleanRule()}))


# -- ComputerSystem.Boot ------------------------------------------------------------------------------------------------


def shown_boot(parts: SystemParts, override: BootOverride, order: tuple[str, ...]) -> Json:
    return {
        "BootSourceOverrideEnabled": override.enabled.value,
        "BootSourceOverrideEnabled@Redfish.AllowableValues": [word.value for word in BootEnabled],
        "BootSourceOverrideTarget": override.target.value,
        "BootSourceOverrideTarget@Redfish.AllowableValues": list(_targets(parts.profile.identity.system_type)),
        "BootSourceOverrideMode": (override.mode or BootMode.UEFI).value,
        "BootSourceOverrideMode@Redfish.AllowableValues": [mode.value for mode in BootMode],
        "UefiTargetBootSourceOverride": override.uefi_path,
        "BootNext": override.boot_next,
        "BootOrder": list(order) or [option.reference for option in options(parts)],
        "BootOptions": link(f"{parts.system}/BootOptions"),
    }


def _targets(odata_type: str) -> tuple[str, ...]:
    """What this schema version can boot from: UefiBootNext needs the property that names the option."""
    next_known = has_property(odata_type, "Boot/BootNext")
    return tuple(target.value for target in TARGETS if next_known or target is not BootTarget.UEFI_BOOT_NEXT)


def boot_rule(odata_type: str) -> ObjectRule:
    """What a client may write of Boot, in the schema version of the ComputerSystem."""
    known = {name: rule for name, rule in FIELDS.items() if has_property(odata_type, f"Boot/{name}")}
    return ObjectRule(known | {"BootSourceOverrideTarget": OneOfRule(_targets(odata_type))})


@dataclass(frozen=True, slots=True)
class BootChange:
    """A checked PATCH of Boot that is not written yet."""

    override: BootOverride | None
    order: tuple[str, ...] | None

    def write(self, call: RedfishCall, system_id: str) -> None:
        if self.override is not None:
            call.view.boot.set(self.override, system_id, call.seq)
        if self.order is not None:
            call.view.boot.set_order(self.order, system_id, call.seq)


def boot_change(call: RedfishCall, parts: SystemParts, taken: Json) -> BootChange:
    """Checks a PATCH of Boot. Raises RegistryError (400); nothing has changed then."""
    references = {option.reference for option in options(parts)}
    order = taken.get("BootOrder")
    if isinstance(order, list):
        for reference in order:
            if reference not in references or order.count(reference) > 1:
                raise RegistryError(
                    400, "PropertyValueNotInList", shown(reference), "Boot/BootOrder", related=("#/Boot/BootOrder",)
                )
    following = taken.get("BootNext")
    if following is not None and following not in references:
        raise RegistryError(400, "PropertyValueNotInList", shown(following), "Boot/BootNext", related=("#/Boot/BootNext",))
    changed = _override(call.view.boot.override(parts.system_id), taken)
    try:
        if changed is not None:
            changed.check()
    except SettingRefused:
        raise RegistryError(
            400, "PropertyValueConflict", *_conflict(taken), related=("#/Boot/BootSourceOverrideTarget",)
        ) from None
    return BootChange(changed, tuple(str(item) for item in order) if isinstance(order, list) else None)


def _override(before: BootOverride, taken: Json) -> BootOverride | None:
    """The override after the PATCH; None if the PATCH does not name it."""
    if not taken.keys() - {"BootOrder"}:
        return None
    after = before
    if "BootSourceOverrideEnabled" in taken:
        after = replace(after, enabled=BootEnabled(str(taken["BootSourceOverrideEnabled"])))
        if after.enabled is BootEnabled.DISABLED:
            after = replace(after, target=BootTarget.NONE)
    if "BootSourceOverrideTarget" in taken:
        after = replace(after, target=BootTarget(str(taken["BootSourceOverrideTarget"])))
    if "BootSourceOverrideMode" in taken:
        after = replace(after, mode=BootMode(str(taken["BootSourceOverrideMode"])))
    if "UefiTargetBootSourceOverride" in taken:
        after = replace(after, uefi_path=_text(taken["UefiTargetBootSourceOverride"]))
    if "BootNext" in taken:
        after = replace(after, boot_next=_text(taken["BootNext"]))
    return after


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _conflict(taken: Json) -> tuple[str, str]:
    """The property that the client wrote and the property with which it conflicts."""
    target = str(taken.get("BootSourceOverrideTarget", ""))
    if target == BootTarget.UEFI_TARGET:
        return ("Boot/BootSourceOverrideTarget", "Boot/UefiTargetBootSourceOverride")
    if target == BootTarget.UEFI_BOOT_NEXT and taken.get("BootSourceOverrideEnabled") != BootEnabled.CONTINUOUS:
        return ("Boot/BootSourceOverrideTarget", "Boot/BootNext")
    return ("Boot/BootSourceOverrideEnabled", "Boot/BootSourceOverrideTarget")
