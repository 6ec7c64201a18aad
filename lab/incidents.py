"""The two incidents of the lab: a power loss with a BMC that refuses ForceOff, and a host that hangs.

`python -m lab` calls `play` in its main thread. It works on any `LabSite`, with containers or with local processes. Times
are seconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import time

from lab.redfish_client import Client
from lab.site import LabSite, SiteFailed
from lab.verdict import RESTART_LIMIT_S, Incident, IncidentFacts

NODE = "node1"
MOVE_TIMEOUT_S = RESTART_LIMIT_S + 2.0
"""How long the incident waits for the machines to write on another node; longer than the verdict allows."""
WATCH_AFTER_MOVE_S = 1.0
"""How long the lab keeps running after the machines have moved, so that a second copy of one would be seen."""
BOOT_TIMEOUT_S = 15.0
WATCH_AFTER_BOOT_S = 2.0


def play(incident: Incident, site: LabSite, policy: str) -> IncidentFacts:
    """Runs one incident and returns what happened. Raises SiteFailed if the lab itself does not work."""
    return (power_loss if incident is Incident.POWER_LOSS else hung)(site, policy)


def power_loss(site: LabSite, policy: str) -> IncidentFacts:
    """Powers node1 off at its BMC, without the manager. From then on the BMC refuses ForceOff, because the host is off."""
    with Client(site.login(NODE)) as bmc:
        bmc.await_power("On")
        began = time.monotonic()
        status = bmc.reset("ForceOff")
        if status >= 300:
            raise SiteFailed(f"the BMC of {NODE} answered {status} to ForceOff while it said On")
        bmc.await_power("Off")
        refused = bmc.reset("ForceOff")
        _await_move(site, began)
        return _facts(Incident.POWER_LOSS, site, policy, began, own_commands=2, refused=refused)


def hung(site: LabSite, policy: str) -> IncidentFacts:
    """Hangs node1. When its machines run on other nodes, it is powered on again and must not start them."""
    with Client(site.login(NODE)) as bmc:
        bmc.await_power("On")
        began = time.monotonic()
        site.hang(NODE)
        _await_move(site, began)
        if bmc.power() != "Off":  # the manager has not powered it off, so it cannot be powered on again
            return _facts(Incident.HUNG, site, policy, began)
        back = time.monotonic()
        status = bmc.reset("On")
        if status >= 300:
            raise SiteFailed(f"the BMC of {NODE} answered {status} to On while it said Off")
        _await_agent(site, back)
        time.sleep(WATCH_AFTER_BOOT_S)
        running = (site.agent(NODE) or {}).get("vms")
        machines = tuple(running) if isinstance(running, list) else ()
        return _facts(Incident.HUNG, site, policy, began, back=back, back_machines=machines)


def _await_move(site: LabSite, began: float) -> None:
    """Returns WATCH_AFTER_MOVE_S after all machines write on other nodes, or after MOVE_TIMEOUT_S."""
    mine = site.machines[NODE]
    while time.monotonic() < began + MOVE_TIMEOUT_S:
        writes = site.writes()
        if all(any(write.host != NODE and write.t >= began for write in writes.get(vm, ())) for vm in mine):
            break
        time.sleep(0.2)
    time.sleep(WATCH_AFTER_MOVE_S)


def _await_agent(site: LabSite, since: float) -> None:
    while time.monotonic() < since + BOOT_TIMEOUT_S:
        if site.agent(NODE) is not None:
            return
        time.sleep(0.1)
    raise SiteFailed(f"{NODE} did not boot within {BOOT_TIMEOUT_S:g} s after its BMC had accepted On")


def _facts(
    incident: Incident,
    site: LabSite,
    policy: str,
    began: float,
    *,
    own_commands: int = 0,
    refused: int | None = None,
    back: float | None = None,
    back_machines: tuple[str, ...] = (),
) -> IncidentFacts:
    return IncidentFacts(
        incident=incident,
        policy=policy,
        node=NODE,
        machines=tuple(site.machines[NODE]),
        began=began,
        bmc_events=site.bmc_events(NODE),
        manager_lines=site.manager_lines(),
        writes=site.writes(),
        own_commands=own_commands,
        refused=refused,
        back=back,
        back_machines=back_machines,
    )
