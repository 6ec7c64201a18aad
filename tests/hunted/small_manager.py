"""A small HA manager on virtual time, careful unless `flaw` names a defect. Standard library only.

It asks every agent for /health each two seconds. A host that has missed three in a row is fenced: the power of its BMC is read,
ForceOff is sent where it is On, and it counts as off when System and Chassis have said Off three times over two seconds. Then
its VMs are started elsewhere; a start whose answer was lost is repeated on the same host until it is known what became of it.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any

POLL_S, MISSES, PROBE_S, READS, APART_S = 2.0, 3, 1.0, 3, 1.0
FLAWS = frozenset(
    {
        "",
        "trusts-2xx",  # an accepted ForceOff is off
        "one-missed-probe",  # one probe without an answer is a dead host
        "starts-first",  # VMs are started as soon as ForceOff was sent
        "silence-is-off",  # a BMC that does not answer belongs to a host without power
        "404-is-off",  # a BMC that does not know the System has none that is on
        "409-is-off",  # a refused ForceOff means that there is nothing to switch off
        "one-read",  # one Off is enough
        "lost-start-elsewhere",  # a start whose answer was lost is tried on another host
        "503-is-dead",  # an agent that answers with an error is a dead host, at once
        "empty-is-gone",  # VMs that no report names are started elsewhere, without a fence
        "gives-up",  # one failure of the BMC ends the fence for good
        "one-start",  # a start that fails is never repeated
        "alive-for-ever",  # one answer in the middle of a fence ends it for good
        "late-is-dead",  # an answer that comes late counts as three missed ones
    }
)


class Manager:
    def __init__(self, transport: Any, clock: Any, site: Any, flaw: str) -> None:
        assert flaw in FLAWS, flaw
        self.transport, self.clock, self.site, self.flaw = transport, clock, site, flaw
        self.hosts: Mapping[str, Any] = site.hosts
        self.misses = dict.fromkeys(self.hosts, 0)
        self.given_up: set[str] = set()
        self.down: set[str] = set()
        self.offs: dict[str, list[float]] = {name: [] for name in self.hosts}
        self.sent_at: dict[str, float] = {}
        self.places: dict[str, str] = {}  # VM: where it runs, or where a start is to be repeated
        self.unsure: dict[str, str] = {}
        self.lost: set[str] = set()
        self.refused: set[tuple[str, str]] = set()
        for name, host in self.hosts.items():
            self.places |= dict.fromkeys(host["vms"], name)

    def run(self) -> None:
        while not self.site.over:
            began = self.clock.now()
            for name in self.hosts:
                if name not in self.down:
                    self.probe(name)
            if not any(self.misses.values()):
                self.site.taken_up()
            for name in self.hosts:
                if self.misses[name] >= MISSES and name not in self.down | self.given_up:
                    self.fence(name)
            self.restart()
            self.clock.sleep(max(0.1, (0.5 if self.sent_at else POLL_S) - (self.clock.now() - began)))

    # -- agents

    def probe(self, name: str) -> None:
        try:
            answer = self.transport.http("GET", self.hosts[name]["agent"] + "/health", timeout=PROBE_S)
        except TimeoutError:
            self.misses[name] += MISSES if self.flaw == "late-is-dead" else 1
        except OSError:
            self.misses[name] += MISSES if self.flaw == "one-missed-probe" else 1
        else:
            if answer.status != 200:
                self.misses[name] += MISSES if self.flaw == "503-is-dead" else 1
                return
            if self.misses[name] >= MISSES and self.flaw == "alive-for-ever":
                self.given_up.add(name)
            self.misses[name] = 0
            self.offs[name] = []
            self.sent_at.pop(name, None)
            if self.flaw == "empty-is-gone":
                self.lost |= set(self.hosts[name]["vms"]) - set(json.loads(answer.body)["vms"])

    def restart(self) -> None:
        for vm, host in self.places.items():
            if (host in self.down or vm in self.lost) and not (self.flaw == "one-start" and vm in self.unsure):
                target = self.unsure.get(vm) or self.choose(host, *(at for of, at in self.refused if of == vm))
                if self.start(vm, target):
                    self.places[vm] = target
                    self.lost.discard(vm)

    def choose(self, away: str, *but: str) -> str:
        healthy = [name for name in self.hosts if name not in (away, *but) and name not in self.down and not self.misses[name]]
        return healthy[0] if healthy else next(name for name in self.hosts if name != away)

    def start(self, vm: str, target: str) -> bool:
        body = json.dumps({"vm": vm, "key": vm}).encode()
        try:
            answer = self.transport.http("POST", self.hosts[target]["agent"] + "/vms/start", {}, body, timeout=5.0)
        except ConnectionRefusedError:
            return False
        except OSError:
            self.unsure[vm] = self.choose(self.places[vm], target) if self.flaw == "lost-start-elsewhere" else target
            return False
        if answer.status == 200:
            return True
        if self.flaw == "one-start":
            self.unsure[vm] = target
        elif 400 <= answer.status < 500:
            self.unsure.pop(vm, None)
            self.refused.add((vm, target))
        return False

    # -- BMCs

    def ask(self, name: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON; 0 where there is no answer."""
        bmc = self.hosts[name]["bmc"]
        with open(bmc["password_file"]) as file:
            word = base64.b64encode(f"{bmc['user']}:{file.read().strip()}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self.transport.http(method, f"https://{bmc['host']}:{bmc['port']}{path}", headers, content, timeout=3.0)
            return answer.status, json.loads(answer.body) if answer.body and answer.status < 300 else {}
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}

    def word(self, name: str) -> tuple[int, str]:
        """Status, and On, Off or empty where nobody knows."""
        status, system = self.ask(name, "GET", self.hosts[name]["bmc"]["system_uri"])
        if status != 200:
            return status, ""
        words = [system.get("PowerState")]
        for link in system.get("Links", {}).get("Chassis", []):
            code, chassis = self.ask(name, "GET", link["@odata.id"])
            if code != 200:
                return code, ""
            if "PowerState" in chassis:
                words.append(chassis["PowerState"])
        return status, "Off" if set(words) == {"Off"} else "On" if "On" in words else ""

    def fence(self, name: str) -> None:
        now = self.clock.now()
        status, word = self.word(name)
        if (status == 0 and self.flaw == "silence-is-off") or (status == 404 and self.flaw == "404-is-off"):
            self.is_down(name)
            return
        if status != 200 and self.flaw == "gives-up":
            self.given_up.add(name)
            return
        if word == "Off":
            self.offs[name].append(now)
            enough = len(self.offs[name]) >= READS and now - self.offs[name][0] >= 2 * APART_S
            if enough or self.flaw == "one-read":
                self.is_down(name)
            return
        self.offs[name] = []
        if word != "On" or now - self.sent_at.get(name, -99.0) < 8.0:
            return
        self.sent_at[name] = now
        path = self.hosts[name]["bmc"]["system_uri"] + "/Actions/ComputerSystem.Reset"
        status, _ = self.ask(name, "POST", path, {"ResetType": "ForceOff"})
        if (200 <= status < 300 and self.flaw == "trusts-2xx") or (status == 409 and self.flaw == "409-is-off"):
            self.is_down(name)
        elif self.flaw == "starts-first":
            self.lost |= {vm for vm, host in self.places.items() if host == name}

    def is_down(self, name: str) -> None:
        self.down.add(name)
        self.sent_at.pop(name, None)
        self.site.called_down(name)


def watch(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, site: Any, flaw: str = "") -> None:
    Manager(transport, clock, site, flaw).run()
