"""The careful fencer as a fence agent: FenceAgentAPI on standard input and as options. `mutants_agent` breaks it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from careful import CarefulRedfish
from honest import Failed, Redfish
from honest_ipmi import Ipmi

NAMES = ("action", "url", "ipmi_host", "ipmi_port", "username", "password", "password_script", "systems_uri", "kg")
ACTIONS = ("off", "on", "reboot", "status", "monitor", "list", "list-status", "validate-all", "metadata")
PARAMETER = """<parameter name="{0}" unique="0" required="0"><getopt mixed="--{1}=[{0}]" /><content type="string" />
<shortdesc lang="en">{0}</shortdesc></parameter>"""
METADATA = f"""<?xml version="1.0" ?>
<resource-agent name="honest_agent" shortdesc="A careful fence agent">
<longdesc>Reads before it claims.</longdesc>
<vendor-url>https://www.example.org</vendor-url>
<parameters>
{chr(10).join(PARAMETER.format(name, name.replace("_", "-")) for name in NAMES)}
</parameters>
<actions>
{chr(10).join(f'<action name="{name}" />' for name in ACTIONS)}
</actions>
</resource-agent>
"""


class Usage(Exception):
    """The input cannot be used."""


class Agent:
    """One run. Every method may be overridden by a mutant."""

    def __init__(self) -> None:
        arguments = sys.argv[2:]
        self.given = self.from_options(arguments) if arguments else self.from_lines(sys.stdin.buffer.read().decode())

    # -- input ---------------------------------------------------------------------------------------------------------

    def from_lines(self, text: str) -> dict[str, str]:
        given: dict[str, str] = {}
        for line in text.split("\n"):
            if line.strip() and not line.startswith("#"):
                name, _, value = line.partition("=")
                self.take(given, name, value)
        return given

    def take(self, given: dict[str, str], name: str, value: str) -> None:
        if name in NAMES:
            given[name] = value

    def from_options(self, arguments: list[str]) -> dict[str, str]:
        given: dict[str, str] = {}
        for argument in arguments:
            name, _, value = argument.removeprefix("--").partition("=")
            self.take(given, name.replace("-", "_"), value)
        return given

    def bmc(self) -> Mapping[str, str]:
        given = self.given
        if not given.get("url") and not given.get("ipmi_host"):
            raise Usage("no address")
        if script := given.get("password_script"):
            given["password"] = subprocess.run([script], capture_output=True, check=True).stdout.decode().removesuffix("\n")
        if "password" not in given:
            raise Usage("no password")
        return {
            "url": given.get("url", ""),
            "ipmi_host": given.get("ipmi_host", ""),
            "ipmi_port": given.get("ipmi_port", ""),
            "user": given["username"],
            "password": given["password"],
            "password_file": "",
            "password_script": "",
            "insecure": "1",
            "verbose": "",
            "ca_file": "",
            "uuid": "",
            "ipmi_target": "",
            "system_uri": given.get("systems_uri", ""),
            "kg": given.get("kg", ""),
        }

    # -- actions -------------------------------------------------------------------------------------------------------

    def run(self) -> int:
        action = self.given.get("action", "reboot")
        if action not in ACTIONS:
            raise Usage(f"no action is called {action}")
        if action == "metadata":
            print(self.metadata())
            return 0
        bmc = self.bmc()
        if action == "validate-all":
            return 0
        return self.act(action, (Ipmi if bmc["ipmi_host"] else CarefulRedfish)(bmc))

    def metadata(self) -> str:
        return METADATA

    def act(self, action: str, fencer: Redfish) -> int:
        if action in ("monitor", "list", "list-status"):
            fencer.run("status")
            return 0
        answer = fencer.run(action)
        return self.exit_of_status(str(answer)) if action == "status" else 0

    def exit_of_status(self, word: str) -> int:
        return 2 if word == "off" else 0


def main(agent: type[Agent]) -> int:
    try:
        return agent().run()
    except Usage as error:
        print(f"config: {error}", file=sys.stderr)
    except Failed as error:
        print(error, file=sys.stderr)
    return 1
