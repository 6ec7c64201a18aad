"""Payload commands: activate and deactivate serial over LAN, and who may do so (IPMI 2.0, 24.1 to 24.9).

The command table calls the handlers, in the emulator's one thread.
"""

from __future__ import annotations

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.console.sol import PAYLOAD_BYTES
from emulator.ipmi.console.sol_config import sol_setup
from emulator.ipmi.management.channel import lan_channel
from emulator.ipmi.management.users import user_at
from emulator.ipmi.session.codec import RmcpPlusLink
from emulator.ipmi.session.rmcp import PAYLOAD_SOL

ONLY_INSTANCE = 1
ALREADY_ACTIVE, DISABLED, WITHOUT_ENCRYPTION = 0x80, 0x81, 0x84
ALREADY_INACTIVE = 0x80
ENCRYPTED = 0x80
NO_VLAN = 0xFFFF
STANDARD, SET_UP = bytes((0x03, 0x00)), bytes((0x3F, 0x00))  # IPMI and serial over LAN; all messages of the handshake
VERSION_1_0 = 0x10
SOL_BIT = 0x02
DISABLE = 0x40

NO_SUCH_PAYLOAD = 0x80


def _size(count: int) -> bytes:
    return count.to_bytes(2, "little")


def _only_sol(payload_type: int, instance: int = ONLY_INSTANCE) -> None:
    if payload_type & 0x3F != PAYLOAD_SOL or instance & 0x0F != ONLY_INSTANCE:
        raise CompletionError(CompletionCode.INVALID_FIELD)


def activate(call: IpmiCall) -> bytes:
    _only_sol(call.data[0], call.data[1])
    session, sol = call.session, call.bmc.sol
    setup = sol_setup(call.state)
    if not setup.enabled or not isinstance(session.link, RmcpPlusLink):
        raise CompletionError(DISABLED)
    if session.privilege < setup.privilege:
        raise CompletionError(CompletionCode.INSUFFICIENT_PRIVILEGE)
    account = call.view.users.get(session.account.name)
    if account is None or account.slot in call.state.no_sol:
        raise CompletionError(DISABLED)
    if not call.data[2] & ENCRYPTED:
        raise CompletionError(WITHOUT_ENCRYPTION)
    if sol.session is not None:
        if sol.session.id in call.sessions.live:
            raise CompletionError(ALREADY_ACTIVE)
        sol.deactivate(call.cause, tell=False)
    sol.activate(session, session.link, call.cause, retries=setup.retries, retry_every_s=setup.retry_every_s)
    return bytes(4) + _size(PAYLOAD_BYTES) * 2 + _size(call.bmc.here.port) + _size(NO_VLAN)


def deactivate(call: IpmiCall) -> bytes:
    """Ends the console session, whoever has it. The client needs the privilege of the SOL configuration."""
    _only_sol(call.data[0], call.data[1])
    sol = call.bmc.sol
    if call.session.privilege < sol_setup(call.state).privilege:
        raise CompletionError(CompletionCode.INSUFFICIENT_PRIVILEGE)
    if sol.session is None:
        raise CompletionError(ALREADY_INACTIVE)
    sol.deactivate(call.cause, tell=sol.session is not call.session)
    return b""


def get_activation_status(call: IpmiCall) -> bytes:
    _only_sol(call.data[0])
    return bytes((ONLY_INSTANCE, int(call.bmc.sol.session is not None), 0))


def get_instance_info(call: IpmiCall) -> bytes:
    _only_sol(call.data[0], call.data[1])
    session = call.bmc.sol.session
    return (session.id if session is not None else bytes(4)) + bytes((ONLY_INSTANCE,)) + bytes(7)


def get_user_access(call: IpmiCall) -> bytes:
    lan_channel(call.data[0])
    number = call.data[1] & 0x3F
    user_at(call, number)
    may = number not in call.state.no_sol
    return bytes((SOL_BIT if may else 0, 0, 0, 0))


def set_user_access(call: IpmiCall) -> bytes:
    lan_channel(call.data[0])
    number, state = call.data[1] & 0x3F, call.state
    user_at(call, number)
    if call.data[2] & SOL_BIT:
        state.no_sol = state.no_sol | {number} if call.data[1] & DISABLE else state.no_sol - {number}
    return b""


def get_channel_support(call: IpmiCall) -> bytes:
    lan_channel(call.data[0])
    return STANDARD + SET_UP + bytes(4)


def get_channel_version(call: IpmiCall) -> bytes:
    lan_channel(call.data[0])
    if call.data[1] not in (0x00, PAYLOAD_SOL):
        raise CompletionError(NO_SUCH_PAYLOAD)
    return bytes((VERSION_1_0,))
