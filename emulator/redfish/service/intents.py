"""What a Redfish request means: decided once, from the resource that will serve it and its operation.

The service asks for every request. Where faults are armed, the wire hook of `emulator.frontends` asks before it, and the service
takes over its answer. Both run in the emulator's thread.

Rules
  1. A method that the resource has as an operation means what the operation declares. Any other method that is no read is a
     WRITE, wherever it goes: the client tried to change something.
  2. A GET means POWER_READ where its answer will say a power word: a System or Chassis, or a collection, service root or Manager
     that is asked to $expand into one; not if $select leaves PowerState out. Looks are not decided here: they follow from the
     body of the answer.
  3. Nothing is executed and nobody is authenticated yet: what the client may not do is classified all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from emulator.core.faults.trigger import ClientRequest, Intent, without_slash
from emulator.core.power.system import Look
from emulator.core.vocab import ResetType
from emulator.redfish.service import query
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import Incoming, RegistryError
from emulator.redfish.service.paths import SYSTEMS
from emulator.redfish.service.resource import Resource
from emulator.redfish.service.tree import Tree
from profiles.model import Profile

READS: Final = frozenset({"GET", "HEAD"})
POWER_STATE: Final = "PowerState"


@dataclass(slots=True)
class Exchange:
    """A request and its meaning, before it is served.

    `seq` and `looks` are filled in by the service: its event in the journal, and the power words that its answer says. Whoever
    made the exchange tells the core of the looks, when the answer really goes out.
    """

    request: ClientRequest
    resource: Resource | None
    seq: int | None = None
    looks: tuple[Look, ...] = field(default=())


def classify(view: RedfishBmc, tree: Tree, incoming: Incoming) -> Exchange:
    """Reads the body only of what is a power command."""
    method = incoming.method
    resource = tree.find(view, incoming.path)
    operation = resource.operations.get(method) if resource is not None else None
    reset: ResetType | None = None
    if operation is not None:
        intent = operation.intent
        if intent is Intent.POWER_COMMAND:
            reset = operation.reset(incoming.read_body)
    elif method in READS:
        tells = method == "GET" and resource is not None and tells_power(resource, incoming.query, view.profile)
        intent = Intent.POWER_READ if tells else Intent.READ
    else:
        intent = Intent.OTHER if method == "OPTIONS" else Intent.WRITE
    if resource is None:
        path, system = without_slash(incoming.path), _system_in(view, incoming.path)
    else:
        path, system = resource.path, resource.system or _system_in(view, resource.path)
    return Exchange(ClientRequest("redfish", method, path, system, reset, intent), resource)


def tells_power(resource: Resource, text: str, profile: Profile) -> bool:
    """Whether a GET with this query is answered with a power word."""
    if not text:
        return resource.tells is not None
    if resource.tells is None and not resource.power_below and not resource.power_in_links:
        return False
    try:
        asked = query.parse(text, profile)
    except RegistryError:
        return False
    own = resource.tells is not None or (asked.only and resource.power_below == 1)
    below = asked.expand in ("*", ".") and 0 < resource.power_below <= asked.levels
    in_links = asked.expand in ("*", "~") and resource.power_in_links
    names = {name.partition("/")[0] for name in asked.select}
    return (own or below or in_links) and (not names or not names.isdisjoint({"*", POWER_STATE}))


def _system_in(view: RedfishBmc, path: str) -> str | None:
    """The system below whose URI a path lies."""
    if not path.startswith(f"{SYSTEMS}/"):
        return None
    name = path[len(SYSTEMS) + 1 :].partition("/")[0]
    return name if name in view.system_ids() else None
