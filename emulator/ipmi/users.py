"""Who there is and who is in (IPMI 2.0, 22.20, 22.27, 22.29). The users are the BMC's accounts, the same as Redfish's.

User 1 is the nameless user that the standard reserves; nobody can log in as it. The accounts follow from 2 on.
"""

from __future__ import annotations

import ipaddress

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.channel import LAN_CHANNEL, lan_channel
from emulator.ipmi.rmcp import AUTH_RMCP_PLUS
from emulator.ipmi.sessions import PRIVILEGE_OF_ROLE, Session
from profiles.model import Account

FIRST_NAMED = 2
SLOTS = 16
MAX_NAME = 16
NO_ACCESS = 0x0F
MESSAGING = 0x10
ENABLED, DISABLED = 0x40, 0x80

CURRENT, BY_HANDLE, BY_ID = 0x00, 0xFE, 0xFF
PROTOCOL_RMCP_PLUS = 0x10


def slots(call: Call) -> int:
    return max(SLOTS, len(tuple(call.view.accounts())) + FIRST_NAMED - 1)


def account_at(call: Call, number: int) -> Account | None:
    """The account in a slot; None for an empty one. Raises Refused for a slot that does not exist."""
    if not 1 <= number <= slots(call):
        raise Refused(CompletionCode.INVALID_FIELD)
    accounts = tuple(call.view.accounts())
    index = number - FIRST_NAMED
    return accounts[index] if 0 <= index < len(accounts) else None


def get_user_access(call: Call) -> bytes:
    lan_channel(call.data[0])
    account = account_at(call, call.data[1] & 0x3F)
    access = MESSAGING | PRIVILEGE_OF_ROLE[account.role] if account else NO_ACCESS
    status = ENABLED if account else DISABLED
    return bytes((slots(call), status | len(tuple(call.view.accounts())), 1, access))


def get_user_name(call: Call) -> bytes:
    account = account_at(call, call.data[0] & 0x3F)
    return (account.name if account else "").encode()[:MAX_NAME].ljust(MAX_NAME, b"\0")


def _asked_for(call: Call) -> Session | None:
    """Raises Refused where a session is named by what no session has."""
    live, index, key = call.sessions.live, call.data[0], call.data[1:]
    if index == CURRENT:
        return call.session
    if index == BY_HANDLE and len(key) == 1:
        found = next((session for session in live.values() if session.handle == key[0]), None)
    elif index == BY_ID and len(key) == 4:
        found = live.get(key)
    elif index < BY_HANDLE and not key:
        return list(live.values())[index - 1] if index <= len(live) else None
    else:
        raise Refused(CompletionCode.INVALID_LENGTH)
    if found is None:
        raise Refused(CompletionCode.INVALID_FIELD)
    return found


def get_session_info(call: Call) -> bytes:
    session, live = _asked_for(call), call.sessions.live
    counts = bytes((min(call.sessions.limits.sessions, 0x3F), min(len(live), 0x3F)))
    if session is None:
        return b"\0" + counts
    names = [account.name for account in call.view.accounts()]
    number = FIRST_NAMED + names.index(session.account.name) if session.account.name in names else 0  # 0: deleted meanwhile
    protocol = PROTOCOL_RMCP_PLUS if session.auth_type == AUTH_RMCP_PLUS else 0
    who = bytes((number, session.privilege, protocol | LAN_CHANNEL))
    address = ipaddress.ip_address(session.peer[0])
    remote = address.packed if address.version == 4 else bytes(4)  # the command has no room for IPv6
    return bytes((session.handle,)) + counts + who + remote + bytes(6) + session.peer[1].to_bytes(2, "little")
