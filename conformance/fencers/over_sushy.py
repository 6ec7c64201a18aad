"""The fencer `sushy`: OpenStack's Redfish library, called as its documentation calls it.

The suite's python adapter runs `fence`. The library logs in by session where there is a SessionService, else by HTTP Basic.
`reset_system` returns when the BMC has accepted the reset; nothing is read after it. Without a system URI the first member of
Systems is taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

import sushy
import urllib3
from sushy.auth import SessionOrBasicAuth

RESET: Final = {"off": sushy.RESET_FORCE_OFF, "on": sushy.RESET_ON, "reboot": sushy.RESET_FORCE_RESTART}
STATUS: Final = {sushy.PowerState.ON: "on", sushy.PowerState.OFF: "off"}


def fence(action: str, bmc: Mapping[str, str]) -> str | None:
    """Performs one action; returns its claim. Raises what sushy raises, and ValueError where a host is between on and off."""
    warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
    auth = SessionOrBasicAuth(bmc["user"], bmc["password"])
    try:
        root = sushy.Sushy(bmc["url"], auth=auth, verify=bmc["ca_file"] if not bmc["insecure"] else False)
        system = root.get_system(bmc["system_uri"]) if bmc["system_uri"] else root.get_system_collection().get_members()[0]
        if action == "status":
            if system.power_state not in STATUS:
                raise ValueError(f"{system.power_state!r} is no state that a host stays in")
            return STATUS[system.power_state]
        system.reset_system(RESET[action])
        return None
    finally:
        auth.close()  # left to the garbage collector, it is tried again and again
