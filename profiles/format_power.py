"""The blocks of a profile about power requests and their answers, over both protocols. `format` puts them together."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fencelab_yaml.values import UNIQUE, Choice, Flag, KeyChoice, KeyText, Number, OneOf, Text, known_keys
from profiles.blocks import CHASSIS_COMMANDS, STATES
from profiles.format_values import (
    ClaimValue,
    EvidenceForm,
    Headers,
    IpmiCellForm,
    NameKey,
    NameText,
    OnOrOffWord,
    PowerCellForm,
    RedfishPath,
    ResetTypeKey,
    ResetTypeWord,
    Seconds,
    UnlistedCell,
    Words,
)
from profiles.model import HostEvent

StateKey = Annotated[str, KeyChoice(*STATES)]
CommandKey = Annotated[str, KeyChoice(*CHASSIS_COMMANDS)]
PowerStateWord = Annotated[str, Choice("On", "Off", "PoweringOn", "PoweringOff", "Paused", "Reset", "Unknown", "absent")] | None
Advertise = Annotated[str, Choice("inline", "action_info", "both", "none")]
SomeResetTypes = Annotated[list[ResetTypeWord], Field(min_length=1)]
ResetTypeWords = Annotated[list[ResetTypeWord], UNIQUE]
ActionPath = Annotated[str, Text(r"/redfish/\S+", "a path that starts with /redfish")]
ParameterText = Annotated[str, Text("[A-Za-z][A-Za-z0-9]*", "the name of a parameter")]
ActionName = Annotated[str, Text(r"#\S+", 'the name of an action such as "#HpeComputerSystemExt.PowerButton"')]
ParameterValueKey = Annotated[str, KeyText(r"\S+", "a value of the parameter")]


@known_keys
class StepKeys(TypedDict):
    """One step of an effect. What it does not name stays as it is."""

    at: Annotated[Seconds, Field(description="seconds after the request was accepted, or [from, to]")]
    real: NotRequired[Annotated[OnOrOffWord, Field(description="the power of the machine itself")]]
    system: NotRequired[Annotated[PowerStateWord, Field(description="what the System resource says from then on")]]
    chassis: NotRequired[Annotated[PowerStateWord, Field(description="what the Chassis resource says from then on")]]
    ipmi: NotRequired[Annotated[OnOrOffWord, Field(description="what IPMI says from then on")]]
    event: NotRequired[
        Annotated[
            str,
            Choice(*(event.value for event in HostEvent)),
            Field(description="what it does to the operating system; a hung one ignores os_shutdown and os_reboot"),
        ]
    ]


StepList = Annotated[list[StepKeys], Field(min_length=1)]


@known_keys
class OutcomeKeys(TypedDict):
    """A reply and an effect."""

    reply: Annotated[NameText, Field(description="what is answered: a name under `replies`")]
    effect: Annotated[NameText, Field(description="what happens: a name under `power.effects`, or none")]


@known_keys
class WindowKeys(TypedDict):
    """Another outcome for some time after an effect."""

    after: Annotated[NameText, Field(description="the effect after whose start it begins")]
    for_s: Annotated[Seconds, Field(description="how long, in seconds")]
    reset: Annotated[SomeResetTypes, Field(description="the ResetTypes that have the other outcome")]
    outcome: Annotated[NameText, Field(description="a name under `power.outcomes`")]
    evidence: ClaimValue


@known_keys
class OemActionKeys(TypedDict):
    """A vendor's own action that gives the host a power command: with `parameter` and `values`, or with `body`."""

    target: Annotated[ActionPath, Field(description="its path; {system} stands for the id of the system")]
    name: NotRequired[Annotated[ActionName, Field(description="how the System shows it; without: not shown")]]
    under: NotRequired[
        Annotated[
            str,
            Text("(?:Actions/Oem|Oem)(?:/[A-Za-z0-9_]+)*", "Actions/Oem, or a path of properties below Oem"),
            Field(description="where the System shows it, as Oem/Acme/Actions; without: Actions/Oem"),
        ]
    ]
    parameter: NotRequired[Annotated[ParameterText, Field(description="the parameter whose value says which command")]]
    values: NotRequired[
        Annotated[dict[ParameterValueKey, ResetTypeWord], Field(description="the ResetType for each value of the parameter")]
    ]
    body: NotRequired[Annotated[ResetTypeWord, Field(description="the ResetType of an action without a parameter")]]
    evidence: ClaimValue


@known_keys
class ChassisPowerKeys(TypedDict):
    """What a Chassis offers of power beside the System."""

    power_state: NotRequired[Annotated[Flag, Field(description="whether it has the property PowerState; without: true")]]
    reset_types: NotRequired[Annotated[ResetTypeWords, Field(description="the types of Chassis.Reset; without: no such action")]]
    advertise: NotRequired[
        Annotated[str, Choice("inline", "action_info"), Field(description="where they are listed; without: inline")]
    ]


@known_keys
class PowerKeys(TypedDict):
    """Power requests over Redfish: the table, its outcomes and effects."""

    advertise: Annotated[
        Advertise,
        Field(description="where the allowed ResetTypes are shown: in the action, in its ActionInfo, in both or nowhere"),
    ]
    reset_types: Annotated[list[ResetTypeWord], Field(min_length=1, description="the ResetTypes that the system offers"), UNIQUE]
    table: Annotated[
        dict[StateKey, dict[ResetTypeKey, PowerCellForm]],
        Field(description='state of the machine, then ResetType: [outcome, confidence, source...], or "?" for what nobody knows'),
    ]
    unlisted_type: Annotated[UnlistedCell, Field(description="the outcome of a ResetType that is not in `reset_types`")]
    outcomes: Annotated[dict[NameKey, OutcomeKeys], Field(description="the outcomes that cells of the table name")]
    effects: Annotated[dict[NameKey, StepList], Field(description="what happens, step by step, by name")]
    on_os_down: Annotated[StepList, Field(description="the steps after the operating system has shut down")]
    target: NotRequired[
        Annotated[ActionPath, Field(description="the path of ComputerSystem.Reset, with {system}; without: the usual one")]
    ]
    oem_actions: NotRequired[
        Annotated[list[OemActionKeys], Field(min_length=1, description="the vendor's own actions that give power commands")]
    ]
    apply_times: NotRequired[
        Annotated[
            list[Annotated[str, Text("[A-Z][A-Za-z]*", "an apply time such as Immediate")]],
            Field(min_length=1, description="OperationApplyTimeSupport of the Reset action; without: no such annotation"),
            UNIQUE,
        ]
    ]
    chassis: NotRequired[ChassisPowerKeys]
    windows: NotRequired[Annotated[list[WindowKeys], Field(description="other outcomes for some time after an effect")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class TaskEndKeys(TypedDict):
    """A task that the answer promises."""

    start: Annotated[str, Choice("New", "Pending", "Starting", "Running"), Field(description="its first TaskState")]
    end: Annotated[str, Choice("Completed", "Cancelled", "Exception", "Killed"), Field(description="its last TaskState")]
    after_s: Annotated[Seconds, Field(description="seconds from its start to its end")]
    message: NotRequired[Annotated[NameText, Field(description="what it says at its end: a name under `messages`")]]


@known_keys
class ReplyKeys(TypedDict):
    """An HTTP answer."""

    status: Annotated[int, Number(200, 599), Field(description="the HTTP status")]
    headers: NotRequired[Annotated[Headers, Field(description="headers beside the usual ones")]]
    message: NotRequired[Annotated[NameText, Field(description="what it says: a name under `messages`")]]
    body: NotRequired[
        Annotated[
            Annotated[str, Choice("empty")] | dict[str, object],
            OneOf('"empty" or a JSON object'),
            Field(description='the body in place of the usual one: "empty" or a JSON object'),
        ]
    ]
    text: NotRequired[Annotated[Words, Field(description="the body as plain text in place of JSON")]]
    task: NotRequired[TaskEndKeys]
    evidence: NotRequired[ClaimValue]


@known_keys
class MessageKeys(TypedDict):
    """A message of a registry."""

    id: Annotated[
        str, Text(r"[^\s]+", "a message id without blanks"), Field(description="its MessageId, with registry and version")
    ]
    text: Annotated[
        str,
        Text(wanted='text (or "none" where the vendor sends the id only)'),
        Field(description='what it says, or "none" where the vendor sends the id only'),
    ]
    args: NotRequired[Annotated[list[Words], Field(description="its MessageArgs")]]
    severity: NotRequired[Annotated[Words, Field(description="its severity, as the vendor writes it")]]
    resolution: NotRequired[Annotated[Words, Field(description="what it advises")]]
    evidence: NotRequired[ClaimValue]


@known_keys
class TopLevelKeys(TypedDict):
    """The messages of an error, repeated at the top of the body."""

    type: NotRequired[Annotated[Words, Field(description="the value of @odata.type there")]]
    name: NotRequired[Annotated[Words, Field(description="the value of Name there")]]


@known_keys
class ErrorsKeys(TypedDict):
    """The form of an error."""

    code: Annotated[Words, Field(description="the value of error.code")]
    summary: Annotated[Words, Field(description="the value of error.message")]
    fields: Annotated[
        list[Words], Field(min_length=1, description="the properties of each message in @Message.ExtendedInfo"), UNIQUE
    ]
    top_level: NotRequired[TopLevelKeys]
    entry_type: NotRequired[Annotated[Words, Field(description="@odata.type of each message, where the vendor writes it")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class TasksKeys(TypedDict):
    """How tasks are shown."""

    style: Annotated[
        str, Choice("none", "tasks", "jobs"), Field(description="tasks with a monitor, jobs as Dell has them, or none at all")
    ]
    id: NotRequired[Annotated[Words, Field(description="the id of a task; {n} counts, {digits:12} are random digits")]]
    monitor: NotRequired[Annotated[RedfishPath, Field(description="the path of a task monitor, with {n}")]]
    retry_after_s: NotRequired[Annotated[int, Number(0, 3600), Field(description="the value of Retry-After, in seconds")]]
    deleted_by_monitor: NotRequired[Annotated[Flag, Field(description="whether the task goes when its end has been told")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class AfterBmcResetKeys(TypedDict):
    """What the BMC answers when it is back on the network and not ready yet."""

    reply: Annotated[NameText, Field(description="the answer over Redfish: a name under `replies`")]
    for_s: Annotated[Seconds, Field(description="for how long, in seconds")]
    reset: NotRequired[Annotated[SomeResetTypes, Field(description="only requests of these types get it; without: all")]]
    ipmi: NotRequired[Annotated[int, Number(1, 255), Field(description="the completion code over IPMI; without: silence")]]


@known_keys
class BmcResetKeys(TypedDict):
    """Resets of the BMC itself; the cold and warm reset of IPMI take the same course."""

    reset_types: Annotated[ResetTypeWords, Field(description="the types of Manager.Reset")]
    reply: Annotated[NameText, Field(description="the answer to the reset: a name under `replies`")]
    grace_s: Annotated[Seconds, Field(description="how long it goes on as before, in seconds")]
    outage_s: Annotated[Seconds, Field(description="how long it is deaf, in seconds")]
    unlisted: NotRequired[Annotated[NameText, Field(description="the answer to any other type: a name under `replies`")]]
    after: NotRequired[AfterBmcResetKeys]
    restore_policy: NotRequired[
        Annotated[Flag, Field(description="whether it does to its hosts what their restore policy says when it is back")]
    ]
    advertise: NotRequired[Annotated[Advertise, Field(description="where the types are shown, as `power.advertise` says")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class IpmiDeviceKeys(TypedDict):
    """The answer to Get Device ID."""

    manufacturer: Annotated[int, Number(0, 0xFFFFF), Field(description="the manufacturer's IANA number")]
    product: Annotated[int, Number(0, 0xFFFF), Field(description="the product id")]
    device_id: Annotated[int, Number(0, 255), Field(description="the device id")]
    revision: Annotated[int, Number(0, 15), Field(description="the device revision")]


HexBytes = Annotated[str, Text(r"(?:[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*)?", 'bytes in hexadecimal such as "01 2f"')]


@known_keys
class OemCommandKeys(TypedDict):
    """A vendor's own IPMI command."""

    netfn: Annotated[int, Number(0x2C, 0x3E), Field(description="its network function")]
    command: Annotated[int, Number(0, 255), Field(description="its number")]
    data: NotRequired[Annotated[HexBytes, Field(description="only with data that begins like this")]]
    answer: NotRequired[Annotated[HexBytes, Field(description="the data of the answer")]]
    code: NotRequired[Annotated[int, Number(0, 255), Field(description="the completion code; without: 0")]]
    evidence: ClaimValue


@known_keys
class IpmiKeys(TypedDict):
    """IPMI over LAN."""

    lan: Annotated[Flag, Field(description="whether the BMC answers over the network at all")]
    device: IpmiDeviceKeys
    cipher_suites: Annotated[list[Annotated[int, Number(0, 255)]], UNIQUE, Field(description="the ids of its cipher suites")]
    duplicates: NotRequired[
        Annotated[str, Choice("once", "twice"), Field(description="how often a request is executed that a client repeats")]
    ]
    auth_types: NotRequired[
        Annotated[
            list[Annotated[str, Choice("none", "md5", "password")]],
            UNIQUE,
            Field(description="the authentication types of IPMI 1.5; without: derived from the cipher suites"),
        ]
    ]
    kg: NotRequired[
        Annotated[
            str,
            Text(r"[ -~]{1,20}", "1 to 20 printable ASCII characters"),
            Field(description="the BMC's own key; without: not set"),
        ]
    ]
    sessions: NotRequired[Annotated[int, Number(1, 63), Field(description="how many sessions may be open at the same time")]]
    oem: NotRequired[Annotated[list[OemCommandKeys], Field(description="the vendor's own commands")]]
    chassis: Annotated[
        dict[StateKey, dict[CommandKey, IpmiCellForm]],
        Field(description='state of the machine, then chassis command: [completion code, effect, confidence, source...], or "?"'),
    ]
    evidence: NotRequired[EvidenceForm]
