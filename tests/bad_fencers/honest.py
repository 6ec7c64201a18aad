"""A small fencer that does it right, in parts that can be broken one at a time. `mutants` breaks them.

Not the reference: just enough to pass the catalogue, so that a mutant differs from it in exactly one place.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

BUDGET_S = 7.0
ON_BUDGET_S = 2.0
PAUSE_S = 0.2
SPACING_S = 1.0


class Failed(Exception):
    """The host could not be brought, or shown, to be as asked."""


class Redfish:
    """One BMC over Redfish; every method may be overridden by a mutant."""

    request_s: float | None = 2.0

    def __init__(self, bmc: Mapping[str, str]) -> None:
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        self.bmc = bmc
        self.http = requests.Session()
        self.http.auth = (bmc["user"].encode(), bmc["password"].encode())  # as text it would be sent in Latin-1
        self.http.verify = False
        self.http.trust_env = False
        self.until = time.monotonic() + BUDGET_S

    # -- asks ----------------------------------------------------------------------------------------------------------

    def run(self, action: str) -> str | bool | None:
        try:
            return getattr(self, action)()
        except (requests.Timeout, TimeoutError) as error:
            raise Failed("timeout: the BMC did not answer") from error
        except requests.ConnectionError as error:
            return self.unreachable(error)

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
        uri = self.bmc["system_uri"]
        if not uri:
            members = self.get("/redfish/v1/Systems")["Members"]
            uri = self.choose([member["@odata.id"] for member in members])
        self.system = uri

    def choose(self, uris: list[str]) -> str:
        if len(uris) != 1:
            raise Failed("config: several systems, and none was selected")
        return uris[0]

    def url(self, path: str) -> str:
        return self.bmc["url"] + path

    def get(self, path: str) -> Any:
        answer = self.http.get(self.url(path), timeout=self.request_s)
        if answer.status_code == 401:
            return self.unauthorized(path)
        answer.raise_for_status()
        return answer.json()

    def unauthorized(self, path: str) -> Any:
        raise Failed("auth: the BMC refuses the password (401)")

    def state(self) -> str | None:
        body = self.get(self.system)
        word: str | None = body.get("PowerState")
        return word if word != "Off" or self.chassis_is_off(body) else "On"

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
        try:
            answer = self.post(self.reset_type)
        except requests.ConnectionError:
            return self.dropped()
        return self.answered(answer.status_code)

    def command_on(self) -> None:
        self.answered(self.post("On").status_code)

    def post(self, reset_type: str) -> requests.Response:
        url = self.url(f"{self.system}/Actions/ComputerSystem.Reset")
        return self.http.post(url, json={"ResetType": reset_type}, timeout=self.request_s)

    def dropped(self) -> None:
        """Nobody knows what became of it: the next reads tell."""

    def answered(self, status: int) -> None:
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
