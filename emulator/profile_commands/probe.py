"""`bmc-emulator profile probe`: tries every power command in every state on a machine that may be switched.

Runs in the main thread. The profile is written also where the probe stops at a surprise, with what was seen until then.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from emulator.profile_commands.common import ProfileName
from emulator.profile_commands.credentials import Decorated, credential_options, forms_of, password_for
from emulator.profile_commands.observed_file import check_new_file, write_observed
from emulator.serve import fail
from fencelab_yaml.errors import one_line

if TYPE_CHECKING:
    from emulator.profile_tools.bmc_client import RealBmcAddress
    from emulator.profile_tools.chassis_client import IpmiChassis
    from emulator.profile_tools.probe_run import PowerProbe, ProbedMachine, ProbeTimes

EXIT_STOPPED = 1


class RealClock:
    """The clock of this machine, in seconds."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def seconds(name: str, default: float, least: float, most: float, said: str) -> Callable[[Decorated], Decorated]:
    """An option that is a time."""
    kind = click.FloatRange(least, most)
    return click.option(name, f"{name[2:]}_s", default=default, type=kind, show_default=True, help=f"Seconds {said}")


@click.command()
@click.argument("url")
@click.option(
    "--i-will-power-cycle",
    "name",
    required=True,
    metavar="HOSTNAME",
    help="The machine that may be switched: HostName, Id or SerialNumber of its system, as the BMC shows it.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The profile to write, ID.yaml.")
@click.option("--extends", "parent", type=ProfileName(), metavar="PROFILE", help="The parent; else the shipped one most like it.")
@click.option("--no-ipmi", is_flag=True, help="Redfish only.")
@click.option("--ipmi-port", default=623, type=click.IntRange(1, 65535), show_default=True, help="The UDP port of IPMI.")
@seconds("--interval", 1.0, 0.01, 60, "from one read of the state to the next.")
@seconds("--settle", 20.0, 0.02, 600, "without a change, after which a command has done its work.")
@seconds("--patience", 300.0, 0.1, 3600, "after which a command has to have done its work.")
@seconds("--boot", 120.0, 0, 3600, "until an operating system that starts hears polite requests.")
@credential_options
def probe(
    url: str,
    name: str,
    out: Path,
    parent: str | None,
    no_ipmi: bool,
    ipmi_port: int,
    interval_s: float,
    settle_s: float,
    patience_s: float,
    boot_s: float,
    user: str | None,
    password_file: Path | None,
    password_env: str,
    cacert: Path | None,
    insecure: bool,
    timeout_s: float,
) -> None:
    """Find out what a BMC does in each cell of the power table. THE MACHINE IS SWITCHED OFF AND ON; what runs on it is lost.

    Each command is printed with its answer and with what System, Chassis and IPMI said when. The first surprise ends it.
    The machine is brought back to the state in which it was found. Exit code 1 where the probe was stopped by a surprise,
    2 where nothing was sent.

    \b
    Example:
      bmc-emulator profile probe https://192.0.2.7 --i-will-power-cycle spare-17 --user root --insecure --out our-board.yaml
    """
    from emulator.profile_tools.bmc_client import BadAddress, NotTrusted, RealBmcClient, bmc_address
    from emulator.profile_tools.probe_run import PowerProbe, ProbeStopped, ProbeTimes, find_machine
    from emulator.profile_tools.walk import NoAnswer

    check_new_file(out)
    times = ProbeTimes(interval_s=interval_s, settle_s=settle_s, patience_s=patience_s, boot_s=boot_s)
    try:
        address = bmc_address(url, cacert=cacert, insecure=insecure)
    except BadAddress as error:
        fail(str(error))
    password = password_for(user, password_file, password_env)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(RealBmcClient(address, user, password, timeout_s))
        try:
            machine = find_machine(client, name)
            chassis = None if no_ipmi else stack.enter_context(_ipmi(address, ipmi_port, user, password))
            run = PowerProbe(client, chassis, RealClock(), machine, lambda text: click.echo(one_line(text)), times)
            _confirm(machine, name, len(run.cells()), times)
            stopped = _run(run)
        except (ProbeStopped, NoAnswer, NotTrusted, BadAddress) as error:
            fail(one_line(str(error)))
        if run.commands:
            write_observed(client, run.commands, out, parent, "probe", forms_of(user, password), _today())
    if stopped:
        click.echo(one_line(f"stopped: {stopped}"), err=True)
        raise SystemExit(EXIT_STOPPED)


def _ipmi(address: RealBmcAddress, port: int, user: str | None, password: str | None) -> IpmiChassis:
    from emulator.profile_tools.chassis_client import IpmiChassis
    from emulator.profile_tools.walk import NoAnswer

    try:
        return IpmiChassis(address.host, port, user or "", password or "")
    except NoAnswer as error:
        raise NoAnswer(f"{error}; give --no-ipmi to probe Redfish alone") from None


def _confirm(machine: ProbedMachine, name: str, cells: int, times: ProbeTimes) -> None:
    """Asks for the name once more; there is no option that answers it."""
    click.echo(one_line(f"{machine.path} ({', '.join(machine.names)}) is {machine.state}"))
    minutes = cells * (times.settle_s + 10) / 60
    click.echo(
        f"{cells} commands will be sent in about {minutes:.0f} minutes. The machine will be switched off and on several times."
    )
    try:
        typed = click.prompt("Type its name to go on", default="", show_default=False)
    except click.Abort:
        typed = ""
    if typed != name:
        _refuse()


def _refuse() -> NoReturn:
    fail("that is not the name: nothing was sent")


def _run(run: PowerProbe) -> str:
    """Runs the probe. Returns the reason where it was stopped, else an empty text."""
    from emulator.profile_tools.probe_run import ProbeStopped

    try:
        run.run()
    except ProbeStopped as error:
        return str(error)
    return ""


def _today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()
