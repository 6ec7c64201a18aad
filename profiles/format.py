"""The profile format, `profile/1`: the keys of a file.

The checks, the JSON Schema for editors (`schema.json`) and the reference of keys (docs/profile-keys.md) are made from it.
A key without `NotRequired` must be there when a file has been merged with its parents. The module loads pydantic, which takes
some 100 ms: `loader` imports it when a profile is checked.
"""

from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fencelab_yaml.form import Form
from fencelab_yaml.values import UNIQUE, Beside, Choice, Flag, KeyText, Number, OneOf, Text, known_keys
from profiles.blocks import FORMAT
from profiles.format_machine import EnclosureKeys, IdentityKeys, InventoryKeys, ManagersKeys, PduKeys, TimingKeys
from profiles.format_power import (
    BmcResetKeys,
    ErrorsKeys,
    IpmiKeys,
    MessageKeys,
    PowerKeys,
    ReplyKeys,
    TasksKeys,
)
from profiles.format_service import AuthKeys, HttpKeys, RefusalKeys
from profiles.format_values import ClaimValue, EvidenceForm, NameKey, RedfishPath, UniqueWords, Words
from profiles.model import Tool

VarNameKey = Annotated[str, KeyText("[a-z][a-z0-9_]*", "lower-case letters, digits and _")]
SchemaKey = Annotated[str, KeyText("[A-Z][A-Za-z0-9]*", "the name of a schema")]
SchemaVersionText = Annotated[str, Text(r"v[0-9]+_[0-9]+_[0-9]+", 'a schema version such as "v1_9_0"')]
MergeKey = Annotated[str, KeyText(r"/redfish/v1(?:/[^\s]*)?", "a path under /redfish/v1")]


@known_keys
class SourceKeys(TypedDict):
    """Where something is known from."""

    ref: Annotated[Words, Field(description="a repository and file, an issue, a document, or a device with firmware and date")]
    commit: NotRequired[Annotated[Words, Field(description="the commit that was read")]]
    licence: NotRequired[Annotated[Words, Field(description="the licence of what was taken")]]


@known_keys
class FirmwareKeys(TypedDict):
    """Which firmware a profile is about."""

    modelled_on: NotRequired[Annotated[Words, Field(description="the version that it was made from")]]
    applies_to: NotRequired[Annotated[Words, Field(description="the versions that behave alike, such as >=4.00 <8")]]


@known_keys
class MomentKeys(TypedDict):
    """When a rail is so."""

    rail: Annotated[str, Choice("on", "off"), Field(description="the power of the host")]
    system: NotRequired[Annotated[Words, Field(description="which system, where the BMC has several")]]


MomentOrSeconds = Annotated[
    Annotated[float, Number(0, 86_400, fraction=True)] | MomentKeys, OneOf("seconds or {rail: on} or {rail: off}")
]


@known_keys
class NamedFaultKeys(TypedDict):
    """A fault of the form `fault/1`, as far as it is known without the emulator, which knows the types and their parameters."""

    type: Annotated[Words, Field(description="which fault")]
    when: NotRequired[Annotated[dict[NameKey, object], Field(description="on which requests; without: on all of its seam")]]
    count: NotRequired[Annotated[int, Number(1), Field(description="how often at most")]]
    after: NotRequired[
        Annotated[MomentOrSeconds, Field(description="when it begins: seconds after arming, or when a rail is so")]
    ]
    until: NotRequired[Annotated[MomentOrSeconds, Field(description="when it ends")]]
    probability: NotRequired[
        Annotated[float, Number(0, 1, fraction=True), Field(description="the share of the requests on which it acts")]
    ]
    must_fire: NotRequired[Annotated[Flag, Field(description="whether a scenario is void where it never acted")]]
    params: NotRequired[Annotated[dict[NameKey, object], Field(description="the fault's own settings")]]
    evidence: ClaimValue


@known_keys
class ResourcesKeys(TypedDict):
    """Resources that a profile adds to the built-in tree, or its own tree."""

    base: NotRequired[
        Annotated[
            str,
            Text(wanted="built-in, or the folder of a captured tree"),
            Field(description="built-in, or the folder of a captured tree"),
        ]
    ]
    templates: NotRequired[
        Annotated[str, Text(wanted="a folder of JSON templates"), Field(description="a folder of JSON templates")]
    ]
    boot: NotRequired[Annotated[str, Choice("system", "settings"), Field(description="where the boot override is written")]]
    systems: NotRequired[
        Annotated[
            str,
            Text("/redfish/v1/[A-Za-z0-9._~-]+/?", "a path of one part below /redfish/v1"),
            Field(description="the path of the collection of Systems; without: /redfish/v1/Systems"),
        ]
    ]
    merge: NotRequired[Annotated[dict[MergeKey, object], Field(description="a JSON merge patch (RFC 7396) for each path")]]
    remove: NotRequired[
        Annotated[list[RedfishPath], UNIQUE, Field(description="paths of resources that there are not, with what is below them")]
    ]
    evidence: NotRequired[EvidenceForm]


@known_keys
class DeviationKeys(TypedDict):
    """A FAIL or WARN of a validator that is correct, because the real BMC behaves like this."""

    tool: Annotated[str, Choice(*(tool.value for tool in Tool)), Field(description="the validator")]
    result: Annotated[str, Choice("FAIL", "WARN"), Field(description="what it says")]
    assertion: Annotated[Words, Field(description="the name of the check in the validator; * stands for any part of it")]
    where: Annotated[Words, Field(description="a part of what the validator prints of the place")]
    because: Annotated[Words, Field(description="the reason")]
    evidence: ClaimValue


@known_keys
class ProfileKeys(TypedDict):
    """How one kind of BMC behaves."""

    schema: Annotated[str, Choice(FORMAT), Field(description="the format of the file")]
    id: Annotated[
        str,
        Text("[a-z0-9][a-z0-9-]*", "lower-case letters, digits and -"),
        Field(description="the name of the profile; that of the file for shipped ones"),
    ]
    title: Annotated[Words, Field(description="what it is, for people")]
    extends: NotRequired[
        Annotated[
            Words | UniqueWords,
            OneOf("a profile or a list of them"),
            Field(description="the parent, or a list of parents of which a later one wins"),
        ]
    ]
    abstract: NotRequired[Annotated[Flag, Field(description="whether it is only a base for others")]]
    firmware: NotRequired[Annotated[FirmwareKeys, Field(description="the firmware that it was made from and applies to")]]
    maintainers: NotRequired[Annotated[list[Words], Field(description="who knows about it")]]
    sources: NotRequired[Annotated[dict[NameKey, SourceKeys], Field(description="the sources that evidence names, by id")]]
    vars: Annotated[
        dict[VarNameKey, Words],
        Field(description="texts for {name} in templates; system_id, manager_id and chassis_id must be there"),
    ]
    identity: IdentityKeys
    power: PowerKeys
    replies: Annotated[dict[NameKey, ReplyKeys], Field(description="HTTP answers by name")]
    messages: Annotated[dict[NameKey, MessageKeys], Beside("evidence", EvidenceForm), Field(description="registry messages")]
    errors: ErrorsKeys
    http: HttpKeys
    auth: AuthKeys
    tasks: TasksKeys
    bmc_reset: BmcResetKeys
    ipmi: IpmiKeys
    timing: TimingKeys
    inventory: InventoryKeys
    pdu: NotRequired[PduKeys]
    enclosure: NotRequired[EnclosureKeys]
    managers: NotRequired[ManagersKeys]
    versions: NotRequired[
        Annotated[
            dict[SchemaKey, SchemaVersionText],
            Beside("evidence", EvidenceForm),
            Field(description="the version of each schema that differs from the built-in one"),
        ]
    ]
    refusals: NotRequired[Annotated[list[RefusalKeys], Field(description="requests that this vendor refuses and others allow")]]
    faults: NotRequired[
        Annotated[dict[NameKey, NamedFaultKeys], Field(description="deviations that are off until somebody arms them")]
    ]
    resources: NotRequired[ResourcesKeys]
    deviations: NotRequired[
        Annotated[list[DeviationKeys], Field(description="what validators hold against the vendor's own behaviour")]
    ]


PROFILE: Final = Form(FORMAT, "A BMC profile of fencelab", ProfileKeys, always=frozenset({"schema", "id", "title"}))
