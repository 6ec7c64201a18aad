"""The command `bmc-emulator`: serves BMCs on real sockets until Ctrl-C, lists and checks profiles.

It parses the command line in the main thread, prints what a client needs to know of each BMC, and waits. The emulator runs in a
thread of its own.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from emulator.control.commands import COMMANDS
from emulator.profile_commands import ProfileCommands
from emulator.profile_commands.common import ProfileName
from emulator.run_options import control_address, control_options, faults_at_start, load_state
from emulator.schema_command import schema_command
from emulator.serve import PASSWORD_VARIABLE, ServeOptions, fail, serve
from profiles import loader
from profiles.errors import ProfileError

if TYPE_CHECKING:
    from emulator.fleet import Fleet
    from profiles.model import Profile

IPMI_PASSWORD_BYTES = 20
"""The longest password of IPMI 2.0 (22.30 Set User Password)."""
JOURNAL_CAPACITY = 10_000
"""Events in memory, which `bmc-emulator journal` can read: few, because a large ring makes each request slower."""
CONTROL_OPTIONS = ("control", "no_control", "name", "state", "faults")
"""Options of `run` that a rack file has no say in."""
MOST_ON_ONE_ADDRESS = 65_535
REDFISH_PORT, IPMI_PORT = 443, 623
"""The ports of BMCs that have an address each. BMCs that share an address take free ports."""

EXAMPLES = """
\b
Examples:
  bmc-emulator run --profile dell-idrac9
  bmc-emulator run --profile openbmc-x86 --count 3 --redfish-port 8443 --ipmi-port 6230
  bmc-emulator run --profile dell-idrac9 --count 10000 --address-per-bmc 127.64.0.0/16
  bmc-emulator run --profile ./our-board.yaml --power off --json --journal journal.jsonl
  bmc-emulator run --rack rack.yaml
  bmc-emulator profiles
  bmc-emulator profile lint ./our-board.yaml
\b
In another terminal, while one runs:
  bmc-emulator ls
  bmc-emulator power dell-idrac9 unplug
  bmc-emulator fault add dell-idrac9 report.says word=On
  bmc-emulator journal --follow
\b
A password of your own for the first account of every BMC:
  FENCELAB_PASSWORD=... bmc-emulator run --profile dmtf-generic
\b
Shell completion:
  eval "$(bmc-emulator completion bash)"
"""


def _load(name: str) -> Profile:
    from emulator.faults.model import check_profile

    try:
        return loader.load(name, also=check_profile)
    except ProfileError as error:
        fail(str(error))


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fencelab", prog_name="bmc-emulator")
def cli() -> None:
    """BMCs that behave like real vendors' ones: Redfish and IPMI over one machine, with a ground-truth journal."""


@cli.command()
@click.option("--profile", "profile_name", type=ProfileName(), help="A shipped profile, or a YAML file.")
@click.option("--rack", type=click.Path(dir_okay=False, path_type=Path), help="A YAML file with several BMCs, not one --profile.")
@click.option("--count", default=1, type=click.IntRange(1, 131_070), show_default=True, help="How many BMCs.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--address-per-bmc", metavar="CIDR", help="BMC n at the n-th address of this network; ports 443 and 623, or as given."
)
@click.option("--device", default="lo", show_default=True, help="With --address-per-bmc: the interface that has the addresses.")
@click.option("--redfish-port", default=0, type=click.IntRange(0, 65535), help="Of the first BMC; BMC n gets +n. 0: free ones.")
@click.option("--ipmi-port", default=0, type=click.IntRange(0, 65535), help="Of the first BMC; BMC n gets +n. 0: free ones.")
@click.option("--http-port", type=click.IntRange(0, 65535), help="Plain HTTP there leads to HTTPS, if the vendor does so.")
@click.option("--event-host", "event_hosts", multiple=True, help="Deliver Redfish events to this host too, not to loopback only.")
@click.option("--power", type=click.Choice(["on", "off"]), default="on", show_default=True, help="How the hosts are at start.")
@click.option("--hung", is_flag=True, help="The hosts' operating systems ignore polite requests and go on writing.")
@click.option("--latency", is_flag=True, help="Every answer takes as long as the profile says in timing.latency_ms.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same names and same drawn times.")
@click.option("--plain-http", is_flag=True, help="Redfish without TLS.")
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), help="Write the journal there, a JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
@control_options
@click.pass_context
def run(
    context: click.Context,
    profile_name: str | None,
    rack: Path | None,
    count: int,
    listen: str,
    address_per_bmc: str | None,
    device: str,
    redfish_port: int,
    ipmi_port: int,
    http_port: int | None,
    event_hosts: tuple[str, ...],
    power: str,
    hung: bool,
    latency: bool,
    seed: int,
    plain_http: bool,
    journal: Path | None,
    as_json: bool,
    control: str | None,
    no_control: bool,
    name: str | None,
    state: Path | None,
    faults: tuple[str, ...],
) -> None:
    """Serve BMCs until Ctrl-C. Prints one line per BMC once it really answers."""
    where = control_address(control, no_control)
    file, saved = load_state(state)
    options = ServeOptions(name=name or "", journal=journal, as_json=as_json, control=where, state=file, saved=saved)
    if rack is not None:
        _refuse_beside_rack(context)
        _serve_rack(rack, latency, faults, options)
        return
    if profile_name is None:
        fail("bmc-emulator: which BMC? Give --profile NAME (`bmc-emulator profiles` lists them) or --rack FILE")
    if hung and power == "off":
        fail("bmc-emulator: --hung needs a host that is on; leave --power off out")
    fleet = _fleet(address_per_bmc, device, count) if address_per_bmc is not None else None
    if fleet is not None:
        listen, redfish_port, ipmi_port = fleet.address(0), redfish_port or REDFISH_PORT, ipmi_port or IPMI_PORT
    elif count > MOST_ON_ONE_ADDRESS:
        fail(f"bmc-emulator: {listen} has no ports for {count} BMCs: give each an address with --address-per-bmc 127.64.0.0/15")
    _check_address(listen)
    first_ports = (("--redfish-port", redfish_port), ("--ipmi-port", ipmi_port), ("--http-port", http_port))
    for option, first in () if fleet else first_ports:
        if first and first + count - 1 > 65535:
            fail(f"bmc-emulator: {option} {first} leaves no room for {count} BMCs below port 65536")
    profile = _load(profile_name)
    ports = (redfish_port, ipmi_port, http_port)
    _serve(
        profile, count, listen, ports, fleet, frozenset(event_hosts), power, hung, latency, seed, not plain_http, faults, options
    )


def _refuse_beside_rack(context: click.Context) -> None:
    from click.core import ParameterSource

    for name in context.params.keys() - {"rack", "latency", "journal", "as_json", *CONTROL_OPTIONS}:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "profile" if name == "profile_name" else name.replace("_", "-")
            fail(f"bmc-emulator: --{option} and --rack do not go together: the rack's file says it")


def _serve_rack(path: Path, latency: bool, faults: tuple[str, ...], options: ServeOptions) -> None:
    from emulator.assembly import Emulator
    from emulator.config import load_rack

    try:
        rack = load_rack(path)
    except ProfileError as error:
        fail(str(error))
    for listen in sorted({place.listen for place in rack.places.values()}):
        _check_address(listen)
    units = rack.units
    if options.saved is not None:
        units = tuple(options.saved.units(units, real=frozenset({*rack.processes, *rack.containers})))
    emulator = Emulator(
        units,
        seed=rack.seed,
        places=rack.places,
        tls=rack.tls,
        processes=rack.processes,
        containers=rack.containers,
        docker_url=rack.docker_url,
        journal_path=options.journal,
        latency=latency,
    )
    serve(
        emulator,
        replace(
            options,
            name=options.name or path.stem,
            password_variables=rack.password_variables,
            faults=rack.faults,
            unplugged=rack.unplugged,
            more_faults=faults_at_start(faults, [unit.name for unit in units]),
        ),
    )


def _serve(
    profile: Profile,
    count: int,
    listen: str,
    ports: tuple[int, int, int | None],
    fleet: Fleet | None,
    event_hosts: frozenset[str],
    power: str,
    hung: bool,
    latency: bool,
    seed: int,
    tls: bool,
    faults: tuple[str, ...],
    options: ServeOptions,
) -> None:
    from emulator.assembly import Emulator
    from emulator.core.rack import HostSpec, UnitSpec

    password = os.environ.get(PASSWORD_VARIABLE) or None
    if password is not None and profile.ipmi.lan and len(password.encode(errors="surrogateescape")) > IPMI_PASSWORD_BYTES:
        click.echo(
            f"bmc-emulator: warning: {PASSWORD_VARIABLE} is too long for IPMI ({IPMI_PASSWORD_BYTES} bytes): Redfish only",
            err=True,
        )
    names = [profile.id] if count == 1 else [f"{profile.id}-{n}" for n in range(1, count + 1)]
    hosts = (HostSpec(power=power, hung=hung),)

    def units() -> Sequence[UnitSpec]:  # not kept here: a fleet has many
        made = [UnitSpec(name=name, profile=profile, hosts=hosts, password=password) for name in names]
        return made if options.saved is None else options.saved.units(made)

    emulator = Emulator(
        units(),
        seed=seed,
        listen=listen,
        redfish_port=ports[0],
        ipmi_port=ports[1],
        http_port=ports[2],
        fleet=fleet,
        tls=tls,
        event_hosts=event_hosts,
        journal_path=options.journal,
        journal_capacity=JOURNAL_CAPACITY,
        latency=latency,
    )
    serve(emulator, replace(options, name=options.name or profile.id, more_faults=faults_at_start(faults, names)))


def _fleet(network: str, device: str, count: int) -> Fleet:
    from emulator.fleet import Fleet

    try:
        fleet = Fleet(ipaddress.IPv4Network(network), device)
    except ValueError as error:
        fail(f"bmc-emulator: --address-per-bmc {network!r} is not an IPv4 network: {error}")
    if count > len(fleet):
        prefix = 32 - (count + 1).bit_length()  # with the network address and the broadcast address
        fail(f"bmc-emulator: {network} has room for {len(fleet)} BMCs, not for {count}: a network of /{prefix} has")
    return fleet


def _check_address(listen: str) -> None:
    try:
        address = ipaddress.ip_address(listen)
    except ValueError:
        fail(f"bmc-emulator: --listen {listen!r} is not an IP address")
    if not address.is_loopback:
        click.echo(f"bmc-emulator: warning: {listen} can be reached from other machines", err=True)


for command in COMMANDS:
    cli.add_command(command)


@cli.group(cls=ProfileCommands)
def profile() -> None:
    """Look at profiles, write and check your own."""


@cli.command("profiles")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def profiles_command(as_json: bool) -> None:
    """List the shipped profiles."""
    found = [(name, _load(name).title) for name in (*loader.names(), *loader.feeder_names())]
    if as_json:
        click.echo(json.dumps([{"id": name, "title": title} for name, title in found], indent=2))
        return
    width = max(len(name) for name, _ in found)
    for name, title in found:
        click.echo(f"{name:<{width}}  {title}")


cli.add_command(schema_command)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell; see the examples of --help."""
    cls = get_completion_class(shell)
    assert cls is not None
    click.echo(cls(cli, {}, "bmc-emulator", "_BMC_EMULATOR_COMPLETE").source())


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point. Exit codes: 0 after Ctrl-C; 2 for wrong usage or configuration."""
    cli(args=list(argv) if argv is not None else None, prog_name="bmc-emulator")
