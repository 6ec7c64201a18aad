"""Builds the configuration files of the emulator and of fence-ha in the compose lab from the lab's settings.

`lab.run` calls it inside the containers. Node n has BMC n, which is called bmc<n> on the compose network and listens on the
first port + n - 1.
"""

from __future__ import annotations

import json
from typing import Any

from lab.settings import LabSettings
from profiles import load

STATE = "/state/fence-ha.db"
DISK = "/disk"


def bmc_name(settings: LabSettings, node: str) -> str:
    return f"bmc{list(settings.machines).index(node) + 1}"


def redfish_port(settings: LabSettings, node: str) -> int:
    return settings.ports.redfish + list(settings.machines).index(node)


def ipmi_port(settings: LabSettings, node: str) -> int:
    return settings.ports.ipmi + list(settings.machines).index(node)


def as_yaml(tree: dict[str, Any]) -> str:
    """Formats a tree as JSON, which is valid YAML and needs no rules for quotes."""
    return json.dumps(tree, indent=2)


def rack(settings: LabSettings) -> dict[str, Any]:
    """The rack for `bmc-emulator run --rack`. The host of each BMC is the container with the node's name."""
    return {
        "schema": "rack/1",
        "seed": settings.seed,
        "listen": "0.0.0.0",
        "time_scale": settings.time_scale,
        "bmcs": [
            {
                "name": bmc_name(settings, node),
                "profile": settings.profile,
                "redfish_port": redfish_port(settings, node),
                "ipmi_port": ipmi_port(settings, node),
                "hosts": [{"name": node, "backend": "docker"}],
            }
            for node in settings.machines
        ],
    }


def manager(settings: LabSettings, policy: str) -> dict[str, Any]:
    """The configuration for `fence-ha run`. The password is the profile's public default."""
    profile = load(settings.profile)
    account = profile.auth.accounts[0]
    hosts = []
    for node in settings.machines:
        agent = f"http://{node}:{settings.ports.agent}"
        hosts.append(
            {
                "name": node,
                "agent": agent,
                "bmc": {
                    "protocol": "redfish",
                    "url": f"https://{bmc_name(settings, node)}:{redfish_port(settings, node)}",
                    "username": account.name,
                    "password": account.password,
                    "system": f"{profile.resources.systems}/{profile.ids.system}",
                    "verify_tls": False,
                },
                "health": [{"kind": "http", "url": f"{agent}/healthz", "status": 200}],
                "activity": [{"kind": "file", "path": f"{DISK}/{node}.heartbeat", "max_age": settings.heartbeat_age}],
            }
        )
    return {
        "cluster": "lab",
        "state_file": STATE,
        "policy": {**settings.policy, "name": policy},
        "hosts": hosts,
        "vms": [{"name": vm, "host": node} for node, machines in settings.machines.items() for vm in machines],
        "executor": {"kind": "http"},
    }
