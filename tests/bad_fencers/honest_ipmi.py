"""The careful fencer over IPMI, with a client of its own: time-outs, repeats and refusals are where IPMI fencers go wrong."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from careful import CarefulRedfish
from honest import Failed, Redfish

sys.path.append(str(Path(__file__).resolve().parents[1]))
from ipmi_client import RMCP, Client, Refused, answer, request

Reply = TypeVar("Reply")
WAIT_S = 0.4
TRIES = 8
BUSY_PAUSE_S = 2.0
BUSY, PRIVILEGE = 0xC0, 0xD4
REFUSALS: Mapping[int, str] = {
    0x01: "busy: no session is free",
    0x04: "unsupported: no such algorithm",
    0x09: "privilege: invalid role",
    0x0A: "privilege: the user has no such role",
    0x0D: "auth: the BMC does not know this user",
    0x0F: "auth: the BMC refuses the password",
    0x11: "unsupported: no common cipher suite",
    0x12: "unsupported: no such cipher suite",
}


class Session(Client):
    """An RMCP+ session on a socket. A lost datagram is sent again, a power command never."""

    def __init__(self, bmc: Mapping[str, str], password: str, suite: int) -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.connect((bmc["ipmi_host"], int(bmc["ipmi_port"])))
        kg = bytes.fromhex(bmc["kg"]).ljust(20, b"\0") if bmc["kg"] else None
        super().__init__(lambda datagram: [], user=bmc["user"], password=password, suite=suite, kg=kg)

    def exchange(self, make: Callable[[], bytes], accept: Callable[[bytes], Reply | None], tries: int) -> Reply | None:
        for _ in range(tries):
            self.socket.send(make())
            until = time.monotonic() + WAIT_S
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                try:
                    reply = accept(self.socket.recv(4096))
                except TimeoutError:
                    break
                except ConnectionRefusedError:
                    time.sleep(left)
                    break
                if reply is not None:
                    return reply
        return None

    def _one(self, datagram: bytes) -> bytes | None:
        def accept(reply: bytes) -> bytes | None:
            return reply if reply[:4] == RMCP and reply[5] == datagram[5] + 1 else None

        return self.exchange(lambda: datagram, accept, TRIES)

    def command(self, netfn: int, cmd: int, data: bytes = b"", *, tries: int = TRIES) -> tuple[int, bytes] | None:
        self.rq_seq = number = (self.rq_seq + 1) % 64

        def accept(reply: bytes) -> tuple[int, bytes] | None:
            try:
                message = self.unwrap(reply)
            except (AssertionError, ValueError):
                return None  # a late answer of the handshake
            return answer(message) if (message[4] >> 2, message[5]) == (number, cmd) else None

        return self.exchange(lambda: self.wrap(request(netfn, cmd, data, number)), accept, tries)

    def raw_command(self, netfn: int, command: int, data: tuple[int, ...] = (), *, tries: int = TRIES) -> dict[str, Any]:
        """Completion code and data. Raises Failed where nothing comes."""
        reply = self.command(netfn, command, bytes(data), tries=tries)
        if reply is None:
            raise Failed("unreachable: the BMC does not answer")
        return {"code": reply[0], "data": reply[1]}


class Ipmi(Redfish):
    """One BMC over IPMI."""

    command: Session | None = None
    suites: tuple[int, ...] = (3, 17)

    def log_out(self) -> None:
        if (session := self.command) is not None:
            session.exchange(lambda: session.wrap(request(6, 0x3C, session.managed)), lambda reply: reply, 3)

    def locate(self) -> None:
        if self.command is not None:
            return
        if self.bmc["ipmi_target"]:
            raise Failed("unsupported: no bridging to another controller")
        for suite in self.suites:
            session = Session(self.bmc, self.password, suite)
            try:
                session.open()
                break
            except AssertionError:
                raise Failed("unreachable: the BMC does not answer") from None
            except Refused as refused:
                if refused.status not in (0x04, 0x11, 0x12) or suite == self.suites[-1]:
                    raise Failed(REFUSALS.get(refused.status, str(refused))) from None
        try:
            if not session.rakp1():
                raise Failed("auth: the BMC does not share this password")
            self.log_in(session)
        except Refused as refused:
            raise Failed(REFUSALS.get(refused.status, str(refused))) from None

    def log_in(self, session: Session) -> None:
        try:
            session.rakp3()
        except AssertionError as error:
            silent = "silence" in str(error)
            raise Failed("unreachable: no answer" if silent else "auth: the BMC does not share this key K_g") from None
        self.command = session
        code = session.raw_command(6, 0x3B, (session.privilege,))["code"]
        if code:
            raise Failed("privilege: the user has no such privilege")

    def state(self) -> str | None:
        answer = self.command.raw_command(0x00, 0x01)
        if answer["code"]:
            self.refused(answer["code"])
            return None
        return "On" if answer["data"][0] & 1 else "Off"

    def refused(self, code: int) -> None:
        if code == PRIVILEGE:
            raise Failed("privilege: insufficient privilege (0xD4)")
        self.trouble = "busy: node busy (0xC0)" if code == BUSY else f"conflict-other: 0x{code:02X}"

    def command_off(self) -> None:
        self.control(0x00)

    def command_on(self) -> None:
        self.control(0x01)

    def control(self, what: int) -> None:
        """Once; where the BMC was busy, again after a while, and where no answer came and the host is as it was."""
        for _ in range(3):
            self.sent += 1
            try:
                code = self.command.raw_command(0x00, 0x02, (what,), tries=1)["code"]
            except Failed:
                if self.state() == ("Off" if what == 0x00 else "On"):
                    return self.dropped()
                continue
            if code != BUSY:
                break
            self.refused(code)
            time.sleep(BUSY_PAUSE_S)
        else:
            return self.dropped()
        return self.answered(code)

    def answered(self, status: int) -> None:
        if status:
            self.refused_at = time.monotonic()
            self.refused(status)


class Dual(CarefulRedfish):
    """Both channels of one BMC: off is what both say."""

    def log_out(self) -> None:
        super().log_out()
        if hasattr(self, "ipmi"):
            self.ipmi.log_out()

    def state(self) -> str | None:
        if not hasattr(self, "ipmi"):
            self.ipmi = Ipmi(self.bmc)
            self.ipmi.locate()
        said = {super().state(), self.ipmi.state()}
        return said.pop() if len(said) == 1 else "On" if "On" in said else None
