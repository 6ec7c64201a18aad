"""What the emulator says, in the models of the control API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from emulator import (
    BmcStatus,
    Emulator,
    Endpoint,
    FaultStatus,
    describe_fault,
    fault_names,
    fault_seam,
    mapping_from_arming,
)
from emulator.control.models import ArmedFault, Bmc, BmcDetails, FaultTypeDetails, FaultTypeName, System
from fencelab_yaml.errors import did_you_mean

PAGE: Final = 128
"""BMCs whose status is asked for in one call into the emulator's thread."""


def all_statuses(emulator: Emulator) -> Iterator[BmcStatus]:
    """Every BMC, PAGE at a time."""
    offset = 0
    while page := emulator.statuses(offset, PAGE):
        yield from page
        offset += len(page)


def bmc(emulator: Emulator, status: BmcStatus) -> Bmc | None:
    """None: it was removed meanwhile."""
    try:
        return Bmc(**_bmc(status, emulator.endpoints[status.name]))
    except KeyError:
        return None


def bmc_details(status: BmcStatus, endpoint: Endpoint, named_faults: list[str]) -> BmcDetails:
    return BmcDetails(
        **_bmc(status, endpoint),
        username=endpoint.username,
        password=endpoint.password if endpoint.password_is_default else None,
        ca_file=endpoint.ca_file,
        system_uris=[system.uri for system in endpoint.systems],
        named_faults=named_faults,
    )


def _bmc(status: BmcStatus, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": status.name,
        "kind": status.kind,
        "profile": status.profile,
        "presence": status.presence.value,
        "muted": status.muted,
        "faults": status.faults,
        "systems": [
            System(
                id=each.id,
                host=each.host,
                rail=each.rail.value,
                os=each.os.value,
                incarnation=each.incarnation,
                says=each.says,
                restore_policy=each.restore_policy.value,
                feeds=list(each.feeds),
            )
            for each in status.systems
        ],
        "redfish_url": endpoint.redfish_url,
        "ipmi_host": endpoint.ipmi_host,
        "ipmi_port": endpoint.ipmi_port if status.ipmi else None,
    }


def fault(status: FaultStatus) -> ArmedFault:
    try:
        written: dict[str, object] | None = mapping_from_arming(status.armed)
    except ValueError:
        written = None
    return ArmedFault(
        id=status.id,
        bmc=status.bmc,
        type=status.type,
        phase=status.phase.value,
        matched=status.matched,
        fired=status.fired,
        armed_at_s=status.armed_at,
        fault=written,
    )


def fault_type(name: str) -> FaultTypeDetails | str:
    """A fault's page, or one sentence where no fault is called so."""
    if name not in fault_names():
        return f"no fault is called {name[:60]!r}{did_you_mean(name, fault_names())}"
    description, parameters = describe_fault(name)
    return FaultTypeDetails(**fault_type_name(name).model_dump(), description=description, parameters=list(parameters))


def fault_type_name(name: str) -> FaultTypeName:
    description, _ = describe_fault(name)
    lines = [line for line in description.splitlines() if line and not line.startswith("#")]
    return FaultTypeName(name=name, seam=fault_seam(name), summary=lines[0] if lines else "")
