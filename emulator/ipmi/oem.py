"""IPMI commands of a vendor: `ipmi.oem` of a profile, and those of its oem.py.

The responder asks for a command that the standard table does not have, in the emulator's thread.
"""

from __future__ import annotations

from typing import Final

from emulator.core.faults.trigger import Intent
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Command, CompletionError, IpmiCall, never, no_reset
from emulator.ipmi.session.sessions import IpmiPrivilege
from emulator.oem_code import ipmi_code
from profiles.model import Profile

LONGEST: Final = 255


def oem_command(profile: Profile, netfn: int, command: int) -> Command | None:
    """The command of this vendor; None where the profile has none."""
    code = ipmi_code(profile.code).get((netfn, command))
    if code is not None:
        return _row(netfn, command, code)
    known = [each for each in profile.ipmi.oem if (each.netfn, each.command) == (netfn, command)]
    if not known:
        return None
    known.sort(key=lambda each: len(each.data), reverse=True)

    def run(call: IpmiCall) -> bytes:
        found = next((each for each in known if call.data.startswith(each.data)), None)
        if found is None:
            raise CompletionError(CompletionCode.INVALID_FIELD)
        if found.code:
            raise CompletionError(found.code, found.answer)
        return found.answer

    return _row(netfn, command, run)


def _row(netfn: int, command: int, run: object) -> Command:
    assert callable(run)
    return Command(
        name=f"oem-{netfn:02x}-{command:02x}",
        privilege=IpmiPrivilege.USER,
        run=run,
        length=(0, LONGEST),
        sessionless=False,
        intent=Intent.OTHER,
        tells_power=never,
        reset=no_reset,
    )
