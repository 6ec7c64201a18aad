"""What a Redfish request means: decided once, from the resource and operation that will serve it.

`service.service` calls `classify` for each request. If faults are armed, the wire hook of `emulator.frontends` calls it first,
and the service uses that result. Both run in the emulator's thread.

Rules
  1. A method that is an operation of the resource has the intent that the operation declares. Any other method that is not a read
     is a WRITE, whatever its path: the client tried to change something.
  2. A GET is a POWER_READ if its answer will contain a power word: of a System or Chassis, or of a collection, service root or
     Manager with an $expand that reaches one; not if $select omits PowerState. Looks are not decided here: they come from the
     body of the answer.
  3. Nothing is executed or authenticated yet. A request that the client may not make is classified in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.core.faults.trigger import Caching, ClientRequest, Intent, without_slash
from emulator.core.power.system import Look
from emulator.core.vocab import ResetType
from emulator.redfish.service import query
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import Incoming, RegistryError
from emulator.redfish.service.paths import above_systems
from emulator.redfish.service.resource import Resource
from emulator.redfish.service.tree import Tree
from profiles.model import ABSENT, Profile

READS: Final = frozenset({"GET", "HEAD"})
POWER_STATE: Final = "PowerState"


@dataclass(slots=True)
class Exchange:
    """A request and its meaning, before it is served.

    The service fills in `seq`, its event in the journal, and `looks`, the power words in its answer. The maker of the exchange
    reports the looks to the core when the answer has been sent.
    """

    request: ClientRequest
    resource: Resource | None
    seq: int | None = None
    looks: tuple[Look, ...] = field(default=())


def classify(view: RedfishBmc, tree: Tree, incoming: Incoming) -> Exchange:
    """The request with its intent, system and ResetType. Reads the body only of power commands."""
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
    return Exchange(ClientRequest("redfish", method, path, system, reset, intent, _caching(incoming)), resource)


def tells_power(resource: Resource, text: str, profile: Profile) -> bool:
    """Whether the answer to a GET with this query contains a power word."""
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


def looks_of(shown: Sequence[tuple[Resource, str | None]], words: Iterable[tuple[str, str | None]] | None) -> Iterator[Look]:
    """The looks of an answer that is made of these resources and their power words.

    `words`: URI and power word of what is left of them in the answer; None: all of it.
    """
    tellers = {each.path: each for each, _word in shown}
    for path, word in words if words is not None else [(each.path, word) for each, word in shown if word != ABSENT]:
        teller = tellers.get(path)
        if teller is not None and teller.tells is not None and teller.system is not None:
            yield Look(teller.system, teller.tells, word)


def _caching(incoming: Incoming) -> Caching:
    if "if-none-match" in incoming.headers:
        return Caching.CONDITIONAL
    return Caching.FRESH if "no-cache" in incoming.headers.get("cache-control", "") else Caching.PLAIN


def _system_in(view: RedfishBmc, path: str) -> str | None:
    """The system whose URI is a prefix of the path; None if there is none."""
    above = above_systems(view.profile)
    if not path.startswith(f"{above}/"):
        return None
    name = path[len(above) + 1 :].partition("/")[0]
    return name if name in view.system_ids() else None
