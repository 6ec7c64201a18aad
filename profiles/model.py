"""A vendor profile as plain data. Times are seconds.

Rules
  1. Frozen dataclasses of the standard library only; no parsing, no defaults taken from outside, no behaviour.
  2. `extends` is resolved already: a `Profile` is complete. `loader` creates it; all other code only reads it.
  3. Each step separates what the machine does (`real`) from what the BMC reports (`says`).
  4. Evidence is stored beside the values. Lint and reports read it; it does not change behaviour.

The format that users write is described in docs/write-a-profile.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from profiles.model_evidence import ABSENT as ABSENT
from profiles.model_evidence import Confidence as Confidence
from profiles.model_evidence import FactEvidence as FactEvidence
from profiles.model_evidence import Source as Source
from profiles.model_evidence import Span as Span
from profiles.model_http import Account as Account
from profiles.model_http import AuthRules as AuthRules
from profiles.model_http import BmcReset as BmcReset
from profiles.model_http import ErrorShape as ErrorShape
from profiles.model_http import Http as Http
from profiles.model_http import IfMatchRule as IfMatchRule
from profiles.model_http import Lockout as Lockout
from profiles.model_http import MessageTemplate as MessageTemplate
from profiles.model_http import OtherManager as OtherManager
from profiles.model_http import RefusedRequest as RefusedRequest
from profiles.model_http import ReplyTemplate as ReplyTemplate
from profiles.model_http import ResourceRules as ResourceRules
from profiles.model_http import Sessions as Sessions


class View(StrEnum):
    """The three places where one BMC reports the power state. They may disagree."""

    SYSTEM = "system"
    CHASSIS = "chassis"
    IPMI = "ipmi"


class HostEvent(StrEnum):
    """What a step may do to the operating system of the host."""

    OS_SHUTDOWN = "os_shutdown"  # requests a shutdown; a hung OS ignores it
    OS_REBOOT = "os_reboot"  # requests a reboot; a hung OS ignores it
    OS_RESTART = "os_restart"  # hard reset: the OS stops and boots again, even if it hangs
    OS_CRASH = "os_crash"  # for example an NMI: the OS stops, the power stays on


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectStep:
    """One step of an effect, `at` seconds after the command was accepted."""

    at: Span
    real: Literal["On", "Off"] | None = None  # the host's rail; None: unchanged
    says: Mapping[View, str | None] = field(
        default_factory=lambda: MappingProxyType({})
    )  # the views that change; None is JSON null
    event: HostEvent | None = None


@dataclass(frozen=True, slots=True)
class PowerCell:
    """One cell of the power table: the outcome of a ResetType in a state."""

    outcome: str
    evidence: FactEvidence
    assumed: bool = False  # the profile has "?": not known, the parent's outcome is used


@dataclass(frozen=True, slots=True)
class PowerOutcome:
    reply: str  # a key of Profile.replies
    effect: str  # a key of PowerRules.effects, or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWindow:
    """For some seconds after an effect has started, these ResetTypes have another outcome."""

    after: str
    for_s: Span
    reset: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OemAction:
    """A vendor's own action that gives the host a power command. `target` is its path, with {system} for the system's id."""

    target: str
    name: str | None = None  # as it stands under `under` of the system; None: not shown
    under: str = "Actions/Oem"
    parameter: str | None = None  # whose value says which command
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # value -> ResetType
    body: str | None = None  # the ResetType of an action without a parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class ChassisPower:
    """What a Chassis offers of power beside the System."""

    power_state: bool = True  # whether it has the property PowerState
    reset_types: tuple[str, ...] = ()  # of Chassis.Reset; none: no such action
    advertise: Literal["inline", "action_info"] = "inline"  # where it lists them


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRules:
    advertise: Literal["inline", "action_info", "both", "none"]
    reset_types: tuple[str, ...]
    table: Mapping[str, Mapping[str, PowerCell]]  # "On" | "Off" -> ResetType -> Cell
    unlisted_type: PowerCell
    outcomes: Mapping[str, PowerOutcome]
    effects: Mapping[str, tuple[EffectStep, ...]]  # "none" is never a key
    on_os_down: tuple[EffectStep, ...]  # the steps after the OS has shut down
    windows: tuple[ReplyWindow, ...] = ()
    target: str | None = None  # the path of ComputerSystem.Reset, with {system}; None: the usual one
    oem_actions: tuple[OemAction, ...] = ()
    apply_times: tuple[str, ...] = ()  # @Redfish.OperationApplyTimeSupport of the Reset action; none: no such annotation
    chassis: ChassisPower = ChassisPower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The names and versions that the service shows. Every string may be ABSENT.

    `system_uuid` and `root_uuid` may be "random": drawn from the rack's seed. They and `sku` have `{serial}`, `{mac}` and the
    names of `Profile.given` unfilled: each machine has its own.
    """

    vendor: str
    product: str
    redfish_version: str
    root_type: str
    root_uuid: str
    manufacturer: str
    model: str
    sku: str
    system_type: str
    system_uuid: str
    manager_type: str
    chassis_type: str
    bios_version: str
    bmc_model: str
    bmc_firmware: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    system: str
    manager: str
    chassis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IpmiDevice:
    manufacturer: int
    product: int
    device_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class IpmiCell:
    completion_code: int
    effect: str
    evidence: FactEvidence
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OemCommand:
    """An IPMI command of the vendor: a request whose data begin with `data` gets this completion code and answer."""

    netfn: int
    command: int
    data: bytes = b""
    answer: bytes = b""
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipmi:
    lan: bool
    device: IpmiDevice
    cipher_suites: tuple[int, ...]
    chassis: Mapping[str, Mapping[str, IpmiCell]]  # "On" | "Off" -> down up cycle reset diag soft -> IpmiCell
    duplicates: Literal["once", "twice"] = "twice"  # executions of a request that a client repeats
    auth_types: tuple[str, ...] | None = None  # of IPMI 1.5: none, md5, password; None: derived from the cipher suites
    kg: str | None = None  # the BMC's own key, K_g; None: not set
    sessions: int = 32  # how many may be open at the same time
    oem: tuple[OemCommand, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The parts of the machine and where they are shown. Counts are per system."""

    processors: int
    cores: int  # of each processor, two threads each
    processor_maker: str
    processor_model: str
    dimms: int
    dimm_gib: int
    drives: int  # behind the RAID controller, in front bays
    drive_gb: int
    boot_drives: int  # NVMe, inside
    network_adapters: int
    ports: int  # of each adapter
    port_gbps: int
    power_supplies: int
    psu_watts: int
    fans: int
    power_and_thermal: Literal["subsystems", "legacy", "both"]  # PowerSubsystem and so on, Power and Thermal
    virtual_media: Literal["system", "manager", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """A rack PDU: the ids of its outlets, and the schema versions that its Redfish service shows."""

    outlets: tuple[str, ...]
    equipment_type: str
    distribution_type: str
    outlet_type: str

    kind: ClassVar[str] = "pdu"
    called: ClassVar[str] = "a PDU"
    part: ClassVar[str] = "outlet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A chassis above nodes: the ids of its slots, each a Chassis whose Reset gives power to a node or takes it."""

    slots: tuple[str, ...]
    enclosure_type: str  # ChassisType of the whole
    slot_type: str  # and of a slot

    kind: ClassVar[str] = "enclosure"
    called: ClassVar[str] = "an enclosure"
    part: ClassVar[str] = "slot"

    @property
    def outlets(self) -> tuple[str, ...]:
        return self.slots


THREE_SECONDS: Final = Span(3.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    latency_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    os_shutdown_s: Span = THREE_SECONDS  # shutdown time of an emulated OS; a host with a real back end has its own


class Tool(StrEnum):
    """The validators of DMTF."""

    SERVICE = "service"
    PROTOCOL = "protocol"
    USE_CASE = "use-case"
    INTEROP = "interop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A FAIL or WARN of a validator that is correct, because the real BMC behaves like this. It does not change behaviour."""

    tool: Tool
    result: Literal["FAIL", "WARN"]
    assertion: str  # the name of the check in the tool
    where: str  # part of the tool's text about the tested object
    because: str
    evidence: FactEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    id: str
    title: str
    extends: tuple[str, ...]
    abstract: bool
    firmware: Mapping[str, str]
    sources: Mapping[str, Source]
    vars: Mapping[str, str]
    ids: Ids
    identity: Identity
    power: PowerRules
    replies: Mapping[str, ReplyTemplate]
    messages: Mapping[str, MessageTemplate]
    errors: ErrorShape
    http: Http
    auth: AuthRules
    tasks: Mapping[str, Any]
    bmc_reset: BmcReset
    ipmi: Ipmi
    timing: Timing
    inventory: Inventory
    faults: Mapping[str, Mapping[str, Any]]
    resources: ResourceRules
    given: tuple[tuple[str, str], ...] = ()  # the vars that stand in a rack file instead of the profile's
    managers: tuple[OtherManager, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # schema -> "v1_9_0"
    refusals: tuple[RefusedRequest, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    feeder: Pdu | Enclosure | None = None  # what gives power to BMCs with their hosts; None: a BMC with systems
    evidence: Mapping[str, FactEvidence]  # "identity.bmc_model" -> Evidence; "identity.*" for a whole block
    digest: str  # of the resolved data; journals and reports show it
    code: str | None = None  # the path of the profile's oem.py; None: it has none

    @property
    def identity_only(self) -> bool:
        """Whether nobody has shown how power behaves here: at most one answer to a power command over Redfish is known."""
        assumed = [cell.assumed for row in self.power.table.values() for cell in row.values()]
        return assumed.count(False) <= 1 < assumed.count(True)
