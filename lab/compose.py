"""The compose lab as an incident sees it: everything through the published ports and the docker command."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from emulator import Event, EventKind, Intent, event_from_json
from lab import render
from lab.engine import compose, docker, docker_bytes, mine, setting
from lab.oracle import DiskWrite, parse_disk
from lab.redfish_client import Client
from lab.run import JOURNAL
from lab.settings import LabSettings
from lab.site import BMC_KINDS, BmcLogin, FencerSaid, SiteFailed, TruthSeen
from profiles import load

UP_PATIENCE = "90"
"""Seconds for `up --wait`."""


class ComposeLab:
    """A `Site` over the running compose project."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._ids = {service: container_of(service) for service in ("emulator", "fence-ha", *settings.machines)}
        account = load(settings.profile).auth.accounts[0]
        system = load(settings.profile).ids.system
        self._logins = {
            node: BmcLogin(
                url=f"https://{self._published(render.redfish_port(settings, node))}",
                username=account.name,
                password=account.password,
                system_uri=f"/redfish/v1/Systems/{system}",
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

    def seen(self, node: str) -> Sequence[TruthSeen]:
        bmc = render.bmc_name(self._settings, node)
        return [
            TruthSeen(event.t + self._offset, event.kind, event.data)
            for event in self._journal()
            if event.bmc == bmc and event.kind in BMC_KINDS
        ]

    def said(self) -> Sequence[FencerSaid]:
        offset = time.monotonic() - time.time()  # fence-ha's lines carry the time of day
        lines = [json.loads(line) for line in docker("logs", self._ids["fence-ha"]).splitlines() if line.startswith("{")]
        return [FencerSaid(line["t"] + offset, line["host"], line) for line in lines]

    def writes(self) -> Mapping[str, Sequence[DiskWrite]]:
        anybody = self._ids[list(self.machines)[-1]]  # off or on: the disk is the same for all
        archive = docker_bytes(["cp", f"{anybody}:{render.DISK}", "-"])
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
        """Runs one expression of Python on the compose network; `u` is urllib.request."""
        program = f"import urllib.request as u\n{expression}"
        return docker("exec", self._ids["emulator"], "python", "-I", "-S", "-c", program)

    def _journal(self) -> list[Event]:
        text = docker("exec", self._ids["emulator"], "cat", str(JOURNAL))
        return [event_from_json(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def _journal_offset(self) -> float:
        """The journal's clock starts with the emulator: one request, seen on both clocks, ties it to ours."""
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
        # The last one is ours: fence-ha asks a BMC only when it suspects its host.
        return middle - asked[-1]


def container_of(service: str) -> str:
    """Raises SiteFailed where the service has no container."""
    found = compose("ps", "-aq", service).split()
    if len(found) != 1:
        raise SiteFailed(f"{service} has {len(found)} containers; `make lab` starts the lab")
    return found[0]


def build(show: bool) -> None:
    compose("build", *([] if show else ["-q"]), "emulator", show=show)


def up(*services: str, policy: str = "reference", show: bool = False) -> None:
    """Starts the lab and returns when all of it is healthy. Raises SiteFailed."""
    compose("up", "-d", "--wait", "--wait-timeout", UP_PATIENCE, *services, env={"LAB_POLICY": policy}, show=show)


def down() -> None:
    compose("down", "--volumes", "--remove-orphans", "--timeout", "1")


@contextmanager
def compose_lab(settings: LabSettings, policy: str) -> Iterator[ComposeLab]:
    """The lab with fresh nodes, an empty disk and a manager that remembers nothing; the emulator goes on as it is."""
    begin_again(settings, policy)
    yield ComposeLab(settings)


def begin_again(settings: LabSettings, policy: str) -> None:
    compose("rm", "--stop", "--force", "fence-ha", *settings.machines)
    for volume in docker("volume", "ls", "-q", *mine()).split():
        docker("volume", "rm", volume)
    up(policy=policy)


def is_built() -> bool:
    return bool(docker("images", "-q", setting("LAB_IMAGE", "fencelab:lab")).strip())
