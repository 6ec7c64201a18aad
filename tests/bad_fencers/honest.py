"""A small fencer that does it right, in parts that can be broken one at a time. `mutants` breaks them.

Not the reference: just enough to pass the catalogue, so that a mutant differs from it in exactly one place.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import requests
import urllib3
from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.command import Command

BUDGET_S = 7.0
PAUSE_S = 0.2
SPACING_S = 1.0
RESEND_S = 1.0
SENDS = 3
LOST = (requests.ConnectionError, requests.Timeout, requests.HTTPError, ValueError)


CAUSES = {403: "privilege", 404: "not-found", 503: "busy"}


class Failed(Exception):
    """The host could not be brought, or shown, to be as asked."""


class Redfish:
    """One BMC over Redfish; every method may be overridden by a mutant."""

    request_s: float | None = 2.0

    def __init__(self, bmc: Mapping[str, str]) -> None:
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        self.bmc = bmc
        self.http = requests.Session()
        self.http.auth = (bmc["user"], bmc["password"])
        self.http.verify = False
        self.http.trust_env = False
        self.http.headers["Cache-Control"] = "no-cache"
        self.first_read = True
        self.witnesses: dict[str, bool] = {}  # whether each chassis has said a word for its power
        self.refused_at: float | None = None
        self.sent = 0
        self.until = time.monotonic() + BUDGET_S

    # -- asks ----------------------------------------------------------------------------------------------------------

    def run(self, action: str) -> str | bool | None:
        try:
            return getattr(self, action)()
        except (requests.Timeout, TimeoutError) as error:
            raise Failed("timeout: the BMC did not answer") from error
        except requests.ConnectionError as error:
            return self.unreachable(error)
        except requests.HTTPError as error:
            raise Failed(f"{CAUSES.get(error.response.status_code, 'bad-response')}: {error}") from error
        except ValueError as error:
            raise Failed("bad-response: the answer is no JSON") from error

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
        if word not in ("On", "PoweringOn", "Off", "PoweringOff"):
            self.trouble = "bad-response"
        if self.first_read or word == "Off":
            off = self.chassis_is_off(body)
            self.first_read = False
            return word if word != "Off" or off else "On"
        return word

    def chassis_is_off(self, body: Any) -> bool:
        """Whether every chassis that was ever linked says Off, or can be read and never said anything."""
        links = [link["@odata.id"] for link in body.get("Links", {}).get("Chassis", [])]
        agree = [self.witness_is_off(uri) for uri in dict.fromkeys([*self.witnesses, *links])]
        return all(agree)

    def witness_is_off(self, uri: str) -> bool:
        spoke = self.witnesses.setdefault(uri, False)
        try:
            told = self.get(uri)
        except LOST:
            return False
        if "PowerState" not in told:
            return not spoke
        self.witnesses[uri] = True
        return told["PowerState"] == "Off"

    def is_off(self) -> bool:
        """Off twice, spaced. A read that is lost later on is no word of Off."""
        if not self.means_off(self.later_state()):
            return False
        time.sleep(SPACING_S)
        return self.means_off(self.later_state())

    def later_state(self) -> str | None:
        if self.first_read:
            return self.state()
        try:
            return self.state()
        except LOST:
            return None

    def means_off(self, word: str | None) -> bool:
        return word == "Off"

    def command_off(self) -> None:
        self.command_by(self.reset_type)

    def command_on(self) -> None:
        self.command_by("On")

    def command_by(self, reset_type: str) -> None:
        self.sent += 1
        try:
            answer = self.post(reset_type)
        except requests.ConnectionError:
            return self.dropped()
        return self.answered(answer.status_code)

    def post(self, reset_type: str) -> requests.Response:
        url = self.url(f"{self.system}/Actions/ComputerSystem.Reset")
        return self.http.post(url, json={"ResetType": reset_type}, timeout=self.request_s)

    def dropped(self) -> None:
        """Nobody knows what became of it: the next reads tell."""

    def answered(self, status: int) -> None:
        if status == 403:
            raise Failed("privilege: the BMC forbids it (403)")
        if status >= 300:
            self.refused_at = time.monotonic()
            self.trouble = f"conflict-other (HTTP {status})"


class Ipmi(Redfish):
    """The same over IPMI."""

    def locate(self) -> None:
        bmc = self.bmc
        try:
            self.command = Command(
                bmc=bmc["ipmi_host"], userid=bmc["user"], password=bmc["password"], port=int(bmc["ipmi_port"]), keepalive=False
            )
        except IpmiException as error:
            raise Failed(f"auth: {error}") from error

    def state(self) -> str | None:
        return {"on": "On", "off": "Off"}.get(str(self.command.get_power()["powerstate"]))

    def command_off(self) -> None:
        self.chassis_control(0x00)

    def command_on(self) -> None:
        self.chassis_control(0x01)

    def chassis_control(self, control: int) -> None:
        self.sent += 1
        self.answered(int(self.command.raw_command(netfn=0x00, command=0x02, data=(control,)).get("code", 0)))

    def answered(self, status: int) -> None:
        if status:
            self.refused_at = time.monotonic()
            self.trouble = f"conflict-other (0x{status:02X})"


def fence(action: str, bmc: Mapping[str, str], spelling: str = "") -> str | bool | None:
    kind = Ipmi if bmc["protocol"] == "ipmi" else Redfish
    return spelled(kind, spelling)(bmc).run(action)


def spelled(kind: type[Redfish], spelling: str) -> type[Redfish]:
    """A fencer that does the same and writes its requests in another way."""
    if not spelling:
        return kind
    from spellings import SPELLINGS  # which needs these classes

    return type(kind.__name__, (SPELLINGS[spelling], kind), {})
