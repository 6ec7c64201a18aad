"""One BMC of a vendor for each outsider, and what became of it: switched off and on with the truth beside it, or stopped.

Effects take no time, and nobody is locked out: this is about whether a client gets on with a vendor's answers.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import yaml

from emulator import Emulator, UnitSpec
from profiles import load
from profiles.model import Profile
from tests.commands import ROOT
from tests.outsiders import Ready
from tests.peers.vendors.clients import CLIENTS, VendorClient, Word
from tools.ipmi_clients import quick

STOPS: Final = ROOT / "tests" / "peers" / "vendors" / "stops.yaml"
RAIL_PATIENCE_S: Final = 10.0
AT_ONCE: Final = 4
SHOWN: Final = 160
"""Characters of what a client said."""
SLASHED: Final = frozenset({"ids", "redirect", "as_asked"})
"""Whose clients meet ids with a slash at their end: they begin at /redfish/v1/, which has one."""


class ClientResult(NamedTuple):
    """`works`, or what stopped the client. `stop` is the expected stop that it is, if it is one."""

    client: str
    works: bool
    said: str
    stop: ExpectedStop | None


@dataclass(frozen=True, slots=True)
class ExpectedStop:
    """Where the real BMC would stop a client too. `says`: a regular expression for a part of the client's words."""

    client: str
    profiles: tuple[str, ...]
    says: str
    because: str
    source: str

    def covers(self, client: str, profile: str, said: str) -> bool:
        return client == self.client and profile in self.profiles and re.search(self.says, said) is not None


@cache
def expected_stops() -> tuple[ExpectedStop, ...]:
    told = yaml.safe_load(STOPS.read_text(encoding="utf-8")) or []
    return tuple(
        ExpectedStop(each["client"], tuple(each["profiles"]), each["says"], each["because"], each["source"]) for each in told
    )


def speaks(profile: Profile, client: VendorClient) -> bool:
    """Whether the BMC has the protocol of the client."""
    return profile.http.served if client.protocol == "redfish" else profile.ipmi.lan


def played(name: str, clients: Sequence[VendorClient] = CLIENTS) -> Iterator[ClientResult]:
    """Every client on a BMC of its own; those whose protocol the BMC does not have are left out."""
    profile = quick(load(name))
    chosen = [client for client in clients if speaks(profile, client)]
    units = [UnitSpec(name=str(number), profile=profile) for number, _ in enumerate(chosen)]
    with Emulator(units) as emulator, ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda pair: _one(emulator, str(pair[0]), name, pair[1]), enumerate(chosen))


def _one(emulator: Emulator, unit: str, profile: str, client: VendorClient) -> ClientResult:
    end = emulator.endpoints[unit]
    bmc: Ready = {
        "redfish_url": end.redfish_url,
        "system_uri": end.systems[0].uri + ("/" if load(profile).http.slash in SLASHED else ""),  # as in its bodies
        "ipmi_host": end.ipmi_host,
        "ipmi_port": end.ipmi_port,
        "username": end.username,
        "password": end.password,
    }
    said = _switched(emulator, unit, client, bmc)
    found = [stop for stop in expected_stops() if stop.covers(client.name, profile, said)] if said else []
    return ClientResult(client.name, not said, said, found[0] if found else None)


def _switched(emulator: Emulator, unit: str, client: VendorClient, bmc: Ready) -> str:
    """Off and on again; empty if the client read and did what is true, else what was wrong."""
    orders: Mapping[Word, tuple[str, str]] = {"Off": ("On", "down"), "On": ("Off", "up")}
    for word, (before, rail) in orders.items():
        try:
            read = client.act(bmc, word)
        except (AssertionError, pytest.fail.Exception, KeyError, ValueError) as error:
            return _short(f"{word}: {type(error).__name__ if not str(error) else error}", bmc)
        except subprocess.TimeoutExpired as error:
            return f"{word}: no end after {error.timeout:.0f} s"
        if read != before:
            return _short(f"read {read} while the host was {before}", bmc)
        if not _becomes(emulator, unit, rail):
            return f"{word}: it claims to be done, and the rail is not {rail}"
    return ""


def _short(said: str, bmc: Ready) -> str:
    """One line without the password, the end of it: there programs say what was wrong."""
    line = " ".join(said.replace(str(bmc["password"]), "...").split())
    return line if len(line) <= SHOWN else f"... {line[-SHOWN:]}"


def _becomes(emulator: Emulator, unit: str, rail: str) -> bool:
    until = time.monotonic() + RAIL_PATIENCE_S
    while time.monotonic() < until:
        if emulator.host(unit).rail.value == rail:
            return True
        time.sleep(0.02)
    return False


__all__ = ["STOPS", "ClientResult", "ExpectedStop", "Path", "expected_stops", "played", "speaks"]
