"""The form of a rack file, `rack/1`. `config` checks a file with it and reads it then."""

import ipaddress
from typing import Annotated, Final, NotRequired

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from emulator.faults.model import problems_of
from fencelab_yaml.form import Form
from fencelab_yaml.values import (
    UNIQUE,
    Choice,
    Flag,
    KeyText,
    Number,
    OneOf,
    Text,
    complaint,
    known_keys,
    raise_all,
)

FORMAT: Final = "rack/1"
BACKENDS: Final = ("virtual", "process", "docker")


class RackFaultForm:
    """A fault of the form fault/1, or the name of one of the profile's own."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_fault)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, {"type": "object", "required": ["type"]}]}


def _fault(value: object) -> object:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        keys = "type, when, count, after, until, probability, must_fire, params"
        raise complaint("sentence", sentence=f"must be a map: {keys}")
    data = {key: each for key, each in value.items() if key != "evidence"}
    if found := problems_of(data):
        raise_all(value, [(place, complaint("sentence", sentence=sentence, at_key=True)) for place, sentence in found])
    return value


class IpAddressForm:
    """An IPv4 or IPv6 address."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_address)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def _address(value: object) -> object:
    try:
        if isinstance(value, str) and ipaddress.ip_address(value):
            return value
    except ValueError:
        pass
    raise complaint("text", wanted="an IP address")


RackName = Annotated[str, Text("[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a name of letters, digits, . _ -")]
AddressText = Annotated[str, IpAddressForm()]
RackPort = Annotated[int, Number(0, 65535)]
Variable = Annotated[str, Text("[A-Za-z_][A-Za-z0-9_]*", "the name of a variable")]
VariableKey = Annotated[str, KeyText("[A-Za-z_][A-Za-z0-9_]*", "the name of a variable")]
RackVarKey = Annotated[str, KeyText("[A-Za-z0-9_][A-Za-z0-9_-]*", "a name of letters, digits, _ -")]
OutletKey = Annotated[str, KeyText("[A-Za-z0-9][A-Za-z0-9._-]{0,31}", "the id of an outlet")]
SwitchWord = Annotated[str, Choice("on", "off")]
NameOrNames = Annotated[RackName | Annotated[list[RackName], Field(min_length=1), UNIQUE], OneOf("a name or a list of names")]
Faults = Annotated[list[Annotated[object, RackFaultForm()]], OneOf("a list of faults")]
Slot = Annotated[
    str,
    Text(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
        "an enclosure and one of its slots, such as enclosure1/Slot1",
    ),
]


@known_keys
class HostKeys(TypedDict):
    """A host. Some keys belong to one back end."""

    name: NotRequired[Annotated[RackName, Field(description="without: the BMC's name, with a number where there are several")]]
    backend: NotRequired[Annotated[str, Choice(*BACKENDS), Field(description="what it really is; without: virtual")]]
    power: NotRequired[Annotated[SwitchWord, Field(description="whether it is on at first; not for docker")]]
    hung: NotRequired[Annotated[Flag, Field(description="whether its operating system ignores polite requests; virtual only")]]
    argv: NotRequired[Annotated[list[Annotated[str, Text()]], Field(min_length=1, description="the command; process only")]]
    env: NotRequired[Annotated[dict[VariableKey, Annotated[str, Text()]], Field(description="more environment; process only")]]
    cwd: NotRequired[Annotated[str, Text(), Field(description="where it starts, from the file's folder on; process only")]]
    log: NotRequired[Annotated[str, Text(), Field(description="where its output goes; process only; without: nowhere")]]
    container: NotRequired[Annotated[RackName, Field(description="insists on this container; docker only")]]


@known_keys
class BmcKeys(TypedDict):
    """A BMC, PDU or enclosure."""

    name: Annotated[RackName, Field(description="its name in the rack")]
    profile: Annotated[str, Text(), Field(description="a shipped profile, or a file from this file's folder on")]
    vars: NotRequired[
        Annotated[dict[RackVarKey, Annotated[str, Text()]], Field(description="values in place of the profile's `vars`")]
    ]
    username: NotRequired[
        Annotated[
            str,
            Text(r"[!-~]{1,16}", "a user name of 1 to 16 printable characters without blanks"),
            Field(description="the name of the first account; without: the profile's"),
        ]
    ]
    password_env: NotRequired[
        Annotated[Variable, Field(description="the variable with its password; without: the profile's public one")]
    ]
    ipmi: NotRequired[Annotated[Flag, Field(description="false: no IPMI over LAN; without: as the profile has it")]]
    ac: NotRequired[Annotated[SwitchWord, Field(description="off: no input power at first")]]
    faults: NotRequired[Annotated[Faults, Field(description="armed once the BMCs answer: fault/1, or names of the profile")]]
    feeds: NotRequired[
        Annotated[dict[OutletKey, NameOrNames], Field(description="what each outlet feeds: BMCs, or hosts that are alone")]
    ]
    parent: NotRequired[Annotated[Slot, Field(description="the slot of an enclosure that it is in")]]
    listen: NotRequired[Annotated[AddressText, Field(description="its address; without: that of the rack")]]
    redfish_port: NotRequired[Annotated[RackPort, Field(description="0: a free one")]]
    ipmi_port: NotRequired[Annotated[RackPort, Field(description="0: a free one")]]
    hosts: NotRequired[Annotated[list[HostKeys], Field(min_length=1, description="one for each system; without: a virtual one")]]


@known_keys
class DockerKeys(TypedDict):
    """The engine for hosts with backend docker."""

    url: NotRequired[
        Annotated[
            str,
            Text(r"(?:unix|tcp|http|https)://.+", "an address such as unix:///run/docker.sock"),
            Field(description="its address; without: DOCKER_HOST, else the usual socket"),
        ]
    ]
    project: NotRequired[Annotated[RackName, Field(description="only containers of this compose project; FENCELAB_PROJECT wins")]]


@known_keys
class RackKeys(TypedDict):
    """The BMCs of a rack, their ports and profiles, and their hosts."""

    schema: Annotated[str, Choice(FORMAT), Field(description="the format of the file")]
    seed: NotRequired[Annotated[int, Number(0, 2**31), Field(description="same seed, same UUIDs, serials and drawn times")]]
    listen: NotRequired[Annotated[AddressText, Field(description="the address of all BMCs; without: 127.0.0.1")]]
    tls: NotRequired[Annotated[Flag, Field(description="Redfish over HTTPS; without: true")]]
    time_scale: NotRequired[
        Annotated[float, Number(0.001, 1000, fraction=True), Field(description="0.125: the profiles' own times are an eighth")]
    ]
    docker: NotRequired[DockerKeys]
    bmcs: Annotated[list[BmcKeys], Field(min_length=1, description="the BMCs, PDUs and enclosures")]


RACK: Final = Form(FORMAT, "A rack of emulated BMCs", RackKeys)
