"""Outsiders on every vendor: `python -m tools.vendor_clients` plays them and writes docs/vendor-clients.md.

Names of profiles as arguments: only these are played. What was played before is kept in .vendor-clients and shown with the rest;
`--fresh` plays it again. Each profile takes about half a minute of processor time. Exit code 1 if a client is stopped where
tests/peers/vendors/stops.yaml does not say so, or works where it says otherwise.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from profiles import load, names
from tests.peers.vendors.bed import ClientResult, ExpectedStop, expected_stops, played, speaks
from tests.peers.vendors.clients import CLIENTS

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "vendor-clients.md"
KEPT: Final = ROOT / ".vendor-clients"
PACKAGES: Final = ("curl", "ipmitool", "fence-agents", "powerman")
PYTHON_PACKAGES: Final = ("sushy", "ironic", "ansible", "redfishtool")
HEAD: Final = """# Outsiders on every vendor

Written by `python -m tools.vendor_clients`; do not edit. Each cell is a real client and a fresh BMC of that profile: it reads On,
switches the host off, reads Off, and switches it on; after each order the host's rail is what it should be. *y*: all of that.
A number: the vendor's own behaviour stops the client, as it would stop it at the real one; the reasons stand below. Empty: the
BMC does not have that protocol. Effects take no time here, and times of the vendor are not tried.
"""


def text(results: Mapping[str, Sequence[ClientResult]], found: Iterable[str]) -> str:
    """The page. `results` by profile; `found` are versions."""
    clients = [client.name for client in CLIENTS]
    stops: list[ExpectedStop] = []
    lines = [HEAD, f"| profile | {' | '.join(clients)} |", f"| --- |{' --- |' * len(clients)}"]
    for profile, row in results.items():
        by_client = {result.client: result for result in row}
        marks = [_mark(by_client.get(client), stops) for client in clients]
        lines.append(f"| [{profile}](profiles/{profile}.md) | {' | '.join(marks)} |")
    if stops:
        lines += ["", "## What stops them, and why that is right", ""]
        lines += [f"{number}. {stop.client}: {stop.because} Source: {stop.source}." for number, stop in enumerate(stops, start=1)]
    return "\n".join((*lines, "", f"Versions: {', '.join(found)}.")) + "\n"


def _mark(result: ClientResult | None, stops: list[ExpectedStop]) -> str:
    if result is None:
        return ""
    if result.works:
        return "y"
    if result.stop is None:
        return f"**n**: {result.said.replace('|', '/')}"
    if result.stop not in stops:
        stops.append(result.stop)
    return str(stops.index(result.stop) + 1)


def surprises(profile: str, results: Sequence[ClientResult]) -> list[str]:
    """Stops that nobody expects, and expected ones that did not come."""
    found = [f"{profile}: {each.client} is stopped: {each.said}" for each in results if not each.works and each.stop is None]
    works = {each.client for each in results if each.works}
    wrong = (stop for stop in expected_stops() if profile in stop.profiles and stop.client in works)
    return [*found, *(f"{profile}: {stop.client} works, and stops.yaml says otherwise: {stop.because}" for stop in wrong)]


def versions() -> list[str]:
    found = []
    for package in PACKAGES:
        query = ["dpkg-query", "-W", "-f", "${Version}", package]
        answer = subprocess.run(query, capture_output=True, text=True, check=False)
        found.append(f"{package} {answer.stdout if answer.returncode == 0 else '(not installed)'}")
    return [*found, *(f"{package} {importlib.metadata.version(package)}" for package in PYTHON_PACKAGES)]


def _kept(profile: str) -> list[ClientResult] | None:
    """What was played before of this version of the profile."""
    file = KEPT / f"{profile}.json"
    if not file.is_file():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    if told["digest"] != load(profile).digest:
        return None
    return [_result(profile, each["client"], each["said"]) for each in told["results"]]


def _result(profile: str, client: str, said: str) -> ClientResult:
    found = [stop for stop in expected_stops() if stop.covers(client, profile, said)] if said else []
    return ClientResult(client, not said, said, found[0] if found else None)


def _keep(profile: str, results: Sequence[ClientResult]) -> None:
    KEPT.mkdir(exist_ok=True)
    told = {"digest": load(profile).digest, "results": [{"client": each.client, "said": each.said} for each in results]}
    (KEPT / f"{profile}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    fresh = "--fresh" in arguments
    chosen = [name for name in arguments if name != "--fresh"]
    results: dict[str, Sequence[ClientResult]] = {}
    wrong: list[str] = []
    for name in names():
        kept = None if fresh and (not chosen or name in chosen) else _kept(name)
        if kept is None and chosen and name not in chosen:
            continue
        if kept is None:
            kept = list(played(name))
            _keep(name, kept)
            wants = sum(speaks(load(name), client) for client in CLIENTS)
            print(f"{name}: {sum(each.works for each in kept)} of {wants} work", flush=True)
        results[name] = kept
        wrong += surprises(name, kept)
    PAGE.write_text(text(results, versions()), encoding="utf-8")
    print("\n".join(wrong) or f"{PAGE.relative_to(ROOT)}: {len(results)} of {len(names())} profiles, no surprise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
