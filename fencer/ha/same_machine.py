"""Finds hosts whose BMCs show one and the same machine, by the identities that each BMC showed first.

`ClusterView` calls it for every round, in the loop's thread. Pure.

Rules
  1. Two hosts with one UUID are one machine, also if one BMC was asked over Redfish and the other one over IPMI, which may
     send the bytes of a UUID in another order.
  2. Two hosts with different UUIDs are two machines: several Systems behind one BMC may share a serial number.
  3. If one of them shows no UUID, the same serial number makes them one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fencer.identity import ShownIdentities, canonical, is_blank, is_uuid


def groups(shown: Mapping[str, ShownIdentities]) -> dict[str, tuple[str, ...]]:
    """Returns for each host, if there are any, the other hosts whose BMC shows the same machine."""
    by_uuid: dict[str, list[str]] = {}
    by_serial: dict[str, list[str]] = {}
    uuids: dict[str, str] = {}
    for host, values in shown.items():
        uuid, serial = _keys(values)
        if uuid:
            uuids[host] = uuid
            by_uuid.setdefault(uuid, []).append(host)
        if serial:
            by_serial.setdefault(serial, []).append(host)
    found: dict[str, set[str]] = {}
    for hosts in by_uuid.values():
        for host in hosts if len(hosts) > 1 else ():
            found.setdefault(host, set()).update(hosts)
    for hosts in by_serial.values():
        for host in hosts if len(hosts) > 1 else ():
            same = {other for other in hosts if not (host in uuids and other in uuids)}
            if same - {host}:
                found.setdefault(host, set()).update(same)
    return {host: tuple(sorted(others - {host})) for host, others in found.items()}


@lru_cache(maxsize=20_000)
def _keys(values: ShownIdentities) -> tuple[str, str]:
    """The UUID in a form that is equal for all byte orders, and the serial number; empty where none is shown."""
    known = {name: value for name, value in values if not is_blank(value)}
    uuid = known.get("UUID", "")
    serials = [canonical(value) for name, value in known.items() if "serial" in name.lower()]
    return (_order_free(bytes.fromhex(canonical(uuid))) if is_uuid(uuid) else ""), (serials[0] if serials else "")


def _order_free(value: bytes) -> str:
    """The smallest of all values that swaps of the byte order make of a UUID (see `fencer.identity.guid_orders`)."""
    seen, todo = {value}, [value]
    while todo:
        one = todo.pop()
        swapped = one[3::-1] + one[5:3:-1] + one[7:5:-1] + one[8:]
        for other in (one[::-1], swapped):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return min(seen).hex()
