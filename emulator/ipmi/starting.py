"""What a BMC answers that is back on the network and not ready yet (`bmc_reset.after` of the profile).

Rules
  1. It is the same time and the same requests for which Redfish has its own reply: all of them, or those that reset a host.
  2. The profile's completion code answers a command; with none the BMC is silent, like one that has not come back.
  3. A session can be opened and closed all the same: without one no client could be told the code.
"""

from __future__ import annotations

from emulator.core.bmc.presence import Being, Presence
from emulator.core.faults.trigger import ClientRequest

SESSION_COMMANDS = frozenset((0x06, command) for command in (0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x54))


def silent(presence: Presence) -> bool:
    """Whether not even a datagram is read."""
    return presence.being is Being.DEAF or (presence.being is Being.NOT_READY and not presence.resets and presence.code is None)


def concerned(presence: Presence, request: ClientRequest, netfn: int, command: int) -> bool:
    """Whether this command is one that the BMC is not ready for."""
    if presence.being is not Being.NOT_READY or (netfn, command) in SESSION_COMMANDS:
        return False
    return not presence.resets or request.reset in presence.resets
