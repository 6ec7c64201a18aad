"""The agents' stand-ins without sockets: a manager reaches them by its transport. One thread, the emulator's."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance.agent_stand_ins import AgentStandIns
from conformance.site import AgentAddress
from emulator import TransportAnswer

if TYPE_CHECKING:
    from emulator import Emulator

PORT: Final = 8080
FIRST: Final = "198.19.0."
"""Beside the addresses of emulated BMCs, in the same range for benchmarks (RFC 2544)."""
EXCHANGE_S: Final = 0.002


class SocketlessAgents(AgentStandIns):
    """As `AgentStandIns`; nothing listens. `exchange` is how a manager asks."""

    def __init__(self, emulator: Emulator, workloads: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(emulator, workloads, "")

    def _first_address(self) -> AgentAddress:
        return AgentAddress(host=f"{FIRST}{len(self._agents) + 1}", port=PORT)

    def _begin(self) -> None:
        pass

    def _finish(self) -> None:
        pass

    def _listen(self, agent: object) -> None:
        pass

    def has(self, url: str) -> bool:
        """Whether a URL is that of an agent."""
        return (urlsplit(url).hostname or "").startswith(FIRST)

    def exchange(
        self, method: str, url: str, body: bytes | None, timeout: float | None, sleep: Callable[[float], None]
    ) -> TransportAnswer:
        """One HTTP exchange; `sleep` lets virtual time pass. Raises what a real socket would: ConnectionRefusedError,
        RemoteDisconnected, TimeoutError."""
        sleep(EXCHANGE_S)
        while not self._news.empty():
            if (news := self._news.get()) is not None:
                self._take(*news)
        parts = urlsplit(url)
        agent = next((each for each in self._agents.values() if each.address.host == parts.hostname), None)
        if agent is None or parts.port != PORT or (self._trouble is None and not agent.reachable):
            raise ConnectionRefusedError(111, "Connection refused")
        try:
            value = json.loads(body) if body else {}
        except ValueError:
            value = None
        answer = self._answer(agent, method, parts.path, value)
        if answer is None:
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        if timeout is not None and answer.late_s >= timeout:
            sleep(timeout)
            raise TimeoutError("timed out")
        sleep(answer.late_s)
        headers = http.client.HTTPMessage()
        headers["Content-Type"] = "application/json"
        return TransportAnswer(answer.status, headers, json.dumps(answer.body).encode())
