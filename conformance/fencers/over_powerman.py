"""The fencer `powerman-httppower`: LLNL's powermand over its helper httppower, with one node.

The suite's python adapter runs `httppower`. It writes a configuration (mode 0600) into HOME, starts `powermand --stdio` on it and
orders what powerman(1) would order. The device specification has the steps of powerman's own redfish-supermicro.dev: send the
reset, wait, read once, expect the state. The wait is 10 s here and 30 s there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

ORDER: Final = {"off": "off", "on": "on", "reboot": "cycle", "status": "status"}
NODE: Final = "t0"
PROMPT: Final = "powerman> "
LOGIN: Final = """
  script login {{ expect "httppower> " send "auth {user}:{password}\\n" expect "httppower> " }}
  script logout {{ send "quit\\n" }}
  script status {{
    send "get {path}\\n" expect "\\"PowerState\\": *\\"(On|Off)\\"" setplugstate $1 on="On" off="Off" expect "httppower> "
  }}
"""
SWITCH: Final = """
  script {order} {{
    send "post {path}/Actions/ComputerSystem.Reset {{\\"ResetType\\":\\"{reset}\\"}}\\n" expect "httppower> "
    delay 10
    send "get {path}\\n" expect "\\"PowerState\\": *\\"{state}\\""
  }}
"""
SWITCHES: Final = (("on", "On", "On"), ("off", "ForceOff", "Off"), ("cycle", "ForceRestart", "On"))
DEVICE: Final = """
specification "redfish" {{
  timeout 25
{scripts}}}
device "bmc" "redfish" "{helper} --url {url} --header Content-Type:application/json |&"
node "{node}" "bmc" "{node}"
"""


def httppower(action: str, bmc: Mapping[str, str]) -> str | bool:
    """One order; returns its claim. Without a system URI it goes to the first path of powerman's specification."""
    path = (bmc["system_uri"] or "/redfish/v1/Systems/1").strip("/")
    scripts = LOGIN.format(user=bmc["user"], password=bmc["password"], path=path) + "".join(
        SWITCH.format(order=order, reset=reset, state=state, path=path) for order, reset, state in SWITCHES
    )
    configuration = Path(os.environ["HOME"]) / "powerman.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(DEVICE.format(scripts=scripts, url=bmc["url"], node=NODE, helper=shutil.which("httppower")))
    try:
        line = ("powermand", "--conf", str(configuration), "--stdio", "--foreground", "--one-client")
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:
            assert daemon.stdin is not None
            assert daemon.stdout is not None
            daemon.stdin.write(f"{ORDER[action]} {NODE}\r\n")
            daemon.stdin.flush()
            answer = _answer(daemon.stdout)
            daemon.terminate()
    finally:
        configuration.unlink()
    print("\n".join(answer))
    if action == "status":
        states = [line.split()[1].rstrip(":") for line in answer if line.split()[2:] == [NODE]]
        return states[0] if states else False
    return answer[-1].startswith("102")


def _answer(talk: IO[str]) -> list[str]:
    """The lines of one answer. The last begins with 1 (done) or 2 (failed); the greeting is 001."""
    lines: list[str] = []
    for line in talk:
        lines.append(line.removeprefix(PROMPT).strip())
        if lines[-1][:1] in ("1", "2"):
            return lines
    return [*lines, "powermand has ended without an answer"]
