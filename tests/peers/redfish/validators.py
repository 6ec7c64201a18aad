"""DMTF's four validators: how each is called, and what it said.

Rules
  1. `COMMANDS` is the only place where a command line is written; docs/redfish-validators.md prints it from here.
  2. The summary that a tool prints is believed only where it agrees with the tool's own list of results, row by row.
  3. A run that met an SSL error, a refused connection or a traceback is no result, whatever its summary says.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final, TypeAlias

import openpyxl

from profiles import load
from profiles.model import Tool
from tests.peers.redfish.served import CHECKOUT, Served, environment, served

CSDL_VARIABLE: Final = "FENCELAB_CSDL"
CSDL: Final = Path("..") / "shared" / "data" / "redfish-csdl"
"""Relative to the checkout."""

INTEROP_PROFILE: Final = "tests/peers/redfish/FencelabFencing.v1_0_0.json"
PATIENCE: Final = 900
"""Seconds for one validator; a failing run of the use-case checkers polls for more than ten minutes."""

SHORT_SESSION_S: Final = 120
"""The service and interop validators log in once. They may pause longer than the sessions of some BMCs (30 s) live."""

BROKEN: Final = re.compile(r"SSLError|Traceback \(most recent call last\)|ConnectionError|Max retries exceeded")


class Result(StrEnum):
    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    NOT_TESTED = "NOT TESTED"


DISTRIBUTIONS: Final[Mapping[Tool, str]] = {
    Tool.SERVICE: "redfish-service-validator",
    Tool.PROTOCOL: "redfish-protocol-validator",
    Tool.USE_CASE: "redfish-use-case-checkers",
    Tool.INTEROP: "redfish-interop-validator",
}

_LOGIN: Final = "-r {url} -u {user} -p {password}"
COMMANDS: Final[Mapping[Tool, str]] = {
    Tool.SERVICE: f"rf_service_validator {_LOGIN} --authtype {{login}} --schema_directory {{csdl}} --skipschema --logdir {{out}}",
    Tool.PROTOCOL: (
        f"python -m tests.peers.redfish.quiet_ssdp {_LOGIN} --no-cert-check --avoid-http-redirect"
        " --report-dir {out} --report-type tsv"
    ),
    Tool.USE_CASE: f"rf_use_case_checkers {_LOGIN} --report-dir {{out}}",
    Tool.INTEROP: f"rf_interop_validator {_LOGIN} --authtype {{login}} --logdir {{out}} {INTEROP_PROFILE}",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One assertion: what was tested (`name`), on what (`where`), and what the tool says about it."""

    result: Result
    name: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.result} {self.name} at {self.where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Outcome:
    tool: Tool
    counts: Mapping[Result, int]
    rows: tuple[Row, ...]
    code: int
    seconds: float

    def of(self, *results: Result) -> list[Row]:
        return [row for row in self.rows if row.result in results]


class NoResult(Exception):
    """The validator ran, but what it printed is not a judgement of the service."""


def csdl() -> Path:
    """DMTF's schema files. Raises NoResult with one sentence where they are missing."""
    place = Path(os.environ[CSDL_VARIABLE]) if CSDL_VARIABLE in os.environ else (CHECKOUT / CSDL).resolve()
    if not (place / "ServiceRoot_v1.xml").is_file():
        raise NoResult(f"no CSDL files in {place}: put DMTF's csdl folder there or set {CSDL_VARIABLE}")
    return place


def versions() -> dict[Tool, str]:
    return {tool: metadata.version(name) for tool, name in DISTRIBUTIONS.items()}


SEED: Final = "4769"
"""With it the first spans that are drawn are short: openbmc-x86 then cuts the rail within the 10 s that the checkers wait."""


def judge_fresh(tool: Tool, profile: str, out: Path) -> Outcome:
    """Runs `tool` against a service of its own."""
    with served(profile, "--seed", SEED) as service:
        return judge(tool, service, out)


def judge(tool: Tool, service: Served, out: Path, *more: str) -> Outcome:
    """Runs `tool` against `service`, with `more` arguments. Raises NoResult."""
    given = {"url": service.url, "user": service.user, "password": service.password, "out": str(out)}
    given["login"] = "Session" if load(service.profile).auth.sessions.timeout_s > SHORT_SESSION_S else "Basic"
    if tool is Tool.SERVICE:
        given["csdl"] = str(csdl())
    words = [word.format_map(given) for word in COMMANDS[tool].split()] + list(more)
    program = sys.executable if words[0] == "python" else str(Path(sysconfig.get_path("scripts")) / words[0])
    since = time.monotonic()
    done = subprocess.run(
        [program, *words[1:]],
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    seconds = time.monotonic() - since
    logs = "".join(file.read_text(encoding="utf-8", errors="replace") for file in sorted(out.rglob("*.log")))
    if broken := BROKEN.search(done.stdout + logs):
        raise NoResult(f"{tool} validator: {broken[0]}\n{done.stdout[-4000:]}")
    counts = _summary(tool, done.stdout)
    rows = _tsv(out) if tool is Tool.PROTOCOL else _workbook(tool, out)
    listed = Counter(row.result for row in rows)
    if any(listed[result] != count for result, count in counts.items()):
        raise NoResult(f"{tool} validator: the summary says {counts}, the list of results {dict(listed)}")
    return Outcome(tool, counts, rows, done.returncode, seconds)


_BOX: Final = re.compile(r"^\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*$", re.MULTILINE)
_LINE: Final = re.compile(r"^Summary - PASS: (\d+), WARN: (\d+), FAIL: (\d+), NOT_TESTED: (\d+)", re.MULTILINE)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def _summary(tool: Tool, printed: str) -> dict[Result, int]:
    found = (_LINE if tool is Tool.PROTOCOL else _BOX).search(_COLOUR.sub("", printed))
    if found is None:
        raise NoResult(f"{tool} validator: no summary\n{printed[-4000:]}")
    return dict(zip(Result, map(int, found.groups()), strict=True))


def _one(out: Path, pattern: str) -> Path:
    files = sorted(out.rglob(pattern))
    if len(files) != 1:
        raise NoResult(f"{len(files)} reports {pattern} in {out}")
    return files[0]


def _tsv(out: Path) -> tuple[Row, ...]:
    with _one(out, "*.tsv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Row(
                Result(row["Result"].replace("_", " ")),
                row["Assertion"],
                " ".join(part for part in (row["Method"], row["Status code"], row["URI"]) if part),
                row["Message"],
            )
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


_Columns: TypeAlias = tuple[str, ...]
_SHEETS: Final[Mapping[Tool, Mapping[str, tuple[_Columns, _Columns]]]] = {
    Tool.SERVICE: {"Results": (("Resource Type", "Property"), ("URI",))},
    Tool.USE_CASE: {"Results": (("Category", "Test Name"), ("Operation",))},
    Tool.INTEROP: {"Resources": (("Resource Type",), ()), "Results": (("Resource Type", "Property"), ("URI",))},
}
"""Of each report: the sheets that list results, and which columns name the assertion and the place."""


def _workbook(tool: Tool, out: Path) -> tuple[Row, ...]:
    book = openpyxl.load_workbook(_one(out, "*.xlsx"), read_only=True)
    rows = []
    try:
        for sheet, (name, where) in _SHEETS[tool].items():
            head, *lines = book[sheet].iter_rows(values_only=True)
            for line in lines:
                told = {str(title): "" if cell is None else str(cell) for title, cell in zip(head, line, strict=True)}
                result = Result.NOT_TESTED if told["Result"] == "SKIP" else Result(told["Result"])
                rows.append(Row(result, ": ".join(told[c] for c in name), " ".join(told[c] for c in where), told["Message"]))
    finally:
        book.close()
    return tuple(rows)
