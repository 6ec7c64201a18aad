"""Three `fence-ha run` processes over one store, hosts that die, and a machine that is kind to nobody.

A round: hosts die, and meanwhile managers are killed, stopped and told to end, the disk is full, the store is locked or gone.
Then the trouble ends, and within the bound every dead host is Down and every VM runs, once. Or: a switch hides all hosts, which
run on, while managers have the same troubles; then nobody may be touched. Where a storm holds the power-off of a dead host, an
operator overrides it, and that is counted.

All the time these promises are watched: no VM is started while it runs elsewhere, no command goes to a healthy host or while
fewer hosts are healthy than `min_healthy` (`tests/ha_cluster_truth.py`), and no host that is called Down writes (here).
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path

from fencer.ha.policy import Policy
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.store import StoreError
from tests.ha_chaos_troubles import ALL, Managers, Trouble
from tests.ha_cluster_truth import Cluster, Host

HOSTS = ("a", "b", "c", "d", "e", "f")
VMS = tuple(f"v{number}" for number in range(9))
SCALE = 0.05
POLICY = {
    "start_quiet": 0.0, "activity_samples": 1, "recovery_attempts": 0, "request_timeout": 20.0, "health_timeout": 20.0,
    "lease": 60.0, "lease_renew": 20.0, "vm_retry_first": 10.0, "vm_retry_cap": 20.0, "settle": 20.0,
    "max_fenced": 1.0, "max_fenced_window": 20.0,
}  # fmt: skip
"""Seconds before scaling. Longer than usual where a process may stand still because this machine is busy. There is no end of
hosts that die here, so `max_fenced` counts one round only."""

BOUND_S = 60.0
"""From the end of the trouble: a lease (3 s), the proof (26 s x scale), repeated starts; the rest is for a busy machine."""

OVERRIDE_AFTER_S = 5.0

FENCE_HA = (sys.executable, "-m", "fencer.ha.cli")


@dataclass
class Figures:
    """What a run was. Times in seconds, from the end of a round's trouble."""

    rounds: int = 0
    hidings: int = 0
    deaths: int = 0
    down_after_s: list[float] = field(default_factory=list)
    running_after_s: list[float] = field(default_factory=list)

    def text(self, chaos: Chaos) -> str:
        commands = sum(host.commands for host in chaos.cluster.hosts.values())
        return (
            f"{self.rounds} rounds with {self.deaths} deaths, {self.hidings} with a switch that hides all hosts; "
            f"{chaos.managers.counts}; {commands} power commands, {chaos.cluster.starts} starts of VMs; "
            f"Down after {max(self.down_after_s, default=0):.1f} s at most, all VMs running after "
            f"{max(self.running_after_s, default=0):.1f} s at most"
        )


class Chaos:
    """`program` runs a manager; another one than `fence-ha` has a rule taken out. `bound_s`: see `BOUND_S`."""

    def __init__(self, folder: Path, seed: int, program: Sequence[str] = FENCE_HA, bound_s: float = BOUND_S) -> None:
        self.dice, self.bound_s = random.Random(seed), bound_s
        self.cluster = Cluster(HOSTS, VMS, seed)
        config = folder / "ha.yaml"
        config.write_text(json.dumps(self._configuration()))  # JSON is YAML
        self.store = SqliteStore(folder / "fence-ha.db")
        self.figures = Figures()
        self.managers = Managers([*program, "run", str(config), "--json"], self.store.path, self.dice)
        for _ in range(3):
            self.managers.start()

    def _configuration(self) -> dict[str, object]:
        known = {field.name for field in fields(Policy)}
        url = self.cluster.url
        placed = {vm: host.name for host in self.cluster.hosts.values() for vm in host.vms}
        return {
            "scale": SCALE,
            "policy": {name: value for name, value in POLICY.items() if name in known},
            "hosts": [
                {"name": name, "bmc": {"url": url(name), "username": "u", "password": "p"}, "agent": url(name),
                 "health": [{"kind": "http", "url": f"{url(name)}/alive"}]}
                for name in HOSTS
            ],
            "vms": [{"name": vm, "host": placed[vm]} for vm in VMS],
            "executor": {"kind": "http"},
        }  # fmt: skip

    def close(self) -> None:
        self.managers.close()
        self.store.close()
        self.cluster.close()

    # -- rounds

    def play(self, dies: int, troubles: int, hung: float = 0.5, of: Sequence[Trouble] = ALL) -> None:
        """`dies`: how many hosts. `hung`: the share of them that keep their power. Raises AssertionError with the trail."""
        self.all_are_well()
        dead = self.dice.sample(list(self.cluster.hosts.values()), dies)
        self._trouble(troubles, of, lambda number: [self._die(host, hung) for host in dead[number :: max(troubles, 1)]])
        began = time.monotonic()
        self.wait_until(f"{[host.name for host in dead]} are Down", lambda: all(self._is_down(host) for host in dead))
        self.figures.down_after_s.append(time.monotonic() - began)
        self.wait_until("every VM runs once", self.cluster.all_vms_run)
        self.figures.running_after_s.append(time.monotonic() - began)
        self.figures.rounds, self.figures.deaths = self.figures.rounds + 1, self.figures.deaths + dies
        self.managers.end_stopped()
        self._repair(dead)

    def lose_contact(self, seconds: float, troubles: int = 0, of: Sequence[Trouble] = ALL) -> None:
        """A switch hides all hosts for a while. They run, and nobody may touch them."""
        self.all_are_well()
        before = self._commands()
        self.managers.note("a switch hides all hosts")
        for host in self.cluster.hosts.values():
            host.reachable = False
        self._trouble(troubles, of)
        self._watch_for(seconds)
        for host in self.dice.sample(list(self.cluster.hosts.values()), len(HOSTS)):
            host.reachable = True
            self._watch_for(0.2)  # they come back one by one
        self.all_are_well()
        sent = self._commands() - before
        self._promise(sent == 0, f"{sent} power commands to hosts that a switch had hidden")
        self.figures.hidings += 1
        self.managers.end_stopped()

    def _trouble(self, count: int, of: Sequence[Trouble], meanwhile: Callable[[int], object] = lambda _: None) -> None:
        """Begins so many troubles, with `meanwhile` after each (at least once), and ends them all."""
        running = [self.dice.choice(of)(self.managers) for _ in range(count)]
        for number in range(max(count, 1)):
            with suppress(StopIteration, IndexError):
                next(running[number])
            meanwhile(number)
            self._watch_for(self.dice.uniform(0.1, 1.5))
        for trouble in running:
            with suppress(StopIteration):
                next(trouble)
        for code in self.managers.fill_up():
            self._promise(False, f"a manager ended with {code}")

    def _die(self, host: Host, hung: float) -> None:
        how = self.cluster.hang if self.dice.random() < hung else self.cluster.power_off
        self.managers.note(f"{how.__name__} {host.name}")
        how(host)

    def _is_down(self, host: Host) -> bool:
        if self.state(host.name) is not HAState.FENCED:
            self._override(host)
            return False
        self._promise(host.power == "Off", f"{host.name} is Down and has power")
        return True

    def _override(self, host: Host) -> None:
        """A busy machine can make all hosts look lost for a moment, and a storm with a host that stays silent and On does not end
        by itself: an operator, who knows that this host is dead, ends it."""
        with suppress(StoreError, KeyError):
            record = self.store.load(host.name)
            held = record.held_since is not None and self.store.now() - record.held_since > OVERRIDE_AFTER_S
            if held and record.storm and record.override is None and not self.store.open_requests(host.name):
                self.managers.count("override", host.name)
                self.store.add_request(host.name, "override", {"who": "chaos", "why": "it is dead"}, self.store.now())

    def _repair(self, dead: list[Host]) -> None:
        for host in dead:
            self.managers.note(f"repair {host.name}")
            self.cluster.repair(host)
        for host in dead:
            self.wait_until(f"{host.name} is let in again", lambda name=host.name: self._let_in(name))  # type: ignore[misc]

    def _let_in(self, name: str) -> bool:
        if self.state(name) is HAState.AVAILABLE:
            return True
        with suppress(StoreError):
            if not self.store.open_requests(name):
                self.store.add_request(name, "enable", {}, self.store.now())
        return False

    def all_are_well(self) -> None:
        """Before a host was seen healthy, its silence says nothing; and a storm that is not over holds what happens next."""
        self.wait_until("all hosts are Available and healthy", lambda: all(map(self._is_well, HOSTS)))

    def _is_well(self, name: str) -> bool:
        with suppress(StoreError, KeyError):
            record = self.store.load(name)
            return record.state is HAState.AVAILABLE and bool(record.healthy) and not record.storm
        return False

    # -- promises

    def state(self, name: str) -> HAState | None:
        try:
            return self.store.load(name).state
        except (StoreError, KeyError):
            return None

    def _commands(self) -> int:
        return sum(host.commands for host in self.cluster.hosts.values())

    def _writes_while_down(self, host: Host) -> bool:
        """True if VMs write on a host that is called Down before and after the look at it, by the same fence."""
        with suppress(StoreError, KeyError):
            before = self.store.load(host.name)
            if before.state is HAState.FENCED and self.cluster.writes(host):
                after = self.store.load(host.name)
                return after.state is HAState.FENCED and after.released == before.released
        return False

    def watch(self) -> None:
        """Raises AssertionError if a promise is broken now."""
        self._promise(not self.cluster.wrong, "; ".join(self.cluster.wrong))
        for host in self.cluster.hosts.values():
            self._promise(not self._writes_while_down(host), f"{host.name} is Down, and its VMs write")

    def _watch_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.watch()
            time.sleep(0.02)

    def wait_until(self, what: str, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + self.bound_s
        while not holds():
            self.watch()
            if time.monotonic() > end:
                self._promise(False, f"after {self.bound_s:g} s not: {what}\n{self._seen()}")
            time.sleep(0.02)

    def _seen(self) -> str:
        try:
            records = [self.store.load(name) for name in HOSTS]
            hosts = [f"{record.host} {record.state} {record.owner} {record.last_error}" for record in records]
            said = [f"{event.host}: {event.detail.get('text')}" for name in HOSTS for event in self.store.alerts(name, 2)]
            return "\n".join([*hosts, str(self.store.placements()), *said])
        except (StoreError, KeyError) as error:
            return str(error)

    def _promise(self, kept: bool, text: str) -> None:
        assert kept, f"{text}\n" + " > ".join(self.managers.trail[-40:])


def broken(rule: str) -> list[str]:
    """The command line of a `fence-ha` in which a rule of `tests.ha_chaos_broken` is taken out."""
    return [sys.executable, "-m", "tests.ha_chaos_broken", rule]
