"""A Pacemaker cluster of one node, on the loopback of a network namespace of its own. Runs inside that namespace, as root.

The mount namespace is private too: the cluster's files live on file systems in memory, and nothing outside changes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

NODE = "here"
LOG = Path("/var/log/pacemaker/pacemaker.log")
IN_MEMORY = (
    "/run", "/dev/shm", "/var/lib/pacemaker", "/var/lib/corosync", "/var/log/pacemaker", "/etc/corosync", "/var/log/corosync",
)  # fmt: skip
COROSYNC = """totem {
 version: 2
 cluster_name: fencelab
 transport: udpu
 crypto_cipher: none
 crypto_hash: none
}
system {
 sched_rr: no
 move_to_root_cgroup: no
}
nodelist {
 node {
  ring0_addr: 127.0.0.1
  name: here
  nodeid: 1
 }
}
quorum {
 provider: corosync_votequorum
 expected_votes: 1
}
logging {
 to_logfile: yes
 logfile: /var/log/pacemaker/corosync.log
 to_syslog: no
}
"""
PATIENCE_S = 180


@dataclass(frozen=True)
class Device:
    """A fence device. `operations` are seconds: the monitor's interval and time-out."""

    name: str
    agent: str
    node: str
    parameters: Mapping[str, str]
    monitor_every: float = 8
    monitor_timeout: float = 40


@dataclass(frozen=True)
class LogLine:
    at: float  # Unix time
    text: str


def run(*command: str, timeout: float = PATIENCE_S, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, input=stdin)


def make_private(agents: Mapping[str, str]) -> None:
    """Puts file systems in memory over the cluster's folders, and `agents` (name: script) beside the installed ones."""
    for folder in IN_MEMORY:
        Path(folder).mkdir(parents=True, exist_ok=True)
        checked("mount", "-t", "tmpfs", "tmpfs", folder)
    checked("mount", "--make-rprivate", "/")
    installed = Path("/run/installed-sbin")
    installed.mkdir()
    checked("mount", "--bind", "/usr/sbin", str(installed))
    checked("mount", "-t", "tmpfs", "tmpfs", "/usr/sbin")
    for program in installed.iterdir():
        if program.name not in agents:
            (Path("/usr/sbin") / program.name).symlink_to(program)
    for name, script in agents.items():
        path = Path("/usr/sbin") / name
        path.write_text(script)
        path.chmod(0o755)
    checked("ip", "link", "set", "lo", "up")


def checked(*command: str) -> str:
    done = run(*command)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done.stdout


def start() -> list[subprocess.Popen[bytes]]:
    """Starts corosync and Pacemaker, and waits until the node is online."""
    Path("/run/crm").mkdir()
    for folder in ("cib", "pengine", "blackbox", "cores"):
        (Path("/var/lib/pacemaker") / folder).mkdir(mode=0o750)
    checked("chown", "-R", "hacluster:haclient", "/run/crm", "/var/lib/pacemaker", "/var/log/pacemaker")
    Path("/etc/corosync/corosync.conf").write_text(COROSYNC)
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    corosync = subprocess.Popen(["corosync", "-f"], **quiet)  # type: ignore[call-overload]
    wait_for("corosync", lambda: run("corosync-cmapctl", "totem.cluster_name").returncode == 0)
    environment = {**os.environ, "PCMK_logfile": str(LOG), "PCMK_logfacility": "none"}
    pacemaker = subprocess.Popen(["pacemakerd"], env=environment, **quiet)  # type: ignore[call-overload]
    wait_for("Pacemaker", lambda: f"Online: [ {NODE} ]" in run("crm_mon", "-1").stdout)
    return [corosync, pacemaker]


def wait_for(what: str, done: object, patience: float = PATIENCE_S) -> None:
    assert callable(done)
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            print(LOG.read_text()[-4000:] if LOG.exists() else "", file=sys.stderr)
            raise SystemExit(f"{what} was not ready within {patience:g} s")
        time.sleep(0.3)


def configure(devices: Sequence[Device], levels: Mapping[str, Sequence[str]]) -> None:
    """Loads nodes, devices and fencing levels. `levels` has the devices of a node, one per level."""
    nodes = sorted({device.node for device in devices})
    load("nodes", "".join(f'<node id="{100 + n}" uname="{node}" type="member"/>' for n, node in enumerate(nodes)))
    load("crm_config", '<cluster_property_set id="options">' + "".join(
        f'<nvpair id="options-{name}" name="{name}" value="{value}"/>'
        for name, value in {"stonith-enabled": "true", "startup-fencing": "false", "no-quorum-policy": "ignore",
                            "stonith-timeout": "90s", "concurrent-fencing": "true",
                            # a busy test machine is no reason to start devices one by one
                            "load-threshold": "10000%", "node-action-limit": "50"}.items()
    ) + "</cluster_property_set>")  # fmt: skip
    topology = "".join(
        f'<fencing-level id="{node}-level-{index}" target="{node}" index="{index}" devices="{device}"/>'
        for node, names in levels.items()
        for index, device in enumerate(names, start=1)
    )
    if topology:
        load("fencing-topology", topology)
    load("resources", "".join(map(primitive, devices)))


def load(section: str, content: str) -> None:
    checked("cibadmin", "--modify", "--allow-create", "-o", section, "--xml-text", f"<{section}>{content}</{section}>")


def primitive(device: Device) -> str:
    name = device.name
    given = {**device.parameters, "pcmk_host_list": device.node}
    pairs = "".join(f'<nvpair id="{name}-{key}" name="{key}" value="{value}"/>' for key, value in given.items())
    operations = "".join(
        f'<op id="{name}-{operation}" name="{operation}" interval="{interval:g}s" timeout="{device.monitor_timeout:g}s"/>'
        for operation, interval in (("start", 0), ("monitor", device.monitor_every))
    )
    return (
        f'<primitive id="{name}" class="stonith" type="{device.agent}">'
        f'<instance_attributes id="{name}-parameters">{pairs}</instance_attributes>'
        f"<operations>{operations}</operations></primitive>"
    )


def resources() -> dict[str, bool]:
    """Whether each device is Started and has not failed."""
    root = ET.fromstring(checked("crm_mon", "-1", "--output-as=xml", "--inactive"))
    return {
        resource.get("id") or "": resource.get("role") == "Started" and resource.get("failed") == "false"
        for resource in root.iter("resource")
    }


def log_lines() -> list[LogLine]:
    """The cluster's log. Lines without a time belong to the line before, and are left out."""
    found = []
    for line in LOG.read_text(errors="replace").splitlines():
        match = re.match(r"([A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3}) (.*)", line)
        if match:
            stamp = datetime.strptime(f"{datetime.now().year} {match[1]}", "%Y %b %d %H:%M:%S.%f")
            found.append(LogLine(stamp.timestamp(), match[2]))
    return found
