"""The careful fencer over IPMI with one planted defect each. `mutants` finds them here."""

from __future__ import annotations

import time

from honest import Failed
from honest_ipmi import BUSY, Dual, Ipmi, Session


class Claimed(Exception):
    """Leaves a mutant with a success that it has no right to."""


class NotInStateIsOff(Ipmi):
    def refused(self, code: int) -> None:
        if code == 0xD5:
            raise Claimed
        super().refused(code)


class NotInStateIsFailed(Ipmi):
    """Sends first, and gives up on 0xD5; a reboot is a power cycle."""

    def off(self) -> str | bool | None:
        self.locate()
        self.command_off()
        return super().off()

    def reboot(self) -> str | bool | None:
        self.locate()
        self.control(0x02)
        return None

    def refused(self, code: int) -> None:
        if code == 0xD5:
            raise Failed("0xD5")
        super().refused(code)


class AcceptedIsOff(Ipmi):
    """Takes an accepted command for done, a power cycle too."""

    def answered(self, status: int) -> None:
        if status == 0:
            raise Claimed
        super().answered(status)

    def reboot(self) -> str | bool | None:
        self.locate()
        self.control(0x02)
        return None


class LastReadCounts(Ipmi):
    """It reads twice, and takes the last word."""

    def is_off(self) -> bool:
        self.state()
        time.sleep(1.0)
        return self.means_off(self.state())


class GivesUpSilently(Ipmi):
    """Any refusal is the end, and its reason is kept."""

    def refused(self, code: int) -> None:
        raise Failed("the power command failed")


class BusyIsOff(Ipmi):
    def refused(self, code: int) -> None:
        if code == BUSY:
            raise Claimed
        super().refused(code)


class RefusedIsOff(Ipmi):
    """Prints what went wrong and exits 0, whatever the completion code."""

    def refused(self, code: int) -> None:
        raise Claimed


class RefusedIsTimeout(Ipmi):
    """Every refusal of a command ends as a time-out; a reboot is a power cycle."""

    def reboot(self) -> str | bool | None:
        self.locate()
        self.control(0x02)
        return None

    def refused(self, code: int) -> None:
        raise Failed("timeout: connection timed out")


class HammersTheBusy(Ipmi):
    """Repeats a refused command at once."""

    def control(self, what: int) -> None:
        for _ in range(6):
            code = self.command.raw_command(0x00, 0x02, (what,), tries=1)["code"]
            if not code:
                return
        self.refused(code)


class SilenceIsOff(Ipmi):
    """A BMC that does not answer has no power, so its host has none."""

    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        except Failed as failed:
            if str(failed).startswith("unreachable"):
                raise Claimed from None
            raise


class WaitsForEver(Ipmi):
    def locate(self) -> None:
        while True:
            try:
                return super().locate()
            except Failed:
                time.sleep(0.2)


class NoRepeat(Ipmi):
    """Sends every datagram once."""

    def locate(self) -> None:
        exchange = Session.exchange
        Session.exchange = lambda self, make, accept, tries: exchange(self, make, accept, 1)
        super().locate()


class RepeatsCommands(Ipmi):
    """Sends a power command again and again until it has an answer, and once more for good measure."""

    def control(self, what: int) -> None:
        for _ in range(4):
            self.command.raw_command(0x00, 0x02, (what,))


class TriesUsersAgain(Ipmi):
    """Tries a refused log-in four times."""

    def locate(self) -> None:
        for _ in range(3):
            try:
                return super().locate()
            except Failed as failed:
                if not str(failed).startswith("auth"):
                    raise
        return super().locate()


class OnlySuite3(Ipmi):
    suites = (3,)


class BlamesTheNetwork(Ipmi):
    """Every failure is called a network failure."""

    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        except Failed:
            raise Failed("unreachable: unable to establish a session") from None


class TrustsRedfish(Dual):
    """Asks IPMI only where Redfish has no answer."""

    def state(self) -> str | None:
        word = super(Dual, self).state()
        return word if word is not None else super().state()


MUTANTS = {
    kind.__name__: kind
    for kind in (
        NotInStateIsOff, NotInStateIsFailed, AcceptedIsOff, GivesUpSilently, BusyIsOff, RefusedIsOff, RefusedIsTimeout,
        HammersTheBusy, SilenceIsOff, WaitsForEver, NoRepeat, RepeatsCommands, TriesUsersAgain, OnlySuite3, BlamesTheNetwork,
        TrustsRedfish, LastReadCounts,
    )
}  # fmt: skip
