"""The two incidents of the lab. They do not know whether the hosts are containers or processes."""

from __future__ import annotations

import time

from lab.redfish_client import Client
from lab.site import LabSite, SiteFailed
from lab.verdict import ELSEWHERE_WITHIN, Incident, IncidentFacts

NODE = "node1"
MOVE_PATIENCE = ELSEWHERE_WITHIN + 2.0
"""Seconds that the machines are given to write elsewhere: longer than they may take."""
LOOK_ON = 1.0
"""Seconds that the lab goes on after the machines have moved: a second copy needs time to show itself."""
BOOT_PATIENCE = 15.0
AFTER_BOOT = 2.0


def play(incident: Incident, site: LabSite, policy: str) -> IncidentFacts:
    """Raises SiteFailed where the lab itself does not do what an incident needs."""
    return (power_loss if incident is Incident.POWER_LOSS else hung)(site, policy)


def power_loss(site: LabSite, policy: str) -> IncidentFacts:
    """Somebody switches node1 off at its BMC; from then on that BMC refuses to switch it off."""
    with Client(site.login(NODE)) as bmc:
        bmc.await_power("On")
        blow = time.monotonic()
        status = bmc.reset("ForceOff")
        if status >= 300:
            raise SiteFailed(f"the BMC of {NODE} answered {status} to ForceOff while it said On")
        bmc.await_power("Off")
        refused = bmc.reset("ForceOff")
        _await_move(site, blow)
        return _facts(Incident.POWER_LOSS, site, policy, blow, by_hand=2, refused=refused)


def hung(site: LabSite, policy: str) -> IncidentFacts:
    """node1 hangs. Once its machines run elsewhere it is switched on again, and must not remember them."""
    with Client(site.login(NODE)) as bmc:
        bmc.await_power("On")
        blow = time.monotonic()
        site.hang(NODE)
        _await_move(site, blow)
        if bmc.power() != "Off":  # nobody has switched it off: there is nothing to come back
            return _facts(Incident.HUNG, site, policy, blow)
        back = time.monotonic()
        status = bmc.reset("On")
        if status >= 300:
            raise SiteFailed(f"the BMC of {NODE} answered {status} to On while it said Off")
        _await_agent(site, back)
        time.sleep(AFTER_BOOT)
        running = (site.agent(NODE) or {}).get("vms")
        machines = tuple(running) if isinstance(running, list) else ()
        return _facts(Incident.HUNG, site, policy, blow, back=back, back_machines=machines)


def _await_move(site: LabSite, blow: float) -> None:
    """Returns when all machines write elsewhere, and a moment later; or when they had time enough."""
    mine = site.machines[NODE]
    while time.monotonic() < blow + MOVE_PATIENCE:
        writes = site.writes()
        if all(any(write.host != NODE and write.t >= blow for write in writes.get(vm, ())) for vm in mine):
            break
        time.sleep(0.2)
    time.sleep(LOOK_ON)


def _await_agent(site: LabSite, since: float) -> None:
    while time.monotonic() < since + BOOT_PATIENCE:
        if site.agent(NODE) is not None:
            return
        time.sleep(0.1)
    raise SiteFailed(f"{NODE} did not boot within {BOOT_PATIENCE:g} s after its BMC had accepted On")


def _facts(
    incident: Incident,
    site: LabSite,
    policy: str,
    blow: float,
    *,
    by_hand: int = 0,
    refused: int | None = None,
    back: float | None = None,
    back_machines: tuple[str, ...] = (),
) -> IncidentFacts:
    return IncidentFacts(
        incident=incident,
        policy=policy,
        node=NODE,
        machines=tuple(site.machines[NODE]),
        blow=blow,
        seen=site.seen(NODE),
        said=site.said(),
        writes=site.writes(),
        by_hand=by_hand,
        refused=refused,
        back=back,
        back_machines=back_machines,
    )
