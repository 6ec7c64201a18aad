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
  fence-conformance list --json
"""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(as_json: bool) -> None:
    """Shows scenarios, fencers, profiles, adapters and reports, those of plug-ins too."""
    faults = fencelab_plugins.load("fencelab.faults")  # a fault registers itself; nothing is listed of them here
    every = scenarios.REGISTRY.all.values()
    reports = report.REGISTRY.all
    if as_json:
        found = {
            "scenarios": [_brief(scenario) for scenario in every],
            "fencers": list(fencers.names()),
            "profiles": list(loader.names()),
            "adapters": list(adapters.REGISTRY.all),
            "reports": list(reports),
            "catalogues": list(catalogues.ALL),
        }
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo("scenarios")
        for scenario in every:
            click.echo(f"  {scenario.id:<10} tier {scenario.tier}  {scenario.title}")
        click.echo("fencers\n" + "\n".join(f"  {name}" for name in fencers.names()))
        click.echo("profiles\n" + "\n".join(f"  {name}" for name in loader.names()))
        click.echo("adapters\n" + "\n".join(f"  {name}" for name in adapters.REGISTRY.all))
        click.echo("reports\n" + "\n".join(f"  {r.name:<10} {r.suffix:<6} {r.help}" for r in reports.values()))
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
