"""Runs the lab with Docker Compose, and gives an incident access to it through published ports and the docker command.

`python -m lab` and `tests/lab` call it, in one thread. Times are seconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from emulator import Event, EventKind, Intent, event_from_json
from lab import render
from lab.engine import compose, docker, docker_bytes, project_filters, setting
from lab.oracle import DiskWrite, parse_disk
from lab.redfish_client import Client
from lab.run import JOURNAL
from lab.settings import LabSettings
from lab.site import BMC_KINDS, BmcJournalEvent, BmcLogin, ManagerLine, SiteFailed
from profiles import load

UP_TIMEOUT_S = "90"
"""Seconds for `up --wait`."""


class ComposeLab:
    """A `LabSite` on the running compose project."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._ids = {service: container_of(service) for service in ("emulator", "fence-ha", *settings.machines)}
        profile = load(settings.profile)
        account = profile.auth.accounts[0]
        self._logins = {
            node: BmcLogin(
                url=f"https://{self._published(render.redfish_port(settings, node))}",
                username=account.name,
                password=account.password,
                system_uri=f"{profile.resources.systems}/{profile.ids.system}",
            )
            for node in settings.machines
        }
        self._offset = self._journal_offset()

    @property
    def machines(self) -> Mapping[str, Sequence[str]]:
        return self._settings.machines

    def login(self, node: str) -> BmcLogin:
        return self._logins[node]

    def hang(self, node: str) -> None:
        self._inside(f"u.urlopen(u.Request('http://{node}:{self._settings.ports.agent}/hang', data=b''), timeout=5)")

    def agent(self, node: str) -> Mapping[str, object] | None:
        try:
            said = self._inside(
                f"print(u.urlopen('http://{node}:{self._settings.ports.agent}/healthz', timeout=1).read().decode())"
            )
        except SiteFailed:
            return None
        return dict(json.loads(said))

    def bmc_events(self, node: str) -> Sequence[BmcJournalEvent]:
        bmc = render.bmc_name(self._settings, node)
        return [
            BmcJournalEvent(event.t + self._offset, event.kind, event.data)
            for event in self._journal()
            if event.bmc == bmc and event.kind in BMC_KINDS
        ]

    def manager_lines(self) -> Sequence[ManagerLine]:
        offset = time.monotonic() - time.time()  # the lines of fence-ha have the time of day
        lines = [json.loads(line) for line in docker("logs", self._ids["fence-ha"]).splitlines() if line.startswith("{")]
        return [ManagerLine(line["t"] + offset, line["host"], line) for line in lines]

    def writes(self) -> Mapping[str, Sequence[DiskWrite]]:
        any_node = self._ids[list(self.machines)[-1]]  # any node, off or on: all share one disk
        archive = docker_bytes(["cp", f"{any_node}:{render.DISK}", "-"])
        found = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            for member in files:
                content = files.extractfile(member) if member.isfile() and member.name.endswith(".jsonl") else None
                if content is not None:
                    found[member.name.rpartition("/")[2].removesuffix(".jsonl")] = content.read().decode()
        return parse_disk(found)

    def _published(self, port: int) -> str:
        return docker("port", self._ids["emulator"], f"{port}/tcp").splitlines()[0]

    def _inside(self, expression: str) -> str:
        """Runs one Python expression in the emulator's container; `u` is urllib.request."""
        program = f"import urllib.request as u\n{expression}"
        return docker("exec", self._ids["emulator"], "python", "-I", "-S", "-c", program)

    def _journal(self) -> list[Event]:
        text = docker("exec", self._ids["emulator"], "cat", str(JOURNAL))
        return [event_from_json(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def _journal_offset(self) -> float:
        """Returns the difference between CLOCK_MONOTONIC and the journal's clock, measured with one request."""
        with Client(next(iter(self._logins.values()))) as bmc:
            bmc.power()  # opens the connection
            before = time.monotonic()
            bmc.power()
            middle = (before + time.monotonic()) / 2
        bmc_name = render.bmc_name(self._settings, next(iter(self._logins)))
        asked = [
            e.t
            for e in self._journal()
            if e.kind is EventKind.REQUEST and e.bmc == bmc_name and e.data.get("intent") == Intent.POWER_READ
        ]
        # The last request is that of this function: fence-ha reads a BMC only if it suspects its host.
        return middle - asked[-1]


def container_of(service: str) -> str:
    """Returns the container id of a service. Raises SiteFailed if it has none."""
    found = compose("ps", "-aq", service).split()
    if len(found) != 1:
        raise SiteFailed(f"{service} has {len(found)} containers; `make lab` starts the lab")
    return found[0]


def build(show: bool) -> None:
    compose("build", *([] if show else ["-q"]), "emulator", show=show)


def up(*services: str, policy: str = "reference", show: bool = False) -> None:
    """Starts the lab and returns when all services are healthy. Raises SiteFailed."""
    compose("up", "-d", "--wait", "--wait-timeout", UP_TIMEOUT_S, *services, env={"LAB_POLICY": policy}, show=show)


def down() -> None:
    compose("down", "--volumes", "--remove-orphans", "--timeout", "1")


@contextmanager
def compose_lab(settings: LabSettings, policy: str) -> Iterator[ComposeLab]:
    """Yields the lab with new nodes, an empty disk and a manager with an empty state file. The emulator keeps running."""
    recreate_nodes_and_manager(settings, policy)
    yield ComposeLab(settings)


def recreate_nodes_and_manager(settings: LabSettings, policy: str) -> None:
    compose("rm", "--stop", "--force", "fence-ha", *settings.machines)
    for volume in docker("volume", "ls", "-q", *project_filters()).split():
        docker("volume", "rm", volume)
    up(policy=policy)


def is_built() -> bool:
    return bool(docker("images", "-q", setting("LAB_IMAGE", "fencelab:lab")).strip())
