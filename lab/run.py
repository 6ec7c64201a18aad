"""The entry point of each container of the lab: writes the program's configuration, then replaces itself by the program.

    python -m lab.run emulator | node | fence-ha
    python -m lab.run healthy emulator | node | fence-ha      exit 0 if it works

Environment: LAB_POLICY (for fence-ha), NODE_NAME. Times are seconds.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

CONFIG = Path("/tmp")
SOCKET = Path("/var/run/docker.sock")
JOURNAL = CONFIG / "journal.jsonl"
TIMEOUT_S = 2.0


def emulator() -> None:
    from lab.render import as_yaml, rack
    from lab.settings import load_settings

    if not os.access(SOCKET, os.R_OK | os.W_OK):
        group = SOCKET.stat().st_gid
        sys.exit(
            f"the engine's socket belongs to group {group}: write DOCKER_GID={group} into .env (`make lab` finds it by itself)"
        )
    path = CONFIG / "rack.yaml"
    path.write_text(as_yaml(rack(load_settings())))
    os.execvp("bmc-emulator", ["bmc-emulator", "run", "--rack", str(path), "--journal", str(JOURNAL), "--json"])


def node() -> None:
    from lab.render import DISK
    from lab.settings import load_settings

    settings = load_settings()
    name = os.environ["NODE_NAME"]
    place = {
        "NODE_DISK": DISK,
        "NODE_BIND": "0.0.0.0",
        "NODE_PORT": str(settings.ports.agent),
        "NODE_VMS": ",".join(settings.machines[name]),
    }
    agent = Path(__file__).with_name("node") / "agent.py"
    os.execve(sys.executable, [sys.executable, "-I", "-S", str(agent)], {**os.environ, **place})


def fence_ha() -> None:
    from lab.render import as_yaml, manager
    from lab.settings import load_settings

    path = CONFIG / "ha.yaml"
    path.write_text(as_yaml(manager(load_settings(), os.environ.get("LAB_POLICY") or "reference")))
    os.execvp("fence-ha", ["fence-ha", "run", str(path), "--json"])


def bmcs_answer() -> bool:
    """True if every BMC answers over Redfish and IPMI."""
    rack = json.loads((CONFIG / "rack.yaml").read_text())
    return all(_redfish(bmc["redfish_port"]) and _ipmi(bmc["ipmi_port"]) for bmc in rack["bmcs"])


def _redfish(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate is self-signed
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_S, context=context)
    try:
        connection.request("GET", "/redfish/v1/")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _ipmi(port: int) -> bool:
    from emulator import GET_CHANNEL_AUTH_CAPABILITIES

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT_S)
        client.sendto(GET_CHANNEL_AUTH_CAPABILITIES, ("127.0.0.1", port))
        return bool(client.recv(1024))


def agent_answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("NODE_PORT", "8000")), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def manager_owns_all_hosts() -> bool:
    """True if fence-ha has the lease of every host."""
    status = subprocess.run(
        ["fence-ha", "status", str(CONFIG / "ha.yaml"), "--json"], capture_output=True, text=True, check=False
    )
    hosts = [json.loads(line) for line in status.stdout.splitlines()]
    return status.returncode == 0 and bool(hosts) and all(host["owner"] for host in hosts)


PROGRAMS = {"emulator": emulator, "node": node, "fence-ha": fence_ha}
CHECKS = {"emulator": bmcs_answer, "node": agent_answers, "fence-ha": manager_owns_all_hosts}


def main(argv: list[str]) -> int:
    if len(argv) == 2 and argv[0] == "healthy" and argv[1] in CHECKS:
        try:
            return 0 if CHECKS[argv[1]]() else 1
        except (OSError, http.client.HTTPException) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    if len(argv) == 1 and argv[0] in PROGRAMS:
        PROGRAMS[argv[0]]()
    sys.stderr.write(f"usage: python -m lab.run [healthy] {' | '.join(PROGRAMS)}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
