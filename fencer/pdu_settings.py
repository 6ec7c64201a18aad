"""The outlets in the parameters of fence_bmc, and what does not go with a PDU. `fencer.settings` calls it; it is pure."""

from __future__ import annotations

from collections.abc import Mapping

from fencer.given import BadSettings, GivenValues
from fencer.outcome import Action
from fencer.target import Protocol

NEED_OUTLETS = frozenset({Action.OFF, Action.ON, Action.REBOOT, Action.STATUS})
REFUSED: Mapping[str, str] = {
    "systems_uri": "selects a System, and a PDU has outlets; write outlet",
    "identity": "asks which machine it is, and an outlet does not know that; leave it out",
    "chassis_check": "is about the chassis of a System, and every outlet is asked anyway; leave it out",
    "graceful": "asks an operating system to shut down, and an outlet cannot; leave it out",
}
HARMLESS = frozenset({("graceful", "0"), ("chassis_check", "require")})


def outlets(given: GivenValues, protocols: tuple[Protocol, ...], action: Action) -> tuple[str, ...]:
    """Returns the outlets of the host, in the order in which they were written. Raises BadSettings."""
    if Protocol.PDU not in protocols:
        if given.get("outlet"):
            raise BadSettings(f"{given.spelled('outlet')} belongs to a PDU; write protocol=pdu too, or leave it out")
        return ()
    for name, why in REFUSED.items():
        if given.get(name) and (name, given[name]) not in HARMLESS:
            raise BadSettings(f"{given.spelled(name)} {why}")
    # Pacemaker gives its own name of the node as plug where no host map says otherwise.
    plug = given.get("plug") if given.get("plug") != given.get("nodename") and not given.flag("port_as_ip") else None
    by_name = _split(given, "outlet", ",") if given.get("outlet") else ()
    by_plug = _split(given, "plug", given.get("plug_separator") or ",") if plug else ()
    if by_name and by_plug and frozenset(by_name) != frozenset(by_plug):
        said = f"{given.spelled('outlet')} is {given['outlet'][:80]} and {given.spelled('plug')} {given['plug'][:80]}"
        raise BadSettings(f"{said}; leave one out")
    found = by_name or by_plug
    if not found and action in NEED_OUTLETS:
        raise BadSettings("outlet is missing: all outlets of the host, like A1,B1")
    return found


def _split(given: GivenValues, name: str, separator: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in given[name].split(separator))
    if not all(words):
        raise BadSettings(f"{given.spelled(name)} is {given[name][:80]!r}; a list of outlets has no empty place")
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise BadSettings(f"{given.spelled(name)} names {twice[:80]!r} twice; a host with two cords has two outlets")
    return words
