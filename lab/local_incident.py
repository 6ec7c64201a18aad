"""Gives an incident access to the local lab (`LocalSite`), in the caller's thread. Times are seconds of CLOCK_MONOTONIC."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from emulator import EventKind
from lab.local import LocalSite, SiteSettings
from lab.oracle import DiskWrite
from lab.settings import LabSettings
from lab.site import BMC_KINDS, BmcJournalEvent, BmcLogin, ManagerLine


class LocalLab:
    """A `LabSite` on a running `LocalSite`."""

    def __init__(self, site: LocalSite) -> None:
        self._site = site
        self._offset = time.monotonic() - site.emulator.now()

    @property
    def machines(self) -> Mapping[str, Sequence[str]]:
        return self._site.settings.machines

    def login(self, node: str) -> BmcLogin:
        endpoint = self._site.emulator.endpoints[node]
        return BmcLogin(
            url=endpoint.redfish_url,
            username=endpoint.username,
            password=endpoint.password,
            system_uri=endpoint.systems[0].uri,
        )

    def hang(self, node: str) -> None:
        self._site.hang(node)

    def agent(self, node: str) -> Mapping[str, object] | None:
        try:
            with urllib.request.urlopen(f"{self._site.agents[node]}/healthz", timeout=1) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError):
            return None

    def bmc_events(self, node: str) -> Sequence[BmcJournalEvent]:
        return [
            BmcJournalEvent(event.t + self._offset, event.kind, event.data)
            for event in self._site.emulator.events()
            if event.bmc == node and event.kind in BMC_KINDS
        ]

    def manager_lines(self) -> Sequence[ManagerLine]:
        # The journal has each line with the journal's time; `what` is the kind of the line.
        return [
            ManagerLine(event.t + self._offset, event.bmc, {**event.data, "kind": event.data["what"]})
            for event in self._site.emulator.events()
            if event.kind is EventKind.MANAGER
        ]

    def writes(self) -> Mapping[str, Sequence[DiskWrite]]:
        return self._site.writes()


@contextmanager
def local_lab(settings: LabSettings, policy: str, directory: Path) -> Iterator[LocalLab]:
    """Starts BMCs, hosts and `fence-ha` as processes of this machine. Raises SiteFailed."""
    site_settings = SiteSettings(
        profile=settings.profile,
        policy={**settings.policy, "name": policy},
        scale=settings.time_scale,
        machines=settings.machines,
        seed=settings.seed,
        heartbeat_age=settings.heartbeat_age,
        extra={"scale": 1.0},  # the times of the policy in the settings are real seconds already
    )
    with LocalSite(directory, site_settings) as site:
        site.start_manager()
        site.wait_until_all_hosts_are_owned()
        yield LocalLab(site)
