"""The BIOS attributes of a system and the attribute registry that describes them.

`bios` uses the attributes, `all_resources` the registry. The attribute names are our own: no vendor's BIOS is imitated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import Resource, fixed_content, head_of
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, IntegerRule, OneOfRule, Rule, TextRule
from profiles.model import ABSENT, Profile

REGISTRY_TYPE: Final = "#AttributeRegistry.v1_4_0.AttributeRegistry"
FILE_TYPE: Final = "#MessageRegistryFile.v1_1_0.MessageRegistryFile"
NAME: Final = "BiosAttributeRegistry"
VERSION: Final = "1.0.0"
ID: Final = f"{NAME}.v1_0_0"
FILE: Final = f"{ROOT}/Registries/{ID}"
URI: Final = f"{FILE}/{NAME}.{VERSION}.json"

AttributeValue: TypeAlias = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    name: str
    display: str
    menu: str
    default: AttributeValue
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0  # the largest number, or the greatest length of a text in characters
    read_only: bool = False
    help: str = ""

    @property
    def type(self) -> str:
        if self.choices:
            return "Enumeration"
        return {bool: "Boolean", int: "Integer", str: "String"}[type(self.default)]

    @property
    def rule(self) -> Rule:
        match self.type:
            case "Enumeration":
                return OneOfRule(self.choices)
            case "Boolean":
                return BooleanRule()
            case "Integer":
                return IntegerRule(low=self.low, high=self.high)
            case _:
                return TextRule(low=self.low, high=self.high)


_OFF_ON: Final = ("Disabled", "Enabled")


def _switch(name: str, display: str, menu: str, default: str = "Enabled", help: str = "") -> Attribute:
    return Attribute(name=name, display=display, menu=menu, default=default, choices=_OFF_ON, help=help)


ATTRIBUTES: Final = (
    Attribute(name="BootMode", display="Boot Mode", menu="Boot", default="Uefi", choices=("Uefi", "LegacyBios")),
    Attribute(name="BootRetries", display="Boot Retries", menu="Boot", default=3, low=0, high=10),
    Attribute(name="BootDelaySeconds", display="Boot Delay (seconds)", menu="Boot", default=5, low=0, high=60),
    _switch("QuietBoot", "Quiet Boot", "Boot"),
    _switch("NetworkBoot", "Network Boot", "Boot", help="Whether the network adapters are boot options."),
    _switch("HttpBoot", "HTTP Boot", "Boot", "Disabled"),
    _switch("UsbBoot", "USB Boot", "Boot"),
    _switch("ProcVirtualization", "Virtualization Technology", "Processor"),
    _switch("ProcHyperthreading", "Simultaneous Multithreading", "Processor"),
    _switch("ProcTurboMode", "Turbo Mode", "Processor"),
    _switch("ProcX2Apic", "x2APIC Mode", "Processor"),
    Attribute(name="ProcCoresEnabled", display="Enabled Cores (0: all)", menu="Processor", default=0, low=0, high=128),
    Attribute(
        name="PowerProfile",
        display="Power Profile",
        menu="Processor",
        default="Balanced",
        choices=("Performance", "Balanced", "PowerSaving"),
    ),
    _switch("ProcCStates", "C-States", "Processor"),
    Attribute(
        name="MemoryMode",
        display="Memory Operating Mode",
        menu="Memory",
        default="Optimizer",
        choices=("Optimizer", "Mirror", "Spare"),
    ),
    _switch("NodeInterleaving", "Node Interleaving", "Memory", "Disabled"),
    _switch("MemoryPatrolScrub", "Patrol Scrub", "Memory"),
    _switch("SriovGlobal", "SR-IOV", "Devices", "Disabled"),
    _switch("PciAbove4G", "Memory Mapped I/O above 4 GB", "Devices"),
    _switch("EmbeddedVideo", "Embedded Video", "Devices"),
    _switch("SerialConsole", "Serial Console Redirection", "Devices"),
    Attribute(
        name="SerialBaudRate",
        display="Serial Console Rate",
        menu="Devices",
        default="115200",
        choices=("9600", "19200", "57600", "115200"),
    ),
    _switch("TpmVisibility", "TPM Visibility", "Security"),
    Attribute(name="TpmVersion", display="TPM Version", menu="Security", default="2.0", high=8, read_only=True),
    Attribute(name="AdminContact", display="Administrator Contact", menu="Security", default="", high=64),
    Attribute(name="NumLock", display="NumLock at Boot", menu="General", default=True),
    Attribute(name="AssetNote", display="Asset Note", menu="General", default="", high=64),
)
MENUS: Final = tuple(dict.fromkeys(attribute.menu for attribute in ATTRIBUTES))
DEFAULTS: Final[dict[str, AttributeValue]] = {attribute.name: attribute.default for attribute in ATTRIBUTES}


def attribute_registry(profile: Profile) -> tuple[Resource, Resource]:
    """The registry file that Registries lists, and the registry to which it points."""

    def file(view: RedfishBmc) -> Json:
        return head_of(FILE, FILE_TYPE, ID, "BIOS Attribute Registry File") | {
            "Languages": ["en"],
            "Registry": ID,
            "Location": [{"Language": "en", "Uri": URI}],
        }

    def registry(view: RedfishBmc) -> Json:
        return {
            "@odata.type": REGISTRY_TYPE,
            "Id": ID,
            "Name": "BIOS Attribute Registry",
            "Language": "en",
            "RegistryVersion": VERSION,
            "OwningEntity": "fencelab",
            "SupportedSystems": [_supported(profile)],
            "RegistryEntries": {
                "Attributes": [_entry(n, attribute) for n, attribute in enumerate(ATTRIBUTES, start=1)],
                "Menus": [_menu(n, name) for n, name in enumerate(MENUS, start=1)],
                "Dependencies": [],
            },
        }

    return Resource(path=FILE, type=FILE_TYPE, content=fixed_content(file)), Resource(
        path=URI, type=REGISTRY_TYPE, content=fixed_content(registry)
    )


def _supported(profile: Profile) -> Json:
    properties = {"ProductName": profile.identity.model, "FirmwareVersion": profile.identity.bios_version}
    return {name: value for name, value in properties.items() if value != ABSENT}


def _entry(n: int, attribute: Attribute) -> Json:
    entry: Json = {
        "AttributeName": attribute.name,
        "Type": attribute.type,
        "DisplayName": attribute.display,
        "HelpText": attribute.help or f"{attribute.display}.",
        **({"DefaultValue": attribute.default} if attribute.default != "" else {}),
        "DisplayOrder": n,
        "MenuPath": f"./{attribute.menu}",
        "ReadOnly": attribute.read_only,
        "Hidden": False,
        "Immutable": False,
        "ResetRequired": True,
    }
    match attribute.type:
        case "Enumeration":
            entry["Value"] = [{"ValueName": choice, "ValueDisplayName": choice} for choice in attribute.choices]
        case "Integer":
            entry |= {"LowerBound": attribute.low, "UpperBound": attribute.high, "ScalarIncrement": 1}
        case "String":
            entry |= {"MinLength": attribute.low, "MaxLength": attribute.high}
    return entry


def _menu(n: int, name: str) -> Json:
    return {
        "MenuName": name,
        "DisplayName": name,
        "DisplayOrder": n,
        "MenuPath": f"./{name}",
        "ReadOnly": False,
        "GrayOut": False,
        "Hidden": False,
    }
