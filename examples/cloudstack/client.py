"""Apache CloudStack's Redfish client as of 4.22, and the repairs that were proposed for the already-off deadlock.

Each repair is one parameter. The suite's adapter python-transport calls `fence` on virtual time. Whatever the parameters are, the
client does what upstream does: it takes the first member of Systems and Basic authentication, any 2xx to a command is success,
requests have no time-out, and after an I/O error the same request is sent again, three times in all with 2 s between them.

Parameters, all text:
    reset         what OFF sends: GracefulShutdown (as found) or ForceOff
    status_first  "yes": read the state before, and send nothing where it counts as off
    conflict      what 409 means: "error" (as found), "off", or "read": read the state, and it is off if that counts as off
    powering_off  "off" (as found: PoweringOff counts as off) or "on"
    confirm       "yes": after a command, read every second until the state counts as off, for 20 s at most
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final, Protocol

RESET: Final = {"on": "On", "reboot": "ForceRestart"}
TRIES: Final = 3
PAUSE_S: Final = 2.0
CONFIRM_S: Final = 20.0
CONFLICT: Final = 409


class RedfishError(Exception):
    """The BMC refused, or said what the client does not understand."""


class Answer(Protocol):
    status: int
    body: bytes


class Transport(Protocol):
    def http(
        self, method: str, url: str, headers: Mapping[str, str] = ..., body: bytes | None = None, timeout: float | None = None
    ) -> Answer: ...


class Clock(Protocol):
    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Client:
    """One BMC, as CloudStack's RedfishClient sees it."""

    def __init__(self, bmc: Mapping[str, str], transport: Transport, clock: Clock, *, powering_off: str) -> None:
        word = base64.b64encode(f"{bmc['user']}:{bmc['password']}".encode()).decode()
        self._headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        self._url, self._transport, self._clock = bmc["url"], transport, clock
        self._states = {"On": "on", "PoweringOn": "on", "Off": "off", "PoweringOff": powering_off}

    def state(self, system: str) -> str:
        """ "on" or "off"; every other word and null is an error."""
        word = self._json(system).get("PowerState")
        if not isinstance(word, str) or word not in self._states:
            raise RedfishError(f"Failed to get System power state; {word!r} is no power state")
        return self._states[word]

    def first_system(self) -> str:
        members = self._json("/redfish/v1/Systems")["Members"]
        assert isinstance(members, list)
        return str(members[0]["@odata.id"])

    def reset(self, system: str, reset_type: str) -> int:
        """Sends the command; the HTTP status."""
        body = json.dumps({"ResetType": reset_type}).encode()
        return self._ask("POST", f"{system}/Actions/ComputerSystem.Reset", body).status

    def _json(self, path: str) -> dict[str, object]:
        answer = self._ask("GET", path)
        if answer.status != 200:
            raise RedfishError(f"Failed to get System power state; HTTP {answer.status} from {path}")
        found: dict[str, object] = json.loads(answer.body)
        return found

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        for left in reversed(range(TRIES)):
            try:
                return self._transport.http(method, self._url + path, self._headers, body)
            except (OSError, EOFError) as error:
                if not left:
                    raise RedfishError(f"Failed to execute HTTP request after {TRIES} attempts: {error}") from error
                self._clock.sleep(PAUSE_S)
        raise AssertionError("the last try returns or raises")


def fence(
    action: str,
    bmc: Mapping[str, str],
    transport: Transport,
    clock: Clock,
    *,
    reset: str = "GracefulShutdown",
    status_first: str = "no",
    conflict: str = "error",
    powering_off: str = "off",
    confirm: str = "no",
) -> str | None:
    """One action; its claim for the suite."""
    client = Client(bmc, transport, clock, powering_off=powering_off)
    system = client.first_system()
    if action == "status":
        return client.state(system)
    if action == "off" and status_first == "yes" and client.state(system) == "off":
        return "off"
    status = client.reset(system, RESET.get(action, reset))
    if action == "off" and status == CONFLICT and conflict != "error":
        if conflict == "read" and client.state(system) != "off":
            raise RedfishError(f"Failed to execute System power command; HTTP {CONFLICT} and the state is not off")
    elif not 200 <= status < 300:
        raise RedfishError(f"Failed to execute System power command; HTTP {status}")
    if action == "off" and confirm == "yes":
        until = clock.now() + CONFIRM_S
        while client.state(system) != "off":
            if clock.now() > until:
                raise RedfishError(f"timed out: not off {CONFIRM_S:g} s after {reset}")
            clock.sleep(1.0)
    return None
