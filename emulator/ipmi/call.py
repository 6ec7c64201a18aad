"""What a command handler gets (`IpmiCall`), how it answers an error (`CompletionError`), and a row of the command table.

The responder makes these objects and calls the handlers, in the emulator's one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from emulator.core.bmc.view import BmcView
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.power.system import Look
from emulator.core.vocab import CompletionCode, ResetType
from emulator.ipmi.console.sol import Sol
from emulator.ipmi.session.handshake import RakpHalfOpen
from emulator.ipmi.session.lan15 import AuthType, Challenge
from emulator.ipmi.session.sessions import IpmiPrivilege, LanSession, LanSessionTable, Peer
from emulator.ipmi.session.strangers import Strangers
from emulator.ipmi.session.suites import CipherSuite
from emulator.ipmi.state import Here, IpmiState
from profiles.model import View


class CompletionError(Exception):
    """A handler answers a completion code other than 0: the request is wrong, or not possible in this state."""

    def __init__(self, completion_code: int, data: bytes = b"") -> None:
        """`data` follows the code in the response, as DCMI requires for some codes."""
        super().__init__(f"completion code 0x{completion_code:02x}")
        self.completion_code = completion_code
        self.data = data


@dataclass(slots=True)
class Traffic:
    """Datagram counters since the BMC was first used, or since a client cleared them.

    `heard` counts all datagrams received, `valid` the well-formed ones among them, `sent` the answers.
    """

    heard: int = 0
    valid: int = 0
    sent: int = 0

    def clear(self) -> None:
        self.heard = self.valid = self.sent = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IpmiBmc:
    """What the handlers of one BMC share: its view and its IPMI state. `kg` is the BMC key K_g that it started with, if any."""

    view: BmcView
    state: IpmiState
    sessions: LanSessionTable[RakpHalfOpen | Challenge]
    suites: tuple[CipherSuite, ...]
    auth_types: frozenset[AuthType]
    guid: bytes
    kg: bytes | None
    strangers: Strangers
    here: Here
    sol: Sol
    traffic: Traffic

    @property
    def key(self) -> bytes | None:
        """K_g as it is now: as a client set it, or as the BMC started with it. None: no K_g."""
        return self.kg if self.state.kg is None else self.state.kg or None


class RequestOrigin(NamedTuple):
    """Where a request came from: outside of a session, in a session, or from a 1.5 client that activates its session."""

    peer: Peer
    session: LanSession | None = None
    challenge: Challenge | None = None


class IpmiCall(NamedTuple):
    """One request, as its handler gets it. `cause` is its event in the journal, `looks` the power words of its answer."""

    bmc: IpmiBmc
    origin: RequestOrigin
    data: bytes
    request: ClientRequest
    cause: int
    looks: list[Look]

    @property
    def view(self) -> BmcView:
        return self.bmc.view

    @property
    def system(self) -> str:
        """The id of the system on which IPMI commands act."""
        return self.request.system or self.view.first_id

    def power(self) -> str | None:
        """What the BMC says of the system's power over IPMI."""
        return self.view.power(self.system, View.IPMI, self.request, self.cause)

    def tells(self, word: str | None) -> None:
        """The answer says this power word ("On", "Off", None for unknown)."""
        self.looks.append(Look(self.system, View.IPMI, word))

    @property
    def state(self) -> IpmiState:
        return self.bmc.state

    @property
    def sessions(self) -> LanSessionTable[RakpHalfOpen | Challenge]:
        return self.bmc.sessions

    @property
    def session(self) -> LanSession:
        """The session of a command that the table allows only in a session."""
        if self.origin.session is None:
            raise CompletionError(CompletionCode.NOT_IN_STATE)
        return self.origin.session


def no_reset(_data: bytes) -> ResetType | None:
    """For commands that are no power commands."""
    return None


def never(_data: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A row of the command table.

    `name` is its name in faults and in the journal. `length` is the smallest and the largest number of request bytes.
    `sessionless`: whether it is answered outside of a session. `intent` is what a request for it means; `tells_power` says
    whether these request bytes ask for a power word although the intent is another; `reset` gives the ResetType of a command.
    """

    name: str
    privilege: IpmiPrivilege
    run: Callable[[IpmiCall], bytes]
    length: tuple[int, int] = (0, 0)
    sessionless: bool = False
    intent: Intent = Intent.READ
    tells_power: Callable[[bytes], bool] = never
    reset: Callable[[bytes], ResetType | None] = no_reset
