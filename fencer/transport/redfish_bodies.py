"""Decides whether a JSON body is the resource that was asked for. `ResourceReader` calls it for each body.

Rules
  1. Pure. A body that fails a check is no evidence of anything; the check returns the reason as text.
  2. `@odata.id`, `@odata.type` and `Id` are optional in what a BMC sends. If an earlier body of a URI had one of them, every
     later body of that URI must have it. A System and an Outlet must have one of them: a bare power word could be anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from fencer import identity
from fencer.identity import ShownIdentities
from fencer.outcome import Member, Witness, WitnessState
from fencer.target import ChassisCheck
from fencer.transport.redfish_errors import Json, as_object, link_of, text_of, word_of

MARKS = ("@odata.id", "@odata.type", "Id")
IDENTITY_KEYS = ("UUID", "SerialNumber", "SKU")


class ResourceKind(StrEnum):
    """What a resource must be: the first part of its @odata.type."""

    ROOT = "ServiceRoot"
    SYSTEM = "ComputerSystem"
    SYSTEMS = "ComputerSystemCollection"
    CHASSIS = "Chassis"
    ACTION_INFO = "ActionInfo"
    POWER_EQUIPMENT = "PowerEquipment"
    PDUS = "PowerDistributionCollection"
    PDU = "PowerDistribution"
    OUTLETS = "OutletCollection"
    OUTLET = "Outlet"


SELECTABLE = frozenset({ResourceKind.SYSTEM, ResourceKind.OUTLET})
"""What a user may name by its URI, and what power commands act on."""


class KnownBodies:
    """Which of MARKS the bodies of each URI have had. One per run."""

    def __init__(self) -> None:
        self._marks: dict[str, set[str]] = {}

    def objection(self, path: str, body: Mapping[str, Json], kind: ResourceKind) -> str | None:
        """Returns why `body` is not the resource `path` of this kind; None if nothing speaks against it."""
        shown = {mark for mark in MARKS if text_of(body.get(mark))}
        odata_id = text_of(body.get("@odata.id"))
        if odata_id and not same_resource(odata_id, path):
            return f"the body of another resource ({odata_id[:120]})"
        if kind in SELECTABLE and not shown:
            return "a body that names no resource"
        if missing := sorted(self._marks.get(path, set()) - shown):
            return f"a body without {missing[0]}, which earlier bodies had"
        odata_type = text_of(body.get("@odata.type"))
        if odata_type and odata_type.lstrip("#").partition(".")[0] != kind:
            return f"a {odata_type.lstrip('#').partition('.')[0][:60]}, not a {kind}"
        if as_object(body.get("Status")).get("State") == "Absent":
            return "a resource whose Status.State is Absent"
        self._marks.setdefault(path, set()).update(shown)
        return None

    def knows(self, path: str) -> bool:
        """True if a body of this URI was accepted before."""
        return path in self._marks


def same_resource(one: str, other: str) -> bool:
    """Compares two URIs of one BMC: without scheme, host, query, fragment, trailing slash and percent-encoding."""
    try:
        return _bare_path(one) == _bare_path(other)
    except ValueError:
        return False


def is_of_sibling(target: str, system: str) -> bool:
    """Whether the URI of an action belongs to another System beside this one. Where it is not below any, nothing speaks
    against it."""
    owner, action, _ = _bare_path(target).partition("/Actions/")
    own = _bare_path(system)
    return bool(action) and owner != own and owner.rpartition("/")[0] == own.rpartition("/")[0]


def _bare_path(uri: str) -> str:
    return unquote(urlsplit(uri).path).rstrip("/")


def member_in(body: Mapping[str, Json], uri: str) -> Member:
    """Returns a System as a member of a list."""
    plug = uri.rstrip("/").rpartition("/")[2]
    return Member(plug=plug, host_name=word_of(body.get("HostName")), word=word_of(body.get("PowerState")))


def identities_in(body: Mapping[str, Json]) -> ShownIdentities:
    """Returns what a System shows of IDENTITY_KEYS, without zeros and placeholders."""
    texts = ((key, word_of(body.get(key))) for key in IDENTITY_KEYS)
    return tuple((key, text) for key, text in texts if text is not None and not identity.is_blank(text))


def chassis_in(body: Mapping[str, Json]) -> list[str]:
    """Returns the URIs of the chassis that a System links to."""
    links = as_object(body.get("Links")).get("Chassis")
    return [uri for uri in map(link_of, links if isinstance(links, list) else []) if uri]


def reset_types_in(body: Mapping[str, Json]) -> Json:
    """Returns the ResetTypes that an ActionInfo allows (DSP0268), in whatever shape they are there."""
    parameters = body.get("Parameters")
    for parameter in map(as_object, parameters if isinstance(parameters, list) else []):
        if parameter.get("Name") == "ResetType":
            return parameter.get("AllowableValues")
    return None


def witness_in(body: Mapping[str, Json], uri: str, check: ChassisCheck) -> Witness:
    """Returns what a chassis says in its body. Its PowerState is optional (DSP0268), except for a chassis that the user lists."""
    systems = as_object(body.get("Links")).get("ComputerSystems")
    word, kind = body.get("PowerState"), word_of(body.get("ChassisType"))
    if check is ChassisCheck.OWN and isinstance(systems, list) and len(systems) > 1:
        return Witness(uri=uri, state=WitnessState.SHARED, kind=kind)
    if isinstance(word, str):
        return Witness(uri=uri, state=WitnessState.SAYS, word=word_of(word), kind=kind)
    if "PowerState" not in body and check is not ChassisCheck.LISTED:
        return Witness(uri=uri, state=WitnessState.SILENT, kind=kind)
    why = "has no PowerState" if "PowerState" not in body else "says null" if word is None else "says no text"
    return Witness(uri=uri, state=WitnessState.UNKNOWN, why=why, kind=kind)
