"""`fence-conformance list`: what there is, that of plug-ins too."""

from __future__ import annotations

import json

import click

import fencelab_plugins
from conformance import catalogues, fencers, scenarios
from conformance.adapters import registry as adapters
from conformance.report import report
from conformance.report_options import warn
from conformance.scenario import Scenario
from profiles import loader

EXAMPLES = """
\b
Examples:
  fence-conformance list
  fence-conformance list fencers profiles
  fence-conformance list --json
"""


KINDS = ("scenarios", "fencers", "profiles", "adapters", "reports", "catalogues")


@click.command(epilog=EXAMPLES)
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS), metavar="[KIND]...")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(kinds: tuple[str, ...], as_json: bool) -> None:
    """Shows what there is, that of plug-ins too; with a KIND only that. Of fencers it shows what has to be installed for them."""
    faults = fencelab_plugins.load("fencelab.faults")  # a fault registers itself; nothing is listed of them here
    every = scenarios.REGISTRY.all.values()
    reports = report.REGISTRY.all
    wanted = kinds or KINDS
    if as_json:
        found: dict[str, list[object]] = {
            "scenarios": [_brief(scenario) for scenario in every],
            "fencers": list(fencers.names()),
            "profiles": list(loader.names()),
            "adapters": list(adapters.REGISTRY.all),
            "reports": list(reports),
            "catalogues": list(catalogues.ALL),
        }
        click.echo(json.dumps({kind: found[kind] for kind in KINDS if kind in wanted}, indent=1))
    else:
        lines = {
            "scenarios": [f"{scenario.id:<10} tier {scenario.tier}  {scenario.title}" for scenario in every],
            "fencers": list(fencers.described()),
            "profiles": list(loader.names()),
            "adapters": list(adapters.REGISTRY.all),
            "reports": [f"{r.name:<10} {r.suffix:<6} {r.help}" for r in reports.values()],
            "catalogues": list(catalogues.ALL),
        }
        for kind in KINDS:
            if kind in wanted:
                click.echo(f"{kind}\n" + "\n".join(f"  {line}" for line in lines[kind]))
    for group in (scenarios.REGISTRY.broken, adapters.REGISTRY.broken, report.REGISTRY.broken, map(str, faults.broken)):
        warn(group)


def _brief(scenario: Scenario) -> dict[str, str | int | bool | None]:
    return {
        "id": scenario.id,
        "tier": scenario.tier,
        "title": scenario.title,
        "requirement": scenario.requirement.sentence,
        "level": scenario.requirement.level.value,
        "informational": catalogues.is_informational(scenario, catalogues.NEWEST),
        "protocol": scenario.protocol.value if scenario.protocol else None,
        "source": scenario.source,
    }
