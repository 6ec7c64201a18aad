"""A node of the resource tree: its path, its content, its operations, and who may use them.

The modules of one resource family (`redfish.power`, `redfish.inventory` ...) make resources when a tree is built.
`service.service` reads them for each request, in the emulator's thread.

Rules
  1. The content of a resource depends on a small state. The service caches the bytes and the entity tag until that state changes.
  2. A body is made from a BMC and the state, and from nothing else: one tree serves every BMC of a profile.
  3. A tree is made once and never changes. A collection finds resources that come and go (sessions, tasks) with `member`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar

from emulator.core.faults.trigger import Intent
from emulator.core.vocab import ResetType
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import OperationResult, RedfishCall
from emulator.redfish.service.shapes import Json
from profiles.model import View


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
    """What a method other than GET does. `needs` is the privilege that the client must have; None: no credentials are needed.

    `intent` is what such a request means; `reset` reads the ResetType of a power command from its body.
    """

    needs: RedfishPrivilege | None
    do: Callable[[RedfishCall], OperationResult]
    intent: Intent = Intent.WRITE
    reset: Callable[[Callable[[], bytes]], ResetType | None] = no_reset


class Snapshot(NamedTuple):
    """The state of a resource now, and a function that makes its body from this state. Equal states give equal bodies."""

    state: Hashable
    make_body: Callable[[], Json | bytes]


Content: TypeAlias = Callable[[RedfishCall], Snapshot]
"""What a resource shows to one request. Bodies are JSON objects; bytes are documents outside the data model."""

State = TypeVar("State", bound=Hashable)


def fixed_content(body: Callable[[RedfishBmc], Json | bytes]) -> Content:
    """Content that never changes while the tree exists."""

    def snapshot(call: RedfishCall) -> Snapshot:
        return Snapshot(None, partial(body, call.view))

    return snapshot


def content_of(state: Callable[[RedfishCall], State], body: Callable[[RedfishBmc, State], Json | bytes]) -> Content:
    """Content that follows `state`: `body` gets the value that `state` returned for the same request."""

    def snapshot(call: RedfishCall) -> Snapshot:
        now = state(call)
        return Snapshot(now, partial(body, call.view, now))

    return snapshot


def readable_by_all(call: RedfishCall) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`content` None: the path has operations only (actions). `read` answers a GET in place of `content` (streams, monitors).

    A resource declares the power words that its answers contain. `tells`: the PowerState in its body is the word of this view
    about `system`. `power_below`: with this many levels of $expand, the answer contains such a body (0: never). `power_in_links`:
    a reference under Links leads to one.
    """

    path: str
    content: Content | None = None
    type: str | None = None  # "#Chassis.v1_28_0.Chassis"; None outside the data model
    operations: Mapping[str, Operation] = field(default_factory=lambda: MappingProxyType({}))
    read: Callable[[RedfishCall], OperationResult] | None = None
    open: bool = False  # readable without credentials
    may_read: Callable[[RedfishCall], bool] = readable_by_all
    member: Callable[[RedfishBmc, str], Resource | None] | None = None
    system: str | None = None  # the system whose power this resource shows or changes
    tells: View | None = None
    power_below: int = 0
    power_in_links: bool = False
    media: str = "application/json"
    tagged: bool = False  # whether its body has @odata.etag, even if no client may write it
    cached: bool = True  # whether the service keeps its bytes until the state changes

    @property
    def methods(self) -> tuple[str, ...]:
        return (("GET", "HEAD") if self.readable else ()) + tuple(self.operations)

    @property
    def readable(self) -> bool:
        return self.content is not None or self.read is not None

    def body_now(self, call: RedfishCall) -> Json:
        """The body now; empty if it is not a JSON object."""
        body = self.content(call).make_body() if self.content is not None else None
        return body if isinstance(body, dict) else {}


def link(path: str) -> Json:
    return {"@odata.id": path}


def links(paths: tuple[str, ...]) -> list[Json]:
    return [link(path) for path in paths]


def version_of(odata_type: str) -> tuple[int, int, int]:
    """(1, 6, 0) for "#ServiceRoot.v1_6_0.ServiceRoot"; (0, 0, 0) for a collection."""
    parts = odata_type.split(".")
    if len(parts) != 3:
        return (0, 0, 0)
    major, minor, errata = parts[1].removeprefix("v").split("_")
    return (int(major), int(minor), int(errata))


def schema_of(odata_type: str) -> str:
    """ "ServiceRoot.v1_6_0" for "#ServiceRoot.v1_6_0.ServiceRoot"."""
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
    """A collection of `schema` whose members never change while the tree exists. `power_below` 1: they show a PowerState."""
    odata_type = f"#{schema}.{schema}"

    def body(view: RedfishBmc) -> Json:
        return collection_body(path, odata_type, name, members(view))

    return Resource(path=path, type=odata_type, content=fixed_content(body), power_below=power_below)


def collection_body(path: str, odata_type: str, name: str, members: tuple[str, ...]) -> Json:
    return {
        "@odata.id": path,
        "@odata.type": odata_type,
        "Name": name,
        "Members@odata.count": len(members),
        "Members": links(members),
    }
