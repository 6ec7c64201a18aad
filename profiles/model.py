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

ABSENT: Final = "absent"
"""The word in a profile for a property that the service does not send (`null` is sent as null)."""


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


class Confidence(StrEnum):
    CAPTURED = "captured"
    DOCUMENTED = "documented"
    REPORTED = "reported"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class FactEvidence:
    """The evidence for a value: a confidence and ids of `Profile.sources`."""

    confidence: Confidence
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    ref: str
    commit: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A time in seconds. If `low` and `high` differ, the rack draws one uniformly, from its seed."""

    low: float
    high: float


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
    name: str | None = None  # as it stands under Actions.Oem of the system; None: not shown
    parameter: str | None = None  # whose value says which command
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # value -> ResetType
    body: str | None = None  # the ResetType of an action without a parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class ChassisPower:
    """What a Chassis offers of power beside the System."""

    power_state: bool = True  # whether it has the property PowerState
    reset_types: tuple[str, ...] = ()  # of Chassis.Reset; none: no such action


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
    chassis: ChassisPower = ChassisPower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTemplate:
    """An HTTP answer. `message` names a key of Profile.messages.

    `body` is "empty", a JSON object, or None for the usual shape.
    `task` has start, end, after_s (a Span) and maybe message.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    message: str | None = None
    body: Any = None
    task: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A registry message; `text` None means the vendor sends the id and arguments only."""

    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str | None = None
    resolution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorShape:
    code: str
    summary: str
    fields: tuple[str, ...]
    top_level: Mapping[str, str] | None = None  # type and name: the messages are repeated at the top of the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The names and versions that the service shows. Every string may be ABSENT.

    `system_uuid` and `root_uuid` may be "random": drawn from the rack's seed.
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
class IfMatch:
    """What If-Match means for these methods on these paths. `mismatch` and `missing` are replies; None: 428."""

    required: bool
    applies_to: tuple[str, ...]
    mismatch: str
    missing: str | None = None
    paths: tuple[str, ...] = ("/redfish/**",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    etag: Literal["none", "strong-digits", "strong-hex", "weak-hex8", "weak-time", "bare-integer", "hash"]
    redirect_http: bool
    tls_min: str
    features: Mapping[str, bool | int]
    if_match: tuple[IfMatch, ...] = ()  # the first that matches method and path counts
    odata_version: Mapping[str, str] | None = None
    server_header: str | None = None
    tls_max: str | None = None  # None: the newest that there is
    json: Literal["compact", "spaced", "pretty", "escaped"] = "spaced"  # escaped: compact, and each slash as \\/
    etag_on: tuple[str, ...] | None = None  # patterns of the paths that have an ETag; None: all
    slash: Literal["either", "ids", "redirect"] = "either"
    """either: a slash at the end of a path changes nothing. ids: @odata.id of resources ends with one. redirect: as ids, and a
    path without one is answered with 308."""
    not_found: str | None = None  # a reply for paths that do not exist; None: 404 in the profile's error shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    password: str
    role: Literal["Administrator", "Operator", "ReadOnly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    max: int | None
    timeout_s: float
    on_full: str | None = None  # a reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """Account lockout after failed log-ins. `failures` 0: no lockout."""

    by: Literal["account", "address"]
    failures: int
    window_s: float = 0.0
    penalty_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRules:
    basic: bool
    accounts: tuple[Account, ...]
    sessions: Sessions
    lockout: Lockout
    no_auth: str | None = None  # a reply for a request without valid credentials; None: 401 in the profile's error shape
    password_change_required: bool = False  # the accounts of `accounts` must change their passwords before anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcReset:
    reset_types: tuple[str, ...]
    reply: str
    grace_s: Span  # from the answer to the reset until the BMC stops answering
    outage_s: Span
    after: Mapping[str, Any] | None = None
    """The answers after a BMC reset: `reply` for `for_s` seconds, to all requests or only to these `reset`; `ipmi` is the IPMI
    completion code (None: no answer)."""
    restore_policy: bool = False  # whether a BMC that has started again does to its hosts what their restore policy says


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherManager:
    """A Manager beside the BMC itself, such as that of a GPU board. It has no actions."""

    id: str
    type: str = "Service"  # ManagerType
    model: str = ABSENT
    firmware: str = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A request that this vendor refuses and others allow. All conditions that are given must hold."""

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    reply: str
    evidence: FactEvidence
    properties: tuple[str, ...] = ()  # of the body; none: any body
    roles: tuple[str, ...] = ()  # of the requester; none: any role
    without_licence: str | None = None  # holds where `vars.licence` is another one


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRules:
    """The resources that a profile adds to the built-in tree, or its own tree. Bodies are JSON objects by path."""

    base: Mapping[str, Mapping[str, Any]] | None = None  # a captured tree; None: the built-in one
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    merge: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # path -> JSON merge patch
    remove: tuple[str, ...] = ()  # paths; what is below goes with them
    boot: Literal["system", "settings"] = "system"  # where the boot override is written


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
class Ipmi:
    lan: bool
    device: IpmiDevice
    cipher_suites: tuple[int, ...]
    chassis: Mapping[str, Mapping[str, IpmiCell]]  # "On" | "Off" -> down up cycle reset diag soft -> IpmiCell
    duplicates: Literal["once", "twice"] = "twice"  # executions of a request that a client repeats
    auth_types: tuple[str, ...] | None = None  # of IPMI 1.5: none, md5, password; None: derived from the cipher suites
    kg: str | None = None  # the BMC's own key, K_g; None: not set
    sessions: int = 32  # how many may be open at the same time


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    latency_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    os_shutdown_s: Span = Span(3.0, 3.0)  # shutdown time of an emulated OS; a host with a real back end has its own


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
    managers: tuple[OtherManager, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # schema -> "v1_9_0"
    refusals: tuple[RefusedRequest, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    feeder: Pdu | Enclosure | None = None  # what gives power to BMCs with their hosts; None: a BMC with systems
    evidence: Mapping[str, FactEvidence]  # "identity.bmc_model" -> Evidence; "identity.*" for a whole block
    digest: str  # of the resolved data; journals and reports show it
