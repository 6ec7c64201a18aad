"""The bodies and queries of the control API, as pydantic models. The OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AllowInfNan, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr

from emulator import EventKind

_KINDS: Final = f"^({'|'.join(EventKind)})(,({'|'.join(EventKind)}))*$"
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
_PORT: Final = 65_535
_Number = Annotated[float, AllowInfNan(False)]


def _whole(value: object) -> object:
    """For JSON 1.0 is a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Whole = Annotated[int, Field(strict=True), BeforeValidator(_whole)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Told(BaseModel):
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


# -- what clients send -----------------------------------------------------------------------------------------------------


class NoQuery(_Asked):
    """There is nothing behind the question mark."""


class BmcQuery(_Asked):
    offset: int = Field(0, ge=0, le=10_000_000, description="which BMC is the first one of the page")
    limit: int = Field(128, ge=1, le=128, description="how many at most")


class FaultQuery(_Asked):
    bmc: str | None = Field(None, max_length=256, description="only those of this BMC")


class JournalQuery(_Asked):
    after: int = Field(
        0, ge=0, description="only events with a greater seq; with follow and none of `after`, `since_s`: from now on"
    )
    limit: int = Field(1000, ge=1, le=10_000, description="how many at most; has no say with follow")
    bmc: str | None = Field(None, max_length=256, description="only those of this BMC")
    kind: str | None = Field(
        None, max_length=256, pattern=_KINDS, description=f"only these kinds, with commas between them: {', '.join(EventKind)}"
    )
    since_s: _Number | None = Field(None, ge=0, description="only the last so many seconds of the emulator's clock")
    follow: bool = Field(False, description="goes on with every event that comes")


class AddBmc(_Asked):
    """One more BMC with virtual hosts."""

    profile: StrictStr = Field(max_length=4096, description="a shipped profile, or the absolute path of a YAML file")
    name: StrictStr | None = Field(None, pattern=NAME, description="default: the profile's id with a number that is free")
    power: Literal["on", "off"] = "on"
    listen: StrictStr | None = Field(
        None, max_length=64, pattern=r"^[0-9A-Fa-f.:]+$", description="an IP address; default: that of the others"
    )
    redfish_port: _Whole = Field(0, ge=0, le=_PORT)
    ipmi_port: _Whole = Field(0, ge=0, le=_PORT)


class PowerRequest(_Asked):
    """What a person does at the machine; no client has commanded it."""

    action: Literal["on", "off", "press", "unplug", "plug", "hang", "crash", "boot"]
    system: StrictStr | None = Field(None, max_length=256, description="default: the first one of the BMC")
    as_profile: StrictBool = Field(False, description="for plug: the BMC starts as slowly as the vendor's")


class MuteRequest(_Asked):
    muted: StrictBool


class NamedFault(_Asked):
    """A fault out of the profile's own `faults`."""

    named: StrictStr = Field(max_length=256)


class ClockRequest(_Asked):
    """First the rate, then pause, then the step."""

    rate: Annotated[_Number, Field(strict=True)] | None = Field(None, ge=0.001, le=1000)
    paused: StrictBool | None = None
    step_s: Annotated[_Number, Field(strict=True)] = Field(0.0, ge=0, le=86_400, description="seconds forward, at once")


# -- what clients are told -------------------------------------------------------------------------------------------------


class ProblemAt(_Told):
    path: str
    message: str


class ControlProblem(_Told):
    """Why a request was refused, in one sentence."""

    error: str
    problems: list[ProblemAt] = Field(default_factory=list)


class ClockReading(_Told):
    now_s: float
    rate: float
    paused: bool


class Instance(_Told):
    name: str
    pid: int
    version: str
    seed: int
    bmcs: int
    faults: int
    ready: bool
    last_seq: int
    clock: ClockReading


class System(_Told):
    """`rail` and `os` are the truth; `says` is what the BMC says, null where it says nothing.

    Of a PDU a system is an outlet: `rail` says whether it is on, `os` and `incarnation` mean nothing, and `feeds` are the BMCs
    that have a cord in it.
    """

    id: str
    host: str
    rail: Literal["up", "down", "unknown"]
    os: Literal["running", "hung", "stopped"]
    incarnation: int
    says: dict[str, str | None]
    restore_policy: Literal["always-off", "previous", "always-on"]
    feeds: list[str]


class Bmc(_Told):
    name: str
    kind: Literal["bmc", "pdu", "enclosure"]
    profile: str
    presence: Literal["answers", "starting", "dark"]
    muted: bool
    faults: int
    systems: list[System]
    redfish_url: str
    ipmi_host: str
    ipmi_port: int | None  # None: no IPMI over LAN


class BmcDetails(Bmc):
    """`password` is told only where it is the profile's public default."""

    username: str
    password: str | None
    ca_file: str
    system_uris: list[str]
    named_faults: list[str]


class BmcList(_Told):
    bmcs: list[Bmc]
    next: int | None = Field(description="the offset of the next page; null: there is none")


class ArmedFault(_Told):
    id: str
    bmc: str
    type: str
    phase: Literal["waiting", "active", "spent", "over"]
    matched: int
    fired: int
    armed_at_s: float
    fault: dict[str, Any] | None = Field(description="as it was written, fault/1; null: it has no written form")


class ArmedFaults(_Told):
    faults: list[ArmedFault]


class FaultTypeName(_Told):
    name: str
    seam: str
    summary: str


class FaultTypeList(_Told):
    types: list[FaultTypeName]


class FaultTypeDetails(FaultTypeName):
    description: str = Field(description="Markdown")
    parameters: list[str]


class Stopping(_Told):
    stopping: bool = True


class EmulatorHealth(_Told):
    status: Literal["ok", "starting", "stuck"]
