"""The blocks of a profile about the machine: its names, its parts, its pace. `format` puts them together."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fencelab_yaml.values import UNIQUE, Choice, Never, Number, Text, known_keys
from profiles.format_values import EvidenceForm, PartId, Seconds, TypeName, Words

Uuid = Annotated[
    str,
    Text(
        r"absent|random|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|.*\{[a-z_]+(?::[a-z0-9]+)?\}.*",
        "a UUID, random or absent",
    ),
]


@known_keys
class IdentityKeys(TypedDict):
    """Names and versions that the service shows. Each may be `absent`."""

    vendor: Annotated[Words, Field(description="Vendor of the service root")]
    product: Annotated[Words, Field(description="Product of the service root")]
    redfish_version: Annotated[Words, Field(description="RedfishVersion of the service root")]
    root_type: Annotated[TypeName, Field(description="@odata.type of the service root")]
    root_uuid: Annotated[Uuid, Field(description="UUID of the service root; random: drawn from the rack's seed")]
    manufacturer: Annotated[Words, Field(description="Manufacturer of the system")]
    model: Annotated[Words, Field(description="Model of the system")]
    sku: Annotated[Words, Field(description="SKU of the system")]
    system_type: Annotated[TypeName, Field(description="@odata.type of the system")]
    system_uuid: Annotated[Uuid, Field(description="UUID of the system; random: drawn from the rack's seed")]
    manager_type: Annotated[TypeName, Field(description="@odata.type of the manager")]
    chassis_type: Annotated[TypeName, Field(description="@odata.type of the chassis")]
    bios_version: Annotated[Words, Field(description="BiosVersion of the system")]
    bmc_model: Annotated[Words, Field(description="Model of the manager")]
    bmc_firmware: Annotated[Words, Field(description="FirmwareVersion of the manager")]
    oem_key: NotRequired[Annotated[object, Never("nothing reads it: write what the vendor has under Oem with resources.merge")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class LatencyMsKeys(TypedDict):
    """How long the BMC takes for every answer, in milliseconds; off until it is asked for."""

    min: NotRequired[Annotated[float, Number(0, 600_000, fraction=True), Field(description="at least")]]
    typ: NotRequired[Annotated[float, Number(0, 600_000, fraction=True), Field(description="as a rule")]]
    max: NotRequired[Annotated[float, Number(0, 600_000, fraction=True), Field(description="at most")]]


@known_keys
class TimingKeys(TypedDict):
    """The pace of the machine."""

    latency_ms: NotRequired[LatencyMsKeys]
    os_shutdown_s: NotRequired[Annotated[Seconds, Field(description="how long an emulated operating system takes to shut down")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class InventoryKeys(TypedDict):
    """The parts of the machine, from which the Redfish tree and the sensors are built. Counts are per system."""

    processors: Annotated[int, Number(1, 8), Field(description="processors")]
    cores: Annotated[int, Number(1, 128), Field(description="cores of each processor, two threads each")]
    dimms: Annotated[int, Number(1, 64), Field(description="memory modules")]
    dimm_gib: Annotated[int, Number(1, 1024), Field(description="the size of each, in GiB")]
    drives: Annotated[int, Number(0, 32), Field(description="drives behind the RAID controller")]
    drive_gb: Annotated[int, Number(1, 100_000), Field(description="the size of each, in GB")]
    boot_drives: Annotated[int, Number(1, 4), Field(description="NVMe drives inside")]
    network_adapters: Annotated[int, Number(1, 8), Field(description="network adapters")]
    ports: Annotated[int, Number(1, 4), Field(description="ports of each adapter")]
    port_gbps: Annotated[int, Number(1, 400), Field(description="the speed of each port, in Gbit/s")]
    power_supplies: Annotated[int, Number(1, 8), Field(description="power supplies")]
    psu_watts: Annotated[int, Number(100, 10_000), Field(description="the power of each, in watts")]
    fans: Annotated[int, Number(1, 16), Field(description="fans")]
    processor_maker: Annotated[Words, Field(description="Manufacturer of the processors")]
    processor_model: Annotated[Words, Field(description="Model of the processors")]
    power_and_thermal: Annotated[
        str,
        Choice("subsystems", "legacy", "both"),
        Field(description="whether PowerSubsystem and ThermalSubsystem are shown, Power and Thermal, or both"),
    ]
    virtual_media: Annotated[
        str, Choice("system", "manager", "none"), Field(description="where virtual media are found, if anywhere")
    ]
    evidence: NotRequired[EvidenceForm]


@known_keys
class PduKeys(TypedDict):
    """A rack PDU in place of a BMC: its outlets take the place of systems."""

    outlets: Annotated[list[PartId], Field(min_length=1, description="the ids of its outlets"), UNIQUE]
    equipment_type: Annotated[TypeName, Field(description="@odata.type of PowerEquipment")]
    distribution_type: Annotated[TypeName, Field(description="@odata.type of PowerDistribution")]
    outlet_type: Annotated[TypeName, Field(description="@odata.type of an outlet")]
    evidence: NotRequired[EvidenceForm]


@known_keys
class EnclosureKeys(TypedDict):
    """A chassis above nodes in place of a BMC: its slots take the place of systems."""

    slots: Annotated[list[PartId], Field(min_length=1, description="the ids of its slots"), UNIQUE]
    enclosure_type: Annotated[Words, Field(description="ChassisType of the whole")]
    slot_type: Annotated[Words, Field(description="ChassisType of a slot")]
    evidence: NotRequired[EvidenceForm]


@known_keys
class OtherManagerKeys(TypedDict):
    """A Manager beside the BMC itself. It has no actions."""

    id: Annotated[PartId, Field(description="its id")]
    type: NotRequired[Annotated[Words, Field(description="ManagerType")]]
    model: NotRequired[Annotated[Words, Field(description="Model")]]
    firmware: NotRequired[Annotated[Words, Field(description="FirmwareVersion")]]


@known_keys
class ManagersKeys(TypedDict):
    """Managers beside the BMC itself."""

    others: Annotated[list[OtherManagerKeys], Field(min_length=1, description="the other managers")]
    evidence: NotRequired[EvidenceForm]
