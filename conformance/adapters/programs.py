"""Where programs are found, and the stand-ins that record how they are called."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from conformance.run_directory import read_regular

ARGV_LOG: Final = "FENCELAB_ARGV"
LARGEST_LOG: Final = 16_000_000  # bytes
RECORDED_TOOLS: Final = (
    "ipmitool", "ipmipower", "ipmi-power", "ipmi-chassis", "redfishtool", "rf_power_reset", "racadm", "ilorest", "curl", "wget",
    "openssl", "ssh",
)  # fmt: skip
STAND_IN: Final = """#!/bin/sh
{{ printf '%s\\0' {name} "$@"; printf '\\036'; }} >> "${log}"
exec {path} "$@"
"""


def search_path() -> str:
    """Where programs are looked for: beside our Python, as the user says, and where fence agents live."""
    places = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/sbin"]
    return os.pathsep.join(dict.fromkeys(place for place in places if place))


def find(program: str, beside: Path) -> str | None:
    """The path of a program that can be run: one with a slash is meant from `beside`, a name is looked for there last."""
    own = beside / program
    if "/" not in program and (path := shutil.which(program, path=search_path())) is not None:
        return path
    return str(own) if os.access(own, os.X_OK) and own.is_file() else None


def lack(program: str, beside: Path) -> str | None:
    """What is missing to run a program, as a sentence; None where nothing is."""
    if find(program, beside) is not None:
        return None
    own = beside / program
    return f"{own} is not executable (chmod +x)" if own.is_file() else f"{program} is not installed"


class StandIns:
    """Recording stand-ins for the programs that fencers start, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "bin"
        self.directory.mkdir()
        self._log = directory / "argv"
        self.executed = directory / "executed"
        for name in RECORDED_TOOLS:
            if (path := shutil.which(name, path=search_path())) is not None:
                script = self.directory / name
                script.write_text(STAND_IN.format(name=name, log=ARGV_LOG, path=path))
                script.chmod(0o700)

    def of(self, tool: str) -> str | None:
        """The path of a tool's stand-in; None where the machine has no such tool."""
        script = self.directory / tool
        return str(script) if script.exists() else None

    def environment(self) -> dict[str, str]:
        return {ARGV_LOG: str(self._log), "PATH": f"{self.directory}{os.pathsep}{search_path()}"}

    def recorded(self) -> tuple[tuple[str, ...], ...]:
        """Every command line that the stand-ins or the kernel have noted, in the words of who called."""
        noted = [read_regular(log, LARGEST_LOG) or b"" for log in (self._log, self.executed)]
        records = [record for log in noted for record in log.decode(errors="replace").split("\x1e") if record]
        return tuple(dict.fromkeys(self.as_called(tuple(record.split("\0")[:-1])) for record in records))

    def as_called(self, line: tuple[str, ...]) -> tuple[str, ...]:
        """A command line as its caller meant it: the shell that runs a stand-in is the tool that it stands for."""
        at = next((n for n, word in enumerate(line[:2]) if word.startswith(f"{self.directory}/")), None)
        return line if at is None else (Path(line[at]).name, *line[at + 1 :])
