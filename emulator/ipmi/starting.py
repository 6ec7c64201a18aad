"""What a BMC answers while it is back on the network after a reset but not ready yet (`bmc_reset.after` of the profile).

The responder asks it for every datagram, in the emulator's one thread. All functions are pure.

Rules
  1. This lasts as long as Redfish's own reply, and is for the same requests: all, or those that reset a host.
  2. A command gets the profile's completion code. Without a code the BMC answers nothing, as during the outage.
  3. Sessions can be opened and closed, because a client needs one to get the code.
"""

from __future__ import annotations

from emulator.core.bmc.presence import Being, Presence
from emulator.core.faults.trigger import ClientRequest

SESSION_COMMANDS = frozenset((0x06, command) for command in (0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x54))


def silent(presence: Presence) -> bool:
    """Whether the BMC ignores all datagrams."""
    return presence.being is Being.DEAF or (presence.being is Being.NOT_READY and not presence.resets and presence.code is None)


def concerned(presence: Presence, request: ClientRequest, netfn: int, command: int) -> bool:
    """Whether this command gets the "not ready" answer."""
    if presence.being is not Being.NOT_READY or (netfn, command) in SESSION_COMMANDS:
        return False
    return not presence.resets or request.reset in presence.resets
