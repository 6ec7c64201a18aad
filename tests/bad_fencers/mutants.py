"""The honest fencer with one planted defect each. A scenario that none of them fails would be dead weight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import requests
from honest import Failed, Redfish, spelled
from mutants_identity import MUTANTS as OF_IDENTITY
from mutants_ipmi import MUTANTS as OF_IPMI
from mutants_ipmi import Claimed
from mutants_logins import MUTANTS as OF_LOGINS


class ClaimOn2xx(Redfish):
    def answered(self, status: int) -> None:
        if status < 300:
            raise Claimed
        super().answered(status)


class GracefulAndClaim(ClaimOn2xx):
    reset_type = "GracefulShutdown"


class ConflictIsOff(Redfish):
    def answered(self, status: int) -> None:
        if status == 409:
            raise Claimed


class BadRequestIsOff(Redfish):
    """Sends first, and takes 400 for already off."""

    def off(self) -> str | bool | None:
        self.locate()
        self.command_off()
        return super().off()

    def answered(self, status: int) -> None:
        if status == 400:
            raise Claimed


class RefusedIsFailed(Redfish):
    """Sends first, and gives up on any refusal: the incident."""

    def off(self) -> str | bool | None:
        self.locate()
        self.command_off()
        return super().off()

    def answered(self, status: int) -> None:
        if status >= 300:
            raise Failed(f"HTTP {status}")


class UnknownIsOff(Redfish):
    def means_off(self, word: str | None) -> bool:
        return word != "On"


class PoweringOffIsOff(Redfish):
    def means_off(self, word: str | None) -> bool:
        return word in ("Off", "PoweringOff")


class LastMember(Redfish):
    def locate(self) -> None:
        self.system = self.get("/redfish/v1/Systems")["Members"][-1]["@odata.id"]

    def check_machine(self, body: Any) -> None:
        """It knows no UUID."""


class FirstMember(Redfish):
    def choose(self, uris: list[str]) -> str:
        return uris[0]


class NoTimeout(Redfish):
    request_s = None


class GiveUpOnDrop(Redfish):
    def dropped(self) -> None:
        raise Failed("unreachable: connection lost")


class DropIsDone(Redfish):
    def dropped(self) -> None:
        raise Claimed


class UnreachableIsOff(Redfish):
    def unreachable(self, error: Exception) -> str | bool | None:
        return "off" if not hasattr(self, "asked_off") else None

    def off(self) -> str | bool | None:
        self.asked_off = True
        return super().off()


class RetriesRefusedPassword(Redfish):
    def unauthorized(self, path: str) -> Any:
        for _ in range(3):
            self.http.get(self.url(path), timeout=self.request_s)
        raise Failed("auth: 401 again and again")


class BlamesConfiguration(Redfish):
    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        except Failed:
            raise RuntimeError("OOBM service is not configured or enabled") from None


class PasswordInArgv(Redfish):
    def command_off(self) -> None:
        subprocess.run(["sh", "-c", "sleep 0.4; true", "sh", "-P", self.bmc["password"]], check=True)
        super().command_off()


class PasswordInOutput(Redfish):
    def command_off(self) -> None:
        print(f"DEBUG auth=({self.bmc['user']}, {self.bmc['password']})", file=sys.stderr)
        super().command_off()


class LeavesChild(Redfish):
    def command_off(self) -> None:
        subprocess.Popen(["sleep", "60"], start_new_session=True)
        super().command_off()


class RunsOnAsDaemon(Redfish):
    """Forks twice, leaves the session, empties its environment, and answers meanwhile."""

    def command_off(self) -> None:
        subprocess.run(["sh", "-c", "env -i setsid sleep 60 </dev/null >/dev/null 2>&1 &"], check=True)
        super().command_off()


class EndsItsWatcher(Redfish):
    def command_off(self) -> None:
        super().command_off()
        os.kill(os.getppid(), signal.SIGTERM)


class HomeIsEverything(Redfish):
    """Puts a link to the root of the file system where its HOME was."""

    def command_off(self) -> None:
        super().command_off()
        home = os.environ["HOME"]
        os.rename(home, f"{home}.old")
        os.symlink("/", home)


class TurnsOnFirst(Redfish):
    def command_off(self) -> None:
        self.post("On")
        super().command_off()


class WritesToAsk(Redfish):
    def status(self) -> str:
        self.locate()
        self.http.patch(self.url(self.system), json={"AssetTag": "seen"}, timeout=self.request_s)
        return super().status()


class Hammers(Redfish):
    def command_off(self) -> None:
        for _ in range(5):
            super().command_off()


class IgnoresChassis(Redfish):
    def chassis_is_off(self, body: Any) -> bool:
        return True


class OneReadIsEnough(Redfish):
    """One read, of the System alone."""

    def chassis_is_off(self, body: Any) -> bool:
        return True

    def is_off(self) -> bool:
        return self.means_off(self.state())


class SilentIsOff(Redfish):
    """A BMC that does not answer has no power, so its host has none."""

    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        except Failed as failed:
            if str(failed).startswith(("timeout", "unreachable")):
                return "off" if action == "status" else None
            raise


class NeverLogsOut(Redfish):
    """Logs in to a session, whatever the BMC offers, and never out of it."""

    def locate(self) -> None:
        self.log_in()
        super().locate()

    def log_out(self) -> None:
        pass


class AlwaysSucceeds(Redfish):
    def run(self, action: str) -> str | bool | None:
        return "off" if action == "status" else None


class AlwaysFails(Redfish):
    def run(self, action: str) -> str | bool | None:
        raise Failed("no")


class Spins(Redfish):
    """Ignores its own deadline."""

    def off(self) -> str | bool | None:
        while True:
            time.sleep(1)
            os.getpid()


MUTANTS: dict[str, type[Redfish]] = {
    kind.__name__: kind
    for kind in (
        ClaimOn2xx, GracefulAndClaim, ConflictIsOff, BadRequestIsOff, RefusedIsFailed, UnknownIsOff, PoweringOffIsOff,
        LastMember, FirstMember, NoTimeout, GiveUpOnDrop, DropIsDone, UnreachableIsOff, RetriesRefusedPassword,
        BlamesConfiguration, PasswordInArgv, PasswordInOutput, LeavesChild, RunsOnAsDaemon, EndsItsWatcher,
        HomeIsEverything, TurnsOnFirst, WritesToAsk, Hammers, IgnoresChassis, OneReadIsEnough, SilentIsOff, NeverLogsOut,
        AlwaysSucceeds, AlwaysFails, Spins,
    )
} | OF_LOGINS | OF_IDENTITY | OF_IPMI  # fmt: skip


def every() -> dict[str, type[Redfish]]:
    """All mutants, those of the other modules included."""
    import mutants_state  # which needs these classes

    return MUTANTS | mutants_state.MUTANTS


def fence(action: str, bmc: Mapping[str, str], mutant: str, spelling: str = "") -> str | bool | None:
    try:
        return spelled(every().get(mutant) or _mutant_of_faults(mutant), spelling)(bmc).run(action)
    except Claimed:
        return None
    except requests.HTTPError as error:
        raise Failed(str(error)) from error


def _mutant_of_faults(name: str) -> type[Redfish]:
    from honest_pdu import MUTANTS as OF_PDUS
    from mutants_of_drivers import MUTANTS as OF_DRIVERS  # which need `Claimed`
    from mutants_of_faults import MUTANTS as OF_FAULTS
    from styles import STYLES

    return (OF_FAULTS | OF_DRIVERS | OF_PDUS | STYLES)[name]
