"""A small fencer that does it right, in parts that can be broken one at a time. `mutants` breaks them.

Not the reference: just enough to pass the catalogue, so that a mutant differs from it in exactly one place.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from logins import AnotherMachine, BadAnswer, Failed, LogIn

__all__ = ["Failed", "Redfish", "fence", "spelled"]

BUDGET_S = 7.0
PAUSE_S = 0.2
SPACING_S = 1.0
RESEND_S = 1.0
SENDS = 3
NO_UUID = "00000000-0000-0000-0000-000000000000"


class Redfish(LogIn):
    """One BMC over Redfish; every method may be overridden by a mutant."""

    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__(bmc)
        self.http.headers["Cache-Control"] = "no-cache"
        self.witnesses: dict[str, bool] = {}  # whether each chassis has said a word for its power
        self.refused_at: float | None = None
        self.sent = 0
        self.until = time.monotonic() + BUDGET_S
        self.pinned = ""
        self.target = ""
        self.reset_types: list[str] = []

    # -- asks ----------------------------------------------------------------------------------------------------------

    def run(self, action: str) -> str | bool | None:
        try:
            return getattr(self, action)()
        except requests.exceptions.SSLError as error:
            return self.unverified(error)
        except (requests.Timeout, TimeoutError) as error:
            raise Failed("timeout: the BMC did not answer") from error
        except requests.ConnectionError as error:
            return self.unreachable(error)
        except ValueError as error:
            raise Failed("bad-response: the answer is no JSON") from error
        finally:
            self.log_out()

    def unverified(self, error: Exception) -> str | bool | None:
        raise Failed("tls: the certificate or the version of TLS is not acceptable") from error

    def unreachable(self, error: Exception) -> str | bool | None:
        raise Failed("unreachable: no connection") from error

    def off(self) -> str | bool | None:
        self.locate()
        if self.is_off():
            return None
        self.command_off()
        while time.monotonic() < self.until:
            if self.is_off():
                return None
            self.send_again(self.command_off)
            time.sleep(PAUSE_S)
        raise Failed(f"{self.trouble}: the host was still on when time was up")

    def on(self) -> str | bool | None:
        self.locate()
        if self.state() == "On":
            return None
        if not self.brought_on():
            raise Failed(f"{self.trouble}: the host was still off when time was up")
        return None

    def reboot(self) -> str | bool | None:
        """The old run has ended when it is off; that it is on again is tried, and else said."""
        self.off()
        self.refused_at, self.sent = None, 0
        if not self.brought_on():
            print("warning: the host is off and could not be switched on", file=sys.stderr)
        return None

    def brought_on(self) -> bool:
        self.command_on()
        self.refused_at = time.monotonic()  # an On that shows nothing is sent again
        while time.monotonic() < self.until:
            if self.state() == "On":
                return True
            self.send_again(self.command_on)
            time.sleep(PAUSE_S)
        return False

    def send_again(self, command: Callable[[], object]) -> None:
        """Once more, after a while, where the last one was refused."""
        if self.refused_at is not None and time.monotonic() - self.refused_at >= RESEND_S and self.sent < SENDS:
            self.refused_at = None
            command()

    def status(self) -> str:
        self.locate()
        word = self.state()
        if word not in ("On", "Off"):
            raise Failed(f"bad-response: the state is {word}")
        return word.lower()

    def monitor(self) -> None:
        self.status()

    def list(self) -> None:
        self.status()

    # -- parts ---------------------------------------------------------------------------------------------------------

    trouble = "timeout"
    reset_type = "ForceOff"

    def locate(self) -> None:
        self.system = self.bmc["system_uri"] or self.choose(self.members())

    def members(self) -> list[str]:
        """The URIs in the collection of systems, all pages of it."""
        listed: list[Any] = []
        page: str | None = "/redfish/v1/Systems"
        counted = 0
        while page:
            body = self.get(page)
            if not isinstance(body.get("Members"), list):
                raise Failed("bad-response: Members is no list")
            listed += body["Members"]
            counted = max(counted, body.get("Members@odata.count", 0))
            page = body.get("Members@odata.nextLink")
        uris = [member["@odata.id"] for member in listed if "@odata.id" in member]
        if not max(counted, len(listed)):
            raise Failed("not-found: the BMC has no system")
        self.all_shown(uris, max(counted, len(listed)))
        return uris

    def all_shown(self, uris: list[str], counted: int) -> None:
        if len(uris) != counted:
            raise Failed("config: the BMC counts other systems than it shows, and none was selected")

    def choose(self, uris: list[str]) -> str:
        if len(uris) != 1:
            raise Failed("config: several systems, and none was selected")
        return uris[0]

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        if answer.status_code == 401:
            return self.unauthorized(path)
        self.expect_success(answer)
        return answer.json()

    def unauthorized(self, path: str) -> Any:
        raise Failed("auth: the BMC refuses the password (401)")

    def state(self) -> str | None:
        body = self.get(self.system)
        self.check_resource(body)
        self.check_machine(body)
        self.take_action(body.get("Actions", {}).get("#ComputerSystem.Reset", {}))
        word: str | None = body.get("PowerState")
        if word not in ("On", "PoweringOn", "Off", "PoweringOff"):
            self.trouble = "bad-response"
        return word if word != "Off" or self.chassis_is_off(body) else "On"

    def check_resource(self, body: Any) -> None:
        if body.get("@odata.id", self.system).rstrip("/") != self.system.rstrip("/"):
            raise Failed("bad-response: the answer is about another resource")

    def check_machine(self, body: Any) -> None:
        """The UUID must be the one that was told, or that the first read showed; zeros say nothing."""
        shown = str(body.get("UUID") or "").casefold()
        if not shown or shown == NO_UUID:
            self.no_uuid()
            return
        if shown != (self.bmc["uuid"].casefold() or self.pinned or shown):
            raise AnotherMachine("config: this is another machine")
        self.pinned = shown

    def no_uuid(self) -> None:
        """Who is told a UUID must have seen it before anything is done or claimed."""
        if self.bmc["uuid"] and not self.pinned:
            raise AnotherMachine("config: the machine shows no UUID, and one was told")

    def take_action(self, action: Any) -> None:
        self.target = action.get("target", "")
        self.reset_types = action.get("ResetType@Redfish.AllowableValues", [])
        if not self.reset_types and "@Redfish.ActionInfo" in action:
            parameters = self.get(action["@Redfish.ActionInfo"]).get("Parameters", [])
            self.reset_types = next((each["AllowableValues"] for each in parameters if each["Name"] == "ResetType"), [])

    def chassis_is_off(self, body: Any) -> bool:
        """Whether every chassis that was ever linked says Off, or can be read and never said anything."""
        links = [link["@odata.id"] for link in body.get("Links", {}).get("Chassis", [])]
        agree = [self.witness_is_off(uri) for uri in dict.fromkeys([*self.witnesses, *links])]
        return all(agree)

    def witness_is_off(self, uri: str) -> bool:
        new = uri not in self.witnesses
        spoke = self.witnesses.setdefault(uri, False)
        try:
            told = self.get(uri)
        except (BadAnswer, ValueError):
            return False
        if "PowerState" not in told:
            return not spoke
        self.witnesses[uri] = True
        return told["PowerState"] == "Off" and (spoke or new)  # who was silent before begins a new series

    def is_off(self) -> bool:
        """Off twice, spaced."""
        if not self.means_off(self.state()):
            return False
        time.sleep(SPACING_S)
        return self.means_off(self.state())

    def means_off(self, word: str | None) -> bool:
        return word == "Off"

    def command_off(self) -> None:
        self.command_by(self.reset_type)

    def command_on(self) -> None:
        self.command_by("On")

    def command_by(self, reset_type: str) -> None:
        if self.reset_types and reset_type not in self.reset_types:
            raise Failed(f"unsupported: the BMC has no {reset_type}")
        self.sent += 1
        try:
            answer = self.post(reset_type)
        except requests.ConnectionError:
            return self.dropped()
        return self.answered(answer.status_code)

    def post(self, reset_type: str) -> requests.Response:
        return self.ask("POST", self.action_target(), json={"ResetType": reset_type})

    def action_target(self) -> str:
        self.check_owner(urlsplit(self.target).path.partition("/Actions/")[0])
        return self.target or f"{self.system}/Actions/ComputerSystem.Reset"

    def check_owner(self, owner: str) -> None:
        """An action that is below a system must be below this one."""
        own = self.system.rstrip("/")
        if owner != own and owner.rpartition("/")[0] == own.rpartition("/")[0]:
            raise AnotherMachine("bad-response: the Reset action is that of another system")

    def dropped(self) -> None:
        """Nobody knows what became of it: the next reads tell."""

    def answered(self, status: int) -> None:
        if status == 403:
            raise Failed("privilege: the account may not reset the system (403)")
        if status >= 300:
            self.refused_at = time.monotonic()
            self.trouble = f"conflict-other (HTTP {status})"


def fence(action: str, bmc: Mapping[str, str], spelling: str = "", channels: str = "one") -> str | bool | None:
    from careful import CarefulRedfish  # which needs these classes
    from honest_ipmi import Dual, Ipmi
    from honest_pdu import CarefulPdu

    if bmc["outlets"]:
        return spelled(CarefulPdu, spelling)(bmc).run(action)
    kind = Dual if channels == "both" else Ipmi if bmc["protocol"] == "ipmi" else CarefulRedfish
    return spelled(kind, spelling)(bmc).run(action)


def spelled(kind: type[Redfish], spelling: str) -> type[Redfish]:
    """A fencer that does the same and writes its requests in another way."""
    if not spelling:
        return kind
    from spellings import SPELLINGS  # which needs these classes

    return type(kind.__name__, (SPELLINGS[spelling], kind), {})
