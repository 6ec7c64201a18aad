"""Plug-ins and registries: what is taken from a module, and what is refused with a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import fencelab_plugins
from conformance.registry import Registry
from conformance.report.report import REGISTRY, ReportFormat
from emulator.core.errors import RackMisconfigured
from emulator.faults import make_fault, registry

GROUP = "fencelab.reports"
ONE = """
from conformance.report.junit import JUNIT  # imported, not its own
from conformance.report.report import ReportFormat
LINES = SAME = ReportFormat(name="unit-lines", suffix=".txt", help="A line per cell.", write=print)
"""
Install = Callable[..., None]
OURS = ["badge", "github", "html", "json", "junit", "markdown", "sarif", "tap"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with one module, and takes everything back that importing it has changed."""
    before = set(sys.modules)

    def install(text: str, group: str = GROUP, value: str = "unit_plugin") -> None:
        (tmp_path / "unit_plugin.py").write_text(text)
        info = tmp_path / "unit_fencing-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unit-fencing\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nunit = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)

    fencelab_plugins.load.cache_clear()
    yield install
    fencelab_plugins.load.cache_clear()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def reports() -> Registry[ReportFormat]:
    """A registry like that of the reports, which has seen nothing yet."""
    return Registry(kind=REGISTRY.kind, group=GROUP, package=REGISTRY.package, find_in=REGISTRY.find_in, name_of=REGISTRY.name_of)


def test_our_own_are_found_without_importing_a_plug_in(install: Install) -> None:
    install("raise RuntimeError")
    assert sorted(reports().shipped) == OURS
    assert reports().get("json") is REGISTRY.shipped["json"]
    assert "unit_plugin" not in sys.modules


def test_an_object_is_taken_once_and_imported_ones_are_no_second(install: Install) -> None:
    install(ONE)
    found = reports()
    assert sorted(found.all) == [*OURS, "unit-lines"]
    assert found.broken == ()
    assert found.get("unit-lines") is not None
    assert found.get("nope") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no\\nlicence')", "RuntimeError: no licence"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        (ONE.replace("unit-lines", "json"), "there is another report called 'json'"),
        (ONE.replace("unit-lines", "--json"), "a report is called as its option is"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_that_names_who_brought_it(install: Install, text: str, said: str) -> None:
    install(text)
    found = reports()
    assert sorted(found.all) == OURS
    (sentence,) = found.broken
    assert sentence.startswith("the plug-in 'unit' of unit-fencing (fencelab.reports) cannot be used: ")
    assert said in sentence
    assert "\n" not in sentence


def test_a_value_that_names_no_module_is_refused(install: Install) -> None:
    install(ONE, value="unit_plugin:LINES")
    assert "unit_plugin:LINES is no module" in reports().broken[0]


def test_two_of_our_own_with_one_name_are_a_bug_of_ours() -> None:
    twins = Registry(
        kind="report",
        group=GROUP,
        package="conformance.report",
        find_in=partial(fencelab_plugins.instances, kind=ReportFormat),
        name_of=lambda report: "twin",
    )
    with pytest.raises(ValueError, match="two reports are called 'twin'"):
        _ = twins.shipped


def test_plug_ins_stand_in_the_same_order_as_our_own(install: Install) -> None:
    install(ONE.replace("unit-lines", "a-lines"))
    ordered = Registry(
        kind="report",
        group=GROUP,
        package=REGISTRY.package,
        find_in=REGISTRY.find_in,
        name_of=REGISTRY.name_of,
        sort_key=lambda report: report.name,
    )
    assert list(ordered.all) == ["a-lines", *OURS]


FAULT = """
from dataclasses import dataclass
from emulator import Seam, fault

@fault("unit.deaf-{serial}")
@dataclass(frozen=True)
class Deaf:
    seam = Seam.POWER
    gate: int | None = None
    def shape(self, steps):
        return ()
"""


def test_a_fault_of_another_distribution_is_found_by_its_name(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("_REGISTRY", "_EXAMPLES"):  # no other test shall find it there
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    install(FAULT.format(serial="1"), group="fencelab.faults")
    assert make_fault("unit.deaf-1", gate=2).name == "unit.deaf-1"


def test_a_broken_plug_in_is_blamed_only_for_a_fault_that_nobody_has(install: Install) -> None:
    install("raise RuntimeError('no licence')", group="fencelab.faults")
    assert make_fault("power.ignore").name == "power.ignore"
    with pytest.raises(RackMisconfigured, match=r"no fault is called 'unit\.deaf-2'.*the plug-in 'unit'.*no licence"):
        make_fault("unit.deaf-2")
