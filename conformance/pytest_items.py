"""Scenarios as pytest items: `fencelab_pytest` loads this only if `--fencer` was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from conformance import runner, selection
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.runner import MatrixCell, RunOptions
from conformance.vocabulary import JUnitElement

DEFAULT_PROFILE = "dmtf-generic"


class ScenarioFailed(Exception):
    """A scenario that did not pass; its text is the whole finding."""


class Fencer(pytest.Collector):
    """A fencer under test, as the parent of its scenarios."""

    cells: Sequence[MatrixCell]
    options: RunOptions

    def collect(self) -> Iterator[ScenarioItem]:
        for cell in self.cells:
            item = ScenarioItem.from_parent(self, name=f"{cell.scenario.id}[{cell.profile.id}]")
            item.cell = cell
            item.options = self.options
            item.add_marker(pytest.mark.fencing)
            yield item


class ScenarioItem(pytest.Item):
    """One scenario on one profile, called `STATE-001[dell-idrac9]`."""

    cell: MatrixCell
    options: RunOptions

    def runtest(self) -> None:
        result = runner.run_cell(self.cell, threading.Event(), self.options)
        self.user_properties += [("verdict", result.verdict.value), ("tier", result.scenario.tier)]
        _settle(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, int | None, str]:
        return f"{self.cell.definition.name}", None, f"{self.name} {self.cell.scenario.title}"


def _settle(result: Result) -> None:
    if result.informational and result.verdict.fails_gate:
        pytest.skip(f"informational: {result.verdict}: {result.why}")
    if result.verdict.junit is JUnitElement.SKIPPED:
        pytest.skip(f"{result.verdict}: {result.why}")
    if result.verdict.junit is not JUnitElement.PASSED:
        raise ScenarioFailed(plain(result))


def collect(session: pytest.Session, config: pytest.Config) -> Iterator[pytest.Item]:
    """Every selected scenario, through pytest's own collection, so that it is counted like every other test.

    Raises UsageError for a fencer or a profile that there is not.
    """
    profiles = config.getoption("bmc_profile") or [DEFAULT_PROFILE]
    try:
        definitions = selection.pick_fencers(config.getoption("fencer"))
        chosen = selection.pick_profiles(profiles)
        scenarios = selection.pick_scenarios((), config.getoption("bmc_tier"))
        catalogue = selection.pick_catalogue(config.getoption("bmc_catalogue"))
    except selection.BadSelection as error:
        raise pytest.UsageError(str(error)) from None
    options = RunOptions(strict=config.getoption("bmc_strict"), catalogue=catalogue)
    for definition in definitions:
        parent = Fencer.from_parent(session, name=definition.name, nodeid=definition.name)
        parent.cells = runner.matrix((definition,), chosen, scenarios)
        parent.options = options
        yield from session.genitems(parent)
