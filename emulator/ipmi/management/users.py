"""User commands and Get Session Info (IPMI 2.0, 22.20, 22.26 to 22.31). The users are the accounts that Redfish shows too.

The command table calls the handlers, in the emulator's one thread.

The standard reserves user 1 for a user without a name; nobody can log in as it. Accounts without a user id are not shown.
Privilege and access that a client sets for a user id without an account are stored for the account that comes later, because
clients set these in any order.
"""

from __future__ import annotations

import hmac
import ipaddress

from emulator.core.bmc.accounts import LAST_SLOT, LocalAccount
from emulator.core.bmc.accounts_admin import ROLE_OF_PRIVILEGE
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.channel import LAN_CHANNEL, lan_channel
from emulator.ipmi.session.rmcp import AUTH_RMCP_PLUS
from emulator.ipmi.session.sessions import PRIVILEGE_OF_ROLE, LanSession
from emulator.ipmi.state import IpmiState

MAX_NAME = 16
NO_ACCESS = 0x0F
MESSAGING = 0x10
CHANGE_FLAGS = 0x80
KEPT_FLAGS = 0x60  # callback only, link authentication: stored and shown without effect, as there is no modem
ENABLED, DISABLED = 0x40, 0x80

TWENTY_BYTES = 0x80
DISABLE, ENABLE, SET_PASSWORD, TEST_PASSWORD = 0, 1, 2, 3
PASSWORD_MISMATCH, WRONG_PASSWORD_SIZE = 0x80, 0x81
NEW_USERS_ROLE = "ReadOnly"

CURRENT, BY_HANDLE, BY_ID = 0x00, 0xFE, 0xFF
PROTOCOL_RMCP_PLUS = 0x10


def user_at(call: IpmiCall, number: int) -> LocalAccount | None:
    """The account with a user id; None for a free id. Raises CompletionError for an id that does not exist."""
    if not 1 <= number <= LAST_SLOT:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return call.view.users.in_slot(number)


def existing_user(call: IpmiCall, number: int) -> LocalAccount:
    """The account with a user id. Raises CompletionError where there is none."""
    account = user_at(call, number)
    if account is None:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return account


def get_user_access(call: IpmiCall) -> bytes:
    lan_channel(call.data[0])
    number = call.data[1] & 0x3F
    account, state = user_at(call, number), call.state
    level = state.user_levels.get(number, NO_ACCESS)
    if account is not None and (account.enabled or number not in state.user_levels):
        level = PRIVILEGE_OF_ROLE[account.role]
    silent = number in state.no_messaging or (account is None and number not in state.user_levels)
    access = level | state.user_flags.get(number, 0) | (0 if silent else MESSAGING)
    status = ENABLED if account is not None and account.enabled else DISABLED
    enabled = sum(1 for user in call.view.users.all() if user.slot and user.enabled)
    return bytes((LAST_SLOT, status | enabled, 1, access))


def set_user_access(call: IpmiCall) -> bytes:
    """NO ACCESS is not a role: it disables the account, which Redfish shows too. "IPMI messaging" is stored for IPMI alone."""
    lan_channel(call.data[0] & 0x0F)
    number, level, state = call.data[1] & 0x3F, call.data[2] & 0x0F, call.state
    account = user_at(call, number)
    if level != NO_ACCESS and level not in ROLE_OF_PRIVILEGE:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if account is not None and level == NO_ACCESS:
        call.view.users.change(account.name, enabled=False, cause=call.cause)
    elif account is not None:
        call.view.users.change(account.name, role=ROLE_OF_PRIVILEGE[level], cause=call.cause)
    if account is None or level == NO_ACCESS:
        state.user_levels = {**state.user_levels, number: level}
    else:
        _forget_level(state, number)
    if call.data[0] & CHANGE_FLAGS:
        may = bool(call.data[0] & MESSAGING)
        state.no_messaging = state.no_messaging - {number} if may else state.no_messaging | {number}
        state.user_flags = {**state.user_flags, number: call.data[0] & KEPT_FLAGS}
    return b""


def _forget_level(state: IpmiState, number: int, unless: int | None = None) -> None:
    if number in state.user_levels and state.user_levels[number] != unless:
        state.user_levels = {slot: level for slot, level in state.user_levels.items() if slot != number}


def get_user_name(call: IpmiCall) -> bytes:
    account = user_at(call, call.data[0] & 0x3F)
    return (account.name if account else "").encode()[:MAX_NAME].ljust(MAX_NAME, b"\0")


def set_user_name(call: IpmiCall) -> bytes:
    """Renames an account, or makes one (disabled until it has a password). An empty name deletes the account."""
    number, account = call.data[0] & 0x3F, user_at(call, call.data[0] & 0x3F)
    try:
        name = call.data[1:].rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise CompletionError(CompletionCode.INVALID_FIELD) from None
    if number == 1:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    users = call.view.users
    if account is None and name:
        role = ROLE_OF_PRIVILEGE.get(call.state.user_levels.get(number, NO_ACCESS), NEW_USERS_ROLE)
        users.create(name, "", role, enabled=False, slot=number, cause=call.cause)
        _forget_level(call.state, number, unless=NO_ACCESS)
    elif account is not None and name:
        users.change(account.name, new_name=name, cause=call.cause)
        _keep_sessions(call, account)
    elif account is not None:
        users.delete(account.name, call.cause)
    return b""


def _keep_sessions(call: IpmiCall, before: LocalAccount) -> None:
    """A renamed user keeps its sessions. Otherwise a client that renames its own user could not close its session."""
    renamed = call.view.users.in_slot(before.slot)
    if renamed is not None:
        for session in call.sessions.live.values():
            if session.account.name == before.name:
                session.account = renamed


def set_user_password(call: IpmiCall) -> bytes:
    """Disabling a user that does not exist is no error, because clients that write a whole configuration do so."""
    operation, given = call.data[1] & 0x03, call.data[2:]
    if operation == DISABLE and user_at(call, call.data[0] & 0x3F) is None:
        return b""
    account = existing_user(call, call.data[0] & 0x3F)
    if operation in (DISABLE, ENABLE):
        call.view.users.change(account.name, enabled=operation == ENABLE, cause=call.cause)
        return b""
    if len(given) != (20 if call.data[0] & TWENTY_BYTES else 16):
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    if operation == TEST_PASSWORD:
        if len(account.password.encode()) > len(given):
            raise CompletionError(WRONG_PASSWORD_SIZE)
        if not hmac.compare_digest(account.password.encode().ljust(len(given), b"\0"), given):
            raise CompletionError(PASSWORD_MISMATCH)
        return b""
    try:
        password = given.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise CompletionError(CompletionCode.INVALID_FIELD) from None
    call.view.users.change(account.name, password=password, cause=call.cause)
    return b""


def _asked_for(call: IpmiCall) -> LanSession | None:
    """The session that a request names; None for an index without a session. Raises CompletionError for an unknown one."""
    live, index, key = call.sessions.live, call.data[0], call.data[1:]
    if index == CURRENT:
        return call.session
    if index == BY_HANDLE and len(key) == 1:
        found = call.sessions.by_handle(key[0])
    elif index == BY_ID and len(key) == 4:
        found = live.get(key)
    elif index < BY_HANDLE and not key:
        return list(live.values())[index - 1] if index <= len(live) else None
    else:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    if found is None:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return found


def get_session_info(call: IpmiCall) -> bytes:
    session, live = _asked_for(call), call.sessions.live
    counts = bytes((min(call.sessions.limits.sessions, 0x3F), min(len(live), 0x3F)))
    if session is None:
        return b"\0" + counts
    account = call.view.users.get(session.account.name)
    number = account.slot if account is not None else 0  # 0: deleted meanwhile
    protocol = PROTOCOL_RMCP_PLUS if session.auth_type == AUTH_RMCP_PLUS else 0
    who = bytes((number, session.privilege, protocol | LAN_CHANNEL))
    address = ipaddress.ip_address(session.peer[0])
    remote = address.packed if address.version == 4 else bytes(4)  # the response has no field for IPv6
    return bytes((session.handle,)) + counts + who + remote + bytes(6) + session.peer[1].to_bytes(2, "little")
