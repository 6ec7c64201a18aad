"""The careful fencer with one planted defect each, as drivers in use have them: a short cut that the happy day forgives."""

from __future__ import annotations

import base64
import sys
import time
from typing import Any

import requests
from careful import CarefulRedfish
from honest import Failed
from honest_ipmi import Ipmi
from mutants_ipmi import Claimed

# -- what it takes for the state -------------------------------------------------------------------------------------------


class KeepsReads(CarefulRedfish):
    """Answers a read out of its own cache for five seconds, a confirmation too."""

    def get(self, path: str) -> Any:
        kept: dict[str, tuple[float, Any]] = self.__dict__.setdefault("kept", {})
        at, body = kept.get(path, (-9.0, None))
        if time.monotonic() - at > 5.0:
            at, body = kept[path] = time.monotonic(), super().get(path)
        return body


class MissingIsOff(CarefulRedfish):
    """What has no PowerState, has no power."""

    def get(self, path: str) -> Any:
        return {"PowerState": "Off"} | super().get(path)


class TaskIsOff(CarefulRedfish):
    """The task of the reset is complete, so the host is off."""

    def follow_task(self) -> None:
        if self.task and self.ask("GET", self.task).status_code != 202:
            raise Claimed


class GoneIsOff(CarefulRedfish):
    """A system that is not there is not on."""

    def unusable(self, answer: requests.Response, path: str) -> Any:
        if answer.status_code == 404:
            raise Claimed
        return super().unusable(answer, path)


class ReadsStatus(CarefulRedfish):
    """What is not Enabled is off."""

    def state(self) -> str | None:
        super().state()
        enabled = self.get(self.system).get("Status", {}).get("State") in ("Enabled", "Starting")
        return "On" if enabled else "Off"


class FirstChassis(CarefulRedfish):
    """The first chassis of the BMC is that of the host."""

    def chassis_is_off(self, body: Any) -> bool:
        return self.witness_is_off(self.get("/redfish/v1/Chassis")["Members"][0]["@odata.id"])


# -- what it sends ---------------------------------------------------------------------------------------------------------


class GoesWhereItIsTold(CarefulRedfish):
    """Follows every absolute URI that it finds in an answer, with its credentials."""

    def url(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else super().url(path)


class Insists(CarefulRedfish):
    """Sends a reset again when its answer does not come."""

    def post(self, reset_type: str) -> requests.Response:
        for _ in range(3):
            try:
                return super().post(reset_type)
            except requests.Timeout:
                continue
        return super().post(reset_type)


class CyclesForOff(CarefulRedfish):
    reset_type = "PowerCycle"


class PushesForOff(CarefulRedfish):
    """The button first, force later."""

    def command_off(self) -> None:
        self.post("PushPowerButton")

    def off(self) -> str | bool | None:
        self.locate()
        if not self.is_off():
            self.command_off()
        return super().off()


class SetsBoot(CarefulRedfish):
    """Off, and let it start from the network next time."""

    def command(self, reset_type: str) -> None:
        self.ask("PATCH", self.system, json={"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}})
        super().command(reset_type)


class LogsInAgain(CarefulRedfish):
    """A session for every request that is refused, as often as it is refused."""

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        answer = self.http.request(method, self.url(path), timeout=self.request_s, **more)
        while answer.status_code == 401:
            time.sleep(0.1)
            self.log_in()
            answer = self.http.request(method, self.url(path), timeout=self.request_s, **more)
        return answer


class PrintsHeader(CarefulRedfish):
    """Shows what it sends, as curl -v does."""

    def locate(self) -> None:
        pair = f"{self.bmc['user']}:{self.password}".encode()
        print(f"> Authorization: Basic {base64.b64encode(pair).decode()}", file=sys.stderr)
        super().locate()


class DropsVerification(CarefulRedfish):
    """Tries again without a check where the certificate is not acceptable."""

    def unverified(self, error: Exception) -> str | bool | None:
        self.http.verify = False
        return self.off() if self.until else None


# -- on and reboot ---------------------------------------------------------------------------------------------------------


class AcceptedIsOn(CarefulRedfish):
    def on(self) -> str | bool | None:
        self.locate()
        if self.state() != "On":
            self.command("On")
        return None


class StartingIsOn(CarefulRedfish):
    def on(self) -> str | bool | None:
        self.locate()
        return self.bring("On", lambda: self.state() in ("On", "PoweringOn"), "On")


class OffBeforeOn(CarefulRedfish):
    """A clean start: off first, whatever runs."""

    def on(self) -> str | bool | None:
        self.off()
        self.sent, self.next_send = 0, 0.0
        return super().on()


class RestartsAndReadsOn(CarefulRedfish):
    """A restart, and On is read: so it has been rebooted."""

    def reboot(self) -> str | bool | None:
        self.locate()
        self.state()
        self.post("ForceRestart")
        time.sleep(1.0)
        return self.bring("On", lambda: self.state() == "On", "On")


class RebootsWhatItTurnedOff(CarefulRedfish):
    """Sends off, waits two seconds, sends on, and reads On."""

    def reboot(self) -> str | bool | None:
        self.locate()
        self.state()
        self.post("ForceOff")
        time.sleep(2.0)
        return self.bring("On", lambda: self.state() == "On", "On")


# -- IPMI ------------------------------------------------------------------------------------------------------------------


class IgnoresCompletion(Ipmi):
    """Reads the state out of whatever has come."""

    def state(self) -> str | None:
        data = self.command.raw_command(0x00, 0x01)["data"]
        return "On" if data and data[0] & 1 else "Off"


class WholeByte(Ipmi):
    """The byte of the power state is 1 or it is not."""

    def state(self) -> str | None:
        answer = self.command.raw_command(0x00, 0x01)
        if answer["code"]:
            self.refused(answer["code"])
            return None
        return "On" if answer["data"][0] == 1 else "Off"


class StaysOffForGood(Ipmi):
    """Sets the power restore policy to always-off while it is there."""

    def command_off(self) -> None:
        self.command.raw_command(0x00, 0x06, (0x00,))
        super().command_off()


class SoftOff(Ipmi):
    """Asks the operating system, and nobody else."""

    def command_off(self) -> None:
        self.control(0x05)


class CyclesOverIpmi(Ipmi):
    def command_off(self) -> None:
        self.control(0x02)


class AcceptedIsOnOverIpmi(Ipmi):
    def on(self) -> str | bool | None:
        self.locate()
        if self.state() != "On":
            self.command_on()
        return None


class TrustsSilence(Ipmi):
    """A state that cannot be read after the command was sent is off."""

    def state(self) -> str | None:
        try:
            return super().state()
        except Failed:
            if self.sent:
                return "Off"
            raise


MUTANTS = {
    kind.__name__: kind
    for kind in (
        KeepsReads, MissingIsOff, TaskIsOff, GoneIsOff, ReadsStatus, FirstChassis, GoesWhereItIsTold,
        Insists, CyclesForOff, PushesForOff, SetsBoot, LogsInAgain, PrintsHeader,
        DropsVerification, AcceptedIsOn, StartingIsOn, OffBeforeOn, RestartsAndReadsOn, RebootsWhatItTurnedOff,
        IgnoresCompletion, WholeByte, StaysOffForGood, SoftOff, CyclesOverIpmi,
        AcceptedIsOnOverIpmi, TrustsSilence,
    )
}  # fmt: skip
