"""A fresh `bmc-emulator run` for one peer's run, as an operator would start it.

Rules
  1. Every run has a service of its own: DMTF's tools change what they test (accounts, sessions, power).
  2. The password cannot be guessed and is no word: an error message with the password in it is a leak to the protocol validator.
  3. `environment()` is what every peer gets: without REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, which silently defeat the tools'
     "do not check certificates", and without proxies, which would see loopback traffic.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[3]
PASSWORD_VARIABLE: Final = "FENCELAB_PASSWORD"
_UNWANTED: Final = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
PATIENCE: Final = 20
"""Seconds for the service to end after it was asked to."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the service is, who may log in, and where its journal is written."""

    profile: str
    url: str
    user: str
    password: str
    system: str
    ipmi_port: int
    journal: Path
    pid: int = 0

    def events(self) -> list[dict[str, object]]:
        """The journal up to now, without a line that is still being written."""
        whole, _newline, _rest = self.journal.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


def environment(**more: str) -> dict[str, str]:
    """Of this process, for a peer."""
    return {name: value for name, value in os.environ.items() if name.upper() not in _UNWANTED} | more


def unguessable() -> str:
    """Fits IPMI's 20 octets, has every kind of character that password rules ask for, and stands in no message."""
    return f"Zq7-{secrets.token_hex(7)}"


@contextmanager
def served(profile: str, *options: str, journalled: bool = True) -> Iterator[Served]:
    """Runs until the block ends. Raises RuntimeError with the command's own words if it does not come up."""
    password = unguessable()
    with tempfile.TemporaryDirectory(prefix="fencelab-peer-") as place:
        journal = Path(place) / "journal.jsonl"
        command = [sys.executable, "-m", "emulator", "run", "--profile", profile, "--json", *options]
        if journalled:
            command += ["--journal", str(journal)]
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment(**{PASSWORD_VARIABLE: password}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{' '.join(command)}: {process.communicate(timeout=PATIENCE)[1].strip()}")
            yield _told(json.loads(line), password, journal, process.pid)
        finally:
            process.terminate()
            _out, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err, err


def _told(ready: dict[str, str | int], password: str, journal: Path, pid: int) -> Served:
    return Served(
        profile=str(ready["profile"]),
        url=str(ready["redfish_url"]),
        user=str(ready["username"]),
        password=password,
        system=str(ready["system_uri"]),
        ipmi_port=int(ready.get("ipmi_port", 0)),
        journal=journal,
        pid=pid,
    )
