"""The careful fence agent with one planted defect each; `python3 mutants_agent.py NAME`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping

import requests
from honest import Failed, Redfish
from honest_agent import ACTIONS, NAMES, Agent, Usage, main


class ReadsComments(Agent):
    def from_lines(self, text: str) -> dict[str, str]:
        return super().from_lines(text.replace("#", ""))


class FirstValueCounts(Agent):
    def take(self, given: dict[str, str], name: str, value: str) -> None:
        if name not in given:
            super().take(given, name, value)


class RefusesUnknownNames(Agent):
    def take(self, given: dict[str, str], name: str, value: str) -> None:
        if name not in NAMES:
            raise Usage(f"no parameter is called {name}")
        super().take(given, name, value)


class SplitsAtEveryEquals(Agent):
    def from_lines(self, text: str) -> dict[str, str]:
        return super().from_lines("\n".join("=".join(line.split("=")[:2]) for line in text.split("\n")))


class BrokenMetadata(Agent):
    def metadata(self) -> str:
        return super().metadata().replace("</actions>", "")


class MetadataWithoutMonitor(Agent):
    def metadata(self) -> str:
        return super().metadata().replace('<action name="monitor" />', "")


class UsageIsTwo(Agent):
    """As argparse has it."""

    def run(self) -> int:
        try:
            return super().run()
        except Usage as error:
            print(f"config: {error}", file=sys.stderr)
            return 2


class TriesWithoutPassword(Agent):
    def bmc(self) -> Mapping[str, str]:
        self.given.setdefault("password", "")
        return super().bmc()


class UnknownIsReboot(Agent):
    """Whatever is no action is the default."""

    def run(self) -> int:
        if self.given.get("action") not in ACTIONS:
            self.given["action"] = "reboot"
        return super().run()


class WritesInMonitor(Agent):
    def act(self, action: str, fencer: Redfish) -> int:
        if action == "monitor":
            fencer.locate()
            fencer.ask("PATCH", fencer.system, json={"AssetTag": "seen"})
        return super().act(action, fencer)


class OnDecidesReboot(Agent):
    """A reboot that does not come on has failed."""

    def act(self, action: str, fencer: Redfish) -> int:
        if action != "reboot":
            return super().act(action, fencer)
        fencer.run("off")
        fencer.run("on")
        return 0


class QuietReboot(Agent):
    """Says nothing of a failed on part, and does not look at the off part."""

    def act(self, action: str, fencer: Redfish) -> int:
        if action == "reboot":
            fencer.locate()
            fencer.post("ForceOff")
            return 0
        return super().act(action, fencer)


class NoOptions(Agent):
    """Only knows standard input."""

    def from_options(self, arguments: list[str]) -> dict[str, str]:
        return self.from_lines(sys.stdin.buffer.read().decode())


class MonitorIsStatus(Agent):
    def act(self, action: str, fencer: Redfish) -> int:
        return super().act("status" if action == "monitor" else action, fencer)


class MonitorOfOffFails(Agent):
    def act(self, action: str, fencer: Redfish) -> int:
        if action == "monitor" and fencer.run("status") == "off":
            raise Failed("unreachable: the host is off")
        return super().act(action, fencer)


class PasswordInLatin1(Agent):
    def act(self, action: str, fencer: Redfish) -> int:
        fencer.http.auth = requests.auth.HTTPBasicAuth(self.given["username"], self.given["password"])
        return super().act(action, fencer)


class PasswordThroughShell(Agent):
    def bmc(self) -> Mapping[str, str]:
        bmc = super().bmc()
        try:
            return {**bmc, "password": " ".join(shlex.split(bmc["password"]))}
        except ValueError as error:
            raise Failed(f"config: {error}") from None


class RedactsEveryLetter(Agent):
    def run(self) -> int:
        try:
            return super().run()
        except Failed as error:
            raise Failed(str(error).replace(self.given["password"], "***")) from None


if __name__ == "__main__":
    kind = Agent if sys.argv[1] == "honest" else globals()[sys.argv[1]]
    sys.exit(main(kind))
