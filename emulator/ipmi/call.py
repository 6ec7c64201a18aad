"""What a command handler is given, and how it says no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.core.fault import Request
from emulator.core.view import BmcView
from emulator.core.vocab import ResetType
from emulator.ipmi.handshake import HalfOpen
from emulator.ipmi.lan15 import Challenge
from emulator.ipmi.sessions import Privilege, Session, SessionTable
from emulator.ipmi.state import IpmiState
from emulator.ipmi.suites import CipherSuite


class Refused(Exception):
    """The command is answered with a completion code other than 0: the client's fault, or the state's."""

    def __init__(self, completion_code: int) -> None:
        super().__init__(f"completion code 0x{completion_code:02x}")
        self.completion_code = completion_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way through a handler. `session` is None outside of sessions; `cause` is its event in the journal."""

    view: BmcView
    state: IpmiState
    sessions: SessionTable[HalfOpen | Challenge]
    session: Session | None
    suites: tuple[CipherSuite, ...]
    guid: bytes
    kg_set: bool
    data: bytes
    request: Request
    cause: int

    @property
    def here(self) -> Session:
        """The session of a command that exists only inside of one; the table of commands sees to that."""
        if self.session is None:
            raise Refused(0xD5)
        return self.session


def no_reset(_data: bytes) -> ResetType | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A row of the command table.

    `name` is what faults and the journal call it; `length` the fewest and the most request bytes; `sessionless` whether it is
    answered outside of sessions; `reset` what a power command amounts to.
    """

    name: str
    privilege: Privilege
    run: Callable[[Call], bytes]
    length: tuple[int, int] = (0, 0)
    sessionless: bool = False
    reset: Callable[[bytes], ResetType | None] = no_reset
