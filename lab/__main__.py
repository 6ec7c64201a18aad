"""`python -m lab`: starts and stops the lab, and runs its incidents. `make` has a target for each command.

Exit codes: 0 success (the verdict is green), 1 the verdict is red, 2 usage or configuration, 4 this machine has no Docker
engine, 5 the lab itself failed, so there is no verdict on the manager.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lab import compose
from lab.compose import compose_lab
from lab.engine import NoEngine, remaining_objects, require_engine
from lab.incidents import play
from lab.local_incident import local_lab
from lab.render import bmc_name, ipmi_port, redfish_port
from lab.settings import LabSettings, load_settings
from lab.site import SiteFailed
from lab.verdict import Colour, Incident, IncidentFacts, judge, timeline
from profiles import load
from profiles.errors import ProfileError

EXIT_RED, EXIT_USAGE, EXIT_NO_ENGINE, EXIT_FAILED = 1, 2, 4, 5
POLICY = click.option(
    "--policy", type=click.Choice(["reference", "cloudstack-4.22"]), default="reference", show_default=True, help="Of fence-ha."
)
WHICH = click.Choice([incident.value for incident in Incident])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The HA lab: emulated BMCs, three hosts, virtual machines and fence-ha."""


@main.command()
@POLICY
def up(policy: str) -> None:
    """Build the image, start everything, and say where it is."""
    with _plain_errors():
        require_engine()
        settings = load_settings()
        compose.build(show=True)
        compose.up(policy=policy, show=True)
        click.echo(_addresses(settings))


@main.command()
def down() -> None:
    """Remove every container, network and volume of the lab."""
    with _plain_errors():
        require_engine()
        compose.down()
        if left := remaining_objects():
            raise SiteFailed(f"still there: {', '.join(left)}")
        click.echo("nothing of the lab is left")


@main.command()
@click.argument("which", type=WHICH)
@POLICY
def incident(which: str, policy: str) -> None:
    """Play an incident in the compose lab, which is started first if need be."""
    with _plain_errors():
        require_engine()
        if not compose.is_built():
            compose.build(show=True)
        with compose_lab(load_settings(), policy) as site:
            facts = play(Incident(which), site, policy)
        sys.exit(_report(facts))


@main.command()
@click.argument("which", type=WHICH, nargs=-1)
@POLICY
def local(which: tuple[str, ...], policy: str) -> None:
    """Play the incidents with local processes as hosts: no Docker. Both, unless one is named."""
    with _plain_errors():
        codes = []
        for incident in [Incident(word) for word in which] or list(Incident):
            with (
                tempfile.TemporaryDirectory(prefix="fencelab-") as directory,
                local_lab(load_settings(), policy, Path(directory)) as site,
            ):
                codes.append(_report(play(incident, site, policy)))
        sys.exit(max(codes))


def _report(facts: IncidentFacts) -> int:
    verdict = judge(facts)
    for row in timeline(facts):
        click.echo(row)
    click.echo(verdict.line(facts))
    return {Colour.GREEN: 0, Colour.RED: EXIT_RED, Colour.VOID: EXIT_FAILED}[verdict.colour]


def _addresses(settings: LabSettings) -> str:
    account = load(settings.profile).auth.accounts[0]
    rows = [f"every BMC is a {settings.profile}; user {account.name}, password {account.password} (its public default)"]
    for node in settings.machines:
        name = bmc_name(settings, node)
        rows.append(
            f"{name} of {node}: Redfish https://{name}:{redfish_port(settings, node)}, IPMI {name}:{ipmi_port(settings, node)}"
        )
    rows.append(
        "these names and ports hold on the network `lab`; `docker compose port emulator PORT` says where they are on 127.0.0.1"
    )
    rows.append("next: make lab-incident-409, make lab-incident-hung, make lab-down")
    return "\n".join(rows)


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except NoEngine as error:
        click.echo(f"lab: {error}; `make lab-local` plays the same incidents without Docker", err=True)
        sys.exit(EXIT_NO_ENGINE)
    except ProfileError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_USAGE)
    except SiteFailed as error:
        click.echo(f"lab: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
