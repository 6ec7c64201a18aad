"""A small fencer that does it right, in parts that can be broken one at a time. `mutants` breaks them.

Not the reference: just enough to pass the catalogue, so that a mutant differs from it in exactly one place.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import requests
from logins import Failed, LogIn

__all__ = ["Failed", "Redfish", "fence", "spelled"]

BUDGET_S = 7.0
ON_BUDGET_S = 2.0
PAUSE_S = 0.2
SPACING_S = 1.0
NO_UUID = "00000000-0000-0000-0000-000000000000"


class Redfish(LogIn):
    """One BMC over Redfish; every method may be overridden by a mutant."""

    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__(bmc)
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
            time.sleep(PAUSE_S)
        raise Failed(f"{self.trouble}: the host was still on when time was up")

    def on(self) -> str | bool | None:
        self.locate()
        self.bring_on()
        return None

    def reboot(self) -> str | bool | None:
        """The off part decides."""
        self.off()
        self.until = time.monotonic() + ON_BUDGET_S
        try:
            self.bring_on()
        except Failed as failed:
            print(f"warning: the host is off and did not come on again: {failed}", file=sys.stderr)
        return None

    def bring_on(self) -> None:
        if self.state() == "On":
            return
        self.command_on()
        while time.monotonic() < self.until:
            if self.state() == "On":
                return
            time.sleep(PAUSE_S)
        raise Failed(f"{self.trouble}: the host was not on when time was up")

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
        return word if word != "Off" or self.chassis_is_off(body) else "On"

    def check_resource(self, body: Any) -> None:
        if body.get("@odata.id", self.system).rstrip("/") != self.system.rstrip("/"):
            raise Failed("bad-response: the answer is about another resource")

    def check_machine(self, body: Any) -> None:
        """The UUID must be the one that was told, or that the first read showed; zeros say nothing."""
        shown = str(body.get("UUID") or "").casefold()
        if not shown or shown == NO_UUID:
            return
        if shown != (self.bmc["uuid"].casefold() or self.pinned or shown):
            raise Failed("config: this is another machine")
        self.pinned = shown

    def take_action(self, action: Any) -> None:
        self.target = action.get("target", "")
        self.reset_types = action.get("ResetType@Redfish.AllowableValues", [])
        if not self.reset_types and "@Redfish.ActionInfo" in action:
            parameters = self.get(action["@Redfish.ActionInfo"]).get("Parameters", [])
            self.reset_types = next((each["AllowableValues"] for each in parameters if each["Name"] == "ResetType"), [])

    def chassis_is_off(self, body: Any) -> bool:
        links = body.get("Links", {}).get("Chassis", [])
        return all(self.get(link["@odata.id"]).get("PowerState", "Off") == "Off" for link in links)

    def is_off(self) -> bool:
        """Off twice, spaced."""
        if not self.means_off(self.state()):
            return False
        time.sleep(SPACING_S)
        return self.means_off(self.state())

    def means_off(self, word: str | None) -> bool:
        return word == "Off"

    def command_off(self) -> None:
        if self.reset_types and self.reset_type not in self.reset_types:
            raise Failed(f"unsupported: the BMC has no {self.reset_type}")
        try:
            answer = self.post(self.reset_type)
        except requests.ConnectionError:
            return self.dropped()
        return self.answered(answer.status_code)

    def command_on(self) -> None:
        self.answered(self.post("On").status_code)

    def post(self, reset_type: str) -> requests.Response:
        return self.ask("POST", self.action_target(), json={"ResetType": reset_type})

    def action_target(self) -> str:
        return self.target or f"{self.system}/Actions/ComputerSystem.Reset"

    def dropped(self) -> None:
        """Nobody knows what became of it: the next reads tell."""

    def answered(self, status: int) -> None:
        if status == 403:
            raise Failed("privilege: the account may not reset the system (403)")
        if status in (400, 409):
            self.trouble = f"conflict-other (HTTP {status})"


def fence(action: str, bmc: Mapping[str, str], spelling: str = "", channels: str = "one") -> str | bool | None:
    from honest_ipmi import Dual, Ipmi  # which need the classes above

    kind = Dual if channels == "both" else Ipmi if bmc["protocol"] == "ipmi" else Redfish
    return spelled(kind, spelling)(bmc).run(action)


def spelled(kind: type[Redfish], spelling: str) -> type[Redfish]:
    """A fencer that does the same and writes its requests in another way."""
    if not spelling:
        return kind
    from spellings import SPELLINGS  # which needs these classes

    return type(kind.__name__, (SPELLINGS[spelling], kind), {})
