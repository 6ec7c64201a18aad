"""A node of the tree: what it is, what it depends on, who may do what with it.

Rules
  1. A resource is a function of a small state (`state`), so bytes and tags are kept until that state changes.
  2. `body` gets a BMC and the state, and nothing else: one compiled tree serves every BMC of a profile.
  3. A tree is made once and never changes; what comes and goes (sessions) hangs under a collection's `member`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emulator.core.faults.trigger import Intent
from emulator.core.vocab import ResetType
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import OperationResult, RedfishCall
from emulator.redfish.service.shapes import Json
from profiles.model import View

ROOT: Final = "/redfish/v1"


class RedfishPrivilege(StrEnum):
    """The standard privileges of DSP0266."""

    LOGIN = "Login"
    CONFIGURE_MANAGER = "ConfigureManager"
    CONFIGURE_USERS = "ConfigureUsers"
    CONFIGURE_COMPONENTS = "ConfigureComponents"
    CONFIGURE_SELF = "ConfigureSelf"


def no_reset(read_body: Callable[[], bytes]) -> ResetType | None:
    return None


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method other than GET does. `needs` None: open to everybody.

    `intent` is what a request for it means; `reset` reads the ResetType of a power command from its body.
    """

    needs: RedfishPrivilege | None
    do: Callable[[RedfishCall], OperationResult]
    intent: Intent = Intent.WRITE
    reset: Callable[[Callable[[], bytes]], ResetType | None] = no_reset


def nothing(call: RedfishCall) -> Hashable:
    """The state of what never changes."""
    return None


def anybody(call: RedfishCall) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`body` None: only operations live here (actions). `read` answers in place of `body` (streams, monitors).

    Who says a power word declares it. `tells`: the PowerState of `body` is this view's word about `system`. `power_below`: after
    so many levels of $expand such a body is in the answer (0: never). `power_in_links`: references under Links lead to one.
    """

    path: str
    body: Callable[[RedfishBmc, Hashable], Json | bytes] | None = None
    type: str | None = None  # "#Chassis.v1_28_0.Chassis"; None outside the data model
    state: Callable[[RedfishCall], Hashable] = nothing
    operations: Mapping[str, Operation] = field(default_factory=lambda: MappingProxyType({}))
    read: Callable[[RedfishCall], OperationResult] | None = None
    open: bool = False  # readable without credentials
    may_read: Callable[[RedfishCall], bool] = anybody
    member: Callable[[RedfishBmc, str], Resource | None] | None = None
    system: str | None = None  # whose power this is about
    tells: View | None = None
    power_below: int = 0
    power_in_links: bool = False
    media: str = "application/json"
    kept: bool = True  # whether its bytes are worth keeping

    @property
    def methods(self) -> tuple[str, ...]:
        return (("GET", "HEAD") if self.readable else ()) + tuple(self.operations)

    @property
    def readable(self) -> bool:
        return self.body is not None or self.read is not None

    def as_it_is(self, call: RedfishCall) -> Json:
        """The body now; empty where it is no JSON object."""
        body = self.body(call.view, self.state(call)) if self.body is not None else None
        return body if isinstance(body, dict) else {}


def link(path: str) -> Json:
    return {"@odata.id": path}


def links(paths: tuple[str, ...]) -> list[Json]:
    return [link(path) for path in paths]


def version_of(odata_type: str) -> tuple[int, int, int]:
    """(1, 6, 0) of "#ServiceRoot.v1_6_0.ServiceRoot"; (0, 0, 0) for a collection."""
    parts = odata_type.split(".")
    if len(parts) != 3:
        return (0, 0, 0)
    major, minor, errata = parts[1].removeprefix("v").split("_")
    return (int(major), int(minor), int(errata))


def schema_of(odata_type: str) -> str:
    """ "ServiceRoot.v1_6_0" of "#ServiceRoot.v1_6_0.ServiceRoot"."""
    return odata_type.removeprefix("#").rpartition(".")[0]


def head_of(path: str, odata_type: str, resource_id: str, name: str) -> Json:
    return {"@odata.id": path, "@odata.type": odata_type, "Id": resource_id, "Name": name}


def collection(
    path: str,
    schema: str,
    name: str,
    members: Callable[[RedfishBmc], tuple[str, ...]],
    *,
    power_below: int = 0,
) -> Resource:
    """A collection of `schema` whose members never change while the tree lives. `power_below` 1: they say a PowerState."""
    odata_type = f"#{schema}.{schema}"

    def body(view: RedfishBmc, state: Hashable) -> Json:
        return collection_body(path, odata_type, name, members(view))

    return Resource(path=path, type=odata_type, body=body, power_below=power_below)


def collection_body(path: str, odata_type: str, name: str, members: tuple[str, ...]) -> Json:
    return {
        "@odata.id": path,
        "@odata.type": odata_type,
        "Name": name,
        "Members@odata.count": len(members),
        "Members": links(members),
    }
