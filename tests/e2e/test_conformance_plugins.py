"""Scenarios, adapters, reports and faults of another distribution, used from the command as anybody would.

Each test lays a distribution called acme-fencing into a folder of its own: modules, and a `.dist-info` with entry points.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT, quick_command

pytestmark = pytest.mark.timeout(120)

FAULTS = '''
from dataclasses import dataclass
from typing import ClassVar
from emulator import Seam, fault

@fault("acme.deaf")
@dataclass(frozen=True)
class Deaf:
    """Every power command is accepted and nothing happens."""
    seam: ClassVar[Seam] = Seam.POWER
    gate: ClassVar[None] = None

    def shape(self, steps):
        return ()
'''
SCENARIOS = """
from conformance import requirement as req
from conformance.expectations.claims import NeverClaims
from conformance.givens.bmc import ON, host
from conformance.givens.inject import Inject
from conformance.scenario import Scenario, off
from conformance.scenarios.state import PLAIN  # imported, not ours: it is not a second STATE-016
from emulator import Armed, make_fault

DEAF = Scenario(
    id="ACME-001", tier=0, title="An acme BMC that hears nothing", requirement=req.SAFE_CLAIM, source="acme#1",
    given=(host(ON), Inject("the acme BMC is deaf", Armed(fault=make_fault("acme.deaf"), must_fire=False))),
    steps=off(NeverClaims()),
)
"""
ADAPTERS = """
from dataclasses import dataclass
from conformance.adapters.agent import AgentAdapter  # imported, not ours
from conformance.adapters.base import Adapter
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim, Protocol

@dataclass(frozen=True, kw_only=True)
class OracleAdapter(Adapter):
    name = "acme-oracle"
    keys = ("says",)
    over_keys = ()
    default_protocols = frozenset({Protocol.REDFISH})
    says: str

    @classmethod
    def read(cls, section, base):
        return cls(folder=section.folder, built_in=section.built_in, says=section.word("says") or "")

    @property
    def asks(self):
        return frozenset({Ask.OFF})

    def texts(self):
        yield self.says

    def missing(self):
        return None

    def run(self, invocation):
        invocation.on_end()
        return FencerOutcome(ask=invocation.ask, claim=Claim(self.says), exit=0, stdout="the oracle has spoken")
"""
REPORTS = """
from conformance.report.report import ReportFormat

def write(run, stream):
    for result in run.results:
        print(result.scenario.id, result.verdict, file=stream)

LINES = ReportFormat(name="acme-lines", suffix=".txt", help="A line per cell.", write=write)
"""
BROKEN = "raise RuntimeError('acme needs a licence')\n"
KINDS = {"scenarios": SCENARIOS, "adapters": ADAPTERS, "reports": REPORTS, "faults": FAULTS}
ORACLE = 'fencer: oracle\nadapter: acme-oracle\nsays: "off"\n'
PLAIN = "fencer: plain\nadapter: python\ncommand: oracle:fence\ncapabilities: ['off']\n"


class Site:
    """A folder in which acme-fencing is installed, and fencers beside it."""

    def __init__(self, folder: Path, **changed: str) -> None:
        self.folder = folder
        package, info = folder / "acme", folder / "acme_fencing-1.0.dist-info"
        package.mkdir()
        info.mkdir()
        (package / "__init__.py").touch()
        points = []
        for kind, text in (KINDS | changed).items():
            (package / f"{kind}.py").write_text(text)
            points.append(f"[fencelab.{kind}]\nacme = acme.{kind}\n")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-fencing\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(points))
        (folder / "oracle.yaml").write_text(ORACLE)
        (folder / "plain.yaml").write_text(PLAIN)
        (folder / "oracle.py").write_text("def fence(action, bmc):\n    return 'off'\n")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}", "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(
            [*quick_command("fence-conformance"), *arguments],
            capture_output=True, text=True, env=environment, cwd=self.folder, timeout=100, check=False,
        )  # fmt: skip


RUN_PLAIN = ("run", "--fencer", "./plain.yaml", "--profile", "dmtf-generic", "--scenario", "STATE-016")


def test_one_of_each_works_together_from_the_command(tmp_path: Path) -> None:
    site = Site(tmp_path)
    done = site.cli(
        "run", "--fencer", "./oracle.yaml", "--profile", "dmtf-generic", "--scenario", "ACME", "--acme-lines", "-",
        "--json", "out.json",
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout == "ACME-001 UNSAFE\n"
    assert "the acme BMC is deaf" in done.stderr
    (result,) = json.loads((tmp_path / "out.json").read_text())["results"]
    assert (result["fencer"], result["said"]) == ("oracle", "the oracle has spoken")


@pytest.mark.long
def test_what_is_plugged_in_is_listed_and_explained(tmp_path: Path) -> None:
    site = Site(tmp_path)
    done = site.cli("list")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("ACME-001   tier 0  An acme BMC that hears nothing", "acme-oracle", "acme-lines", "A line per cell."):
        assert part in done.stdout
    assert done.stdout.count("STATE-016") == 1
    assert "ACME-001" in [scenario["id"] for scenario in json.loads(site.cli("list", "--json").stdout)["scenarios"]]
    assert "the acme BMC is deaf [injected]" in site.cli("explain", "acme-001").stdout
    assert "--acme-lines FILE|-" in site.cli("run", "--help").stdout


def test_a_waiver_may_name_a_scenario_that_is_plugged_in(tmp_path: Path) -> None:
    site = Site(tmp_path)
    (tmp_path / "waivers.yaml").write_text(
        "waivers: [{scenario: ACME-001, verdict: UNSAFE, reason: known, expires: 2999-01-01, allow_unsafe: true}]\n"
    )
    done = site.cli(
        "run", "--fencer", "./oracle.yaml", "--profile", "dmtf-generic", "--scenario", "ACME-001", "--waivers", "waivers.yaml"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 waived" in done.stdout


def test_broken_plug_ins_are_warnings_in_the_list_and_stop_nobody_else(tmp_path: Path) -> None:
    site = Site(tmp_path, **dict.fromkeys(KINDS, BROKEN))
    listed = site.cli("list")
    assert listed.returncode == 0
    assert "STATE-001" in listed.stdout
    assert listed.stderr.splitlines() == [
        f"fence-conformance: warning: the plug-in 'acme' of acme-fencing (fencelab.{kind}) cannot be used: "
        "RuntimeError: acme needs a licence"
        for kind in KINDS
    ]
    done = site.cli(*RUN_PLAIN)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "ACME-001"),
        ("run", "--fencer", "./plain.yaml", "--scenario", "ACME-001"),
        ("run", "--fencer", "./oracle.yaml", "--scenario", "STATE-016"),
        (*RUN_PLAIN, "--acme-lines", "out.txt"),
    ],
)
def test_whoever_names_what_only_a_broken_plug_in_has_gets_one_sentence_and_two(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = Site(tmp_path, **dict.fromkeys(KINDS, BROKEN)).cli(*arguments)
    assert done.returncode == 2
    assert "acme needs a licence" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_group_is_run_without_the_plug_in_that_cannot_be_used_and_that_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path, faults=BROKEN)
    done = site.cli("run", "--fencer", "./plain.yaml", "--profile", "dmtf-generic", "--scenario", "ASYNC")
    assert done.returncode == 3
    assert "warning: the plug-in 'acme' of acme-fencing (fencelab.scenarios) cannot be used" in done.stderr
    assert "acme needs a licence" in done.stderr  # the fault that the scenario asks for


def test_a_report_that_fails_is_one_sentence_and_five(tmp_path: Path) -> None:
    failing = REPORTS.replace("print(", "raise KeyError('colour')  #")
    done = Site(tmp_path, reports=failing).cli(*RUN_PLAIN, "--acme-lines", "out.txt")
    assert done.returncode == 5
    assert "fence-conformance: the report acme-lines failed: KeyError: 'colour'" in done.stderr


def test_only_one_report_goes_to_standard_output(tmp_path: Path) -> None:
    done = Site(tmp_path).cli(*RUN_PLAIN, "--json", "-", "--acme-lines", "-")
    assert done.returncode == 2
    assert "only one report can go to standard output, not --json and --acme-lines" in done.stderr
