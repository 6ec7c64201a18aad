"""The command `bmc-emulator`: serves BMCs on real sockets until Ctrl-C, lists and checks profiles.

It parses the command line in the main thread, prints what a client needs to know of each BMC, and waits. The emulator runs in a
thread of its own.
"""

from __future__ import annotations

import gc
import ipaddress
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.shell_completion import CompletionItem, get_completion_class

from emulator.wire.ports import before_port
from profiles import loader
from profiles.errors import ProfileError

if TYPE_CHECKING:
    from emulator.assembly import Emulator
    from emulator.endpoints import Endpoint
    from emulator.fleet import Fleet
    from profiles.model import Profile

PASSWORD_VARIABLE = "FENCELAB_PASSWORD"
IPMI_PASSWORD_BYTES = 20
"""The longest password of IPMI 2.0 (22.30 Set User Password)."""
EXIT_USAGE = 2
MAX_CHECKED = 64
"""Up to this number, each BMC is checked with a request before it is reported as ready."""
JOURNAL_CAPACITY = 1_000
"""Events in memory. They are few, because users can read only the journal file, and a large ring makes each request slower."""
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
A password of your own for the first account of every BMC:
  FENCELAB_PASSWORD=... bmc-emulator run --profile dmtf-generic
\b
Shell completion:
  eval "$(bmc-emulator completion bash)"
"""


# Generic for the type checker only: older releases of click do not support `ParamType[str]` at run time.
if TYPE_CHECKING:
    _TextType = click.ParamType[str]
else:
    _TextType = click.ParamType


class _ProfileName(_TextType):
    name = "profile"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in loader.names() if name.startswith(incomplete)]


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(EXIT_USAGE)


def _load(name: str) -> Profile:
    from emulator.faults.model import check_profile

    try:
        return loader.load(name, also=check_profile)
    except ProfileError as error:
        _fail(str(error))


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fencelab", prog_name="bmc-emulator")
def cli() -> None:
    """BMCs that behave like real vendors' ones: Redfish and IPMI over one machine, with a ground-truth journal."""


@cli.command()
@click.option("--profile", "profile_name", type=_ProfileName(), help="A shipped profile, or a YAML file.")
@click.option("--rack", type=click.Path(dir_okay=False, path_type=Path), help="A YAML file with several BMCs, not one --profile.")
@click.option("--count", default=1, type=click.IntRange(1, 65_534), show_default=True, help="How many BMCs.")
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
) -> None:
    """Serve BMCs until Ctrl-C. Prints one line per BMC once it really answers."""
    if rack is not None:
        _refuse_beside_rack(context)
        _serve_rack(rack, latency, journal, as_json)
        return
    if profile_name is None:
        _fail("bmc-emulator: which BMC? Give --profile NAME (`bmc-emulator profiles` lists them) or --rack FILE")
    if hung and power == "off":
        _fail("bmc-emulator: --hung needs a host that is on; leave --power off out")
    fleet = _fleet(address_per_bmc, device, count) if address_per_bmc is not None else None
    if fleet is not None:
        listen, redfish_port, ipmi_port = fleet.address(0), redfish_port or REDFISH_PORT, ipmi_port or IPMI_PORT
    _check_address(listen)
    first_ports = (("--redfish-port", redfish_port), ("--ipmi-port", ipmi_port), ("--http-port", http_port))
    for name, first in () if fleet else first_ports:
        if first and first + count - 1 > 65535:
            _fail(f"bmc-emulator: {name} {first} leaves no room for {count} BMCs below port 65536")
    profile = _load(profile_name)
    ports = (redfish_port, ipmi_port, http_port)
    _serve(
        profile, count, listen, ports, fleet, frozenset(event_hosts), power, hung, latency, seed, not plain_http, journal, as_json
    )


def _refuse_beside_rack(context: click.Context) -> None:
    from click.core import ParameterSource

    for name in context.params.keys() - {"rack", "latency", "journal", "as_json"}:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "profile" if name == "profile_name" else name.replace("_", "-")
            _fail(f"bmc-emulator: --{option} and --rack do not go together: the rack's file says it")


def _serve_rack(path: Path, latency: bool, journal: Path | None, as_json: bool) -> None:
    from emulator.assembly import Emulator
    from emulator.config import load_rack

    try:
        rack = load_rack(path)
    except ProfileError as error:
        _fail(str(error))
    for listen in sorted({place.listen for place in rack.places.values()}):
        _check_address(listen)
    emulator = Emulator(
        rack.units,
        seed=rack.seed,
        places=rack.places,
        tls=rack.tls,
        processes=rack.processes,
        containers=rack.containers,
        docker_url=rack.docker_url,
        journal_path=journal,
        latency=latency,
    )
    _until_stopped(emulator, rack.password_variables, journal, as_json)


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
    journal: Path | None,
    as_json: bool,
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
    emulator = Emulator(
        [UnitSpec(name=name, profile=profile, hosts=hosts, password=password) for name in names],
        seed=seed,
        listen=listen,
        redfish_port=ports[0],
        ipmi_port=ports[1],
        http_port=ports[2],
        fleet=fleet,
        tls=tls,
        event_hosts=event_hosts,
        journal_path=journal,
        journal_capacity=JOURNAL_CAPACITY,
        latency=latency,
    )
    _until_stopped(emulator, {}, journal, as_json)


def _until_stopped(emulator: Emulator, variables: Mapping[str, str], journal: Path | None, as_json: bool) -> None:
    """Prints one line per BMC when it answers, then waits for Ctrl-C. `variables` names the password variable of each BMC."""
    from emulator.backends.container import NotOurs
    from emulator.core.errors import RackMisconfigured
    from emulator.fleet import BLOCK
    from emulator.ready import NotAnswering, check
    from emulator.wire.tcp import CannotBind

    stop = threading.Event()
    lost: list[OSError] = []

    def lose(error: OSError) -> None:
        lost.append(error)
        stop.set()

    emulator.on_journal_lost = lose
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with emulator:
            for n, (name, endpoint) in enumerate(emulator.endpoints.items()):
                if stop.is_set():
                    break
                # To check each of thousands of BMCs takes long and creates their state: one BMC per certificate is enough.
                if n < MAX_CHECKED or n % BLOCK == 0:
                    check(endpoint, lan=emulator.rack.unit(name).profile.ipmi.lan)
                variable = variables.get(name, PASSWORD_VARIABLE)
                _print(_ready_json(endpoint, variable) if as_json else _ready_text(endpoint, variable))
            gc.collect()
            gc.freeze()  # the objects of thousands of BMCs stay: collections that visit all of them would delay every client
            if sys.stderr is not None and sys.stderr.isatty():
                click.echo("Ctrl-C ends it.", err=True)
            stop.wait()
    except (CannotBind, NotAnswering, NotOurs, RackMisconfigured) as error:
        _fail(f"bmc-emulator: {error}")
    except OSError as error:
        _fail(f"bmc-emulator: {error.filename or journal}: {_reason(error)}")
    if lost:
        _fail(f"bmc-emulator: {journal}: {_reason(lost[0])}; the journal ends there, and so do the BMCs")


def _print(line: str) -> None:
    try:
        click.echo(line)
    except OSError as error:
        _fail(f"bmc-emulator: cannot write to standard output: {_reason(error)}")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _fleet(network: str, device: str, count: int) -> Fleet:
    from emulator.fleet import Fleet

    try:
        fleet = Fleet(ipaddress.IPv4Network(network), device)
    except ValueError as error:
        _fail(f"bmc-emulator: --address-per-bmc {network!r} is not an IPv4 network: {error}")
    if count > len(fleet):
        _fail(f"bmc-emulator: {network} has room for {len(fleet)} BMCs, not for {count}")
    return fleet


def _check_address(listen: str) -> None:
    try:
        address = ipaddress.ip_address(listen)
    except ValueError:
        _fail(f"bmc-emulator: --listen {listen!r} is not an IP address")
    if not address.is_loopback:
        click.echo(f"bmc-emulator: warning: {listen} can be reached from other machines", err=True)


def ready_facts(endpoint: Endpoint, variable: str = PASSWORD_VARIABLE) -> dict[str, str | int]:
    """What a client needs to use a BMC. The password is shown only if it is the profile's public default; else its variable."""
    facts: dict[str, str | int] = {
        "name": endpoint.name,
        "profile": endpoint.profile,
        "redfish_url": endpoint.redfish_url,
        "ipmi_host": endpoint.ipmi_host,
        "ipmi_port": endpoint.ipmi_port,
        "username": endpoint.username,
    }
    if endpoint.password_is_default:
        facts["password"] = endpoint.password
    else:
        facts["password_env"] = variable
    facts["system_uri"] = endpoint.systems[0].uri
    if endpoint.http_port is not None:
        facts["http_url"] = f"http://{before_port(endpoint.host)}:{endpoint.http_port}"
    return facts


def _ready_json(endpoint: Endpoint, variable: str) -> str:
    return json.dumps(ready_facts(endpoint, variable))


def _ready_text(endpoint: Endpoint, variable: str) -> str:
    password = endpoint.password if endpoint.password_is_default else f"${variable}"
    return (
        f"ready {endpoint.name}  redfish {endpoint.redfish_url}{endpoint.systems[0].uri}  "
        f"ipmi {before_port(endpoint.ipmi_host)}:{endpoint.ipmi_port}  user {endpoint.username}  password {password}"
    )


@cli.group()
def profile() -> None:
    """Look at profiles and check your own."""


@profile.command("lint")
@click.argument("name", type=_ProfileName())
def lint_command(name: str) -> None:
    """Check a profile: errors with file, line and column, then how much of it is known. Exit code 2 on errors."""
    from emulator.faults.model import check_profile
    from profiles.lint import lint, render

    report = lint(name, also=check_profile)
    click.echo(render(report), err=not report.ok)
    raise SystemExit(0 if report.ok else EXIT_USAGE)


@cli.command("profiles")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def profiles_command(as_json: bool) -> None:
    """List the shipped profiles."""
    found = [(name, _load(name).title) for name in loader.names()]
    if as_json:
        click.echo(json.dumps([{"id": name, "title": title} for name, title in found], indent=2))
        return
    width = max(len(name) for name, _ in found)
    for name, title in found:
        click.echo(f"{name:<{width}}  {title}")


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
