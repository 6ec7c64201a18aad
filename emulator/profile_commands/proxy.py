"""`bmc-emulator profile proxy`: a TLS proxy before a real BMC, which records what clients and BMC say.

The main thread starts the proxy, waits for Ctrl-C or SIGTERM, and writes the profile. Clients have threads of their own.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emulator.profile_commands.common import ProfileName
from emulator.profile_commands.observed_file import write_observed
from emulator.serve import fail
from fencelab_yaml.errors import one_line

if TYPE_CHECKING:
    from emulator.profile_tools.exchanges import Exchanges

RECORD = "exchanges.jsonl"
CERTIFICATE = "proxy.pem"


@click.command()
@click.argument("url")
@click.option(
    "--record", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to make for the record."
)
@click.option(
    "--listen",
    default="127.0.0.1:0",
    show_default=True,
    metavar="ADDRESS:PORT",
    help="Where clients connect; port 0: a free one.",
)
@click.option("--extends", "parent", type=ProfileName(), metavar="PROFILE", help="The parent; else the shipped one most like it.")
@click.option("--cacert", type=click.Path(dir_okay=False, path_type=Path), help="Trust this authority (PEM).")
@click.option("--insecure", is_flag=True, help="Trust every certificate of the BMC.")
@click.option(
    "--timeout", "timeout_s", default=60.0, type=click.FloatRange(0.1, 600), show_default=True, help="Seconds for one answer."
)
def proxy(url: str, record: Path, listen: str, parent: str | None, cacert: Path | None, insecure: bool, timeout_s: float) -> None:
    """Stand between clients and a real BMC, change nothing, and learn its power table from what passes. Ends with Ctrl-C.

    RECORD/exchanges.jsonl has one line of JSON for each request, without credentials; serial numbers, addresses, host and user
    names are replaced. At the end RECORD/profile.yaml gets a
    cell for each power command whose effect the clients have watched. RECORD/proxy.pem is the certificate that clients meet.

    \b
    Example:
      bmc-emulator profile proxy https://192.0.2.7 --insecure --record our-board --listen 127.0.0.1:8443
    """
    from emulator.profile_tools.bmc_client import BadAddress, bmc_address
    from emulator.profile_tools.exchanges import Exchanges, RecordedExchange
    from emulator.profile_tools.proxy_server import ProxyServer
    from emulator.wire.certs import CertificateSpec, CertificateStore

    host, port = _address(listen)
    try:
        bmc = bmc_address(url, cacert=cacert, insecure=insecure)
        bmc.context()
    except BadAddress as error:
        fail(str(error))
    store, spec = CertificateStore(), CertificateSpec("CN=fencelab proxy", addresses=(host,), names=("localhost",))
    exchanges = Exchanges(secrets.token_bytes(32))
    _make_folder(record)
    try:
        with (record / RECORD).open("x", encoding="utf-8", buffering=1) as stream:

            def take(exchange: RecordedExchange) -> None:
                stream.write(f"{exchanges.take(exchange)}\n")

            try:
                server = ProxyServer((host, port), store.context(spec), bmc, timeout_s, take)
            except OSError as error:
                fail(f"{listen}: {(error.strerror or str(error)).lower()}")
            (record / CERTIFICATE).write_bytes(store.certificate(spec).pem)
            click.echo(f"READY https://{f'[{host}]' if ':' in host else host}:{server.server_address[1]} before {bmc.origin}")
            _serve(server)
        _clean_record(record / RECORD, exchanges)
    except OSError as error:
        fail(f"{record}: {(error.strerror or str(error)).lower()}")
    _finish(exchanges, record, parent)


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        fail(f"--listen {listen!r}: give an IP address and a port, such as 127.0.0.1:8443")
    if not colon or not 0 <= number <= 65535:
        fail(f"--listen {listen!r}: give an IP address and a port, such as 127.0.0.1:8443")
    if not address.is_loopback:
        click.echo(
            f"warning: everybody who reaches {address} can use the BMC through this proxy with their credentials", err=True
        )
    return str(address), number


def _make_folder(record: Path) -> None:
    try:
        record.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        fail(f"{record} exists already: name a new folder, or move it away")
    except OSError as error:
        fail(f"{record}: {(error.strerror or 'cannot be made').lower()}")


def _serve(server: object) -> None:
    """Serves until a signal comes, which this function waits for."""
    from emulator.profile_tools.proxy_server import ProxyServer

    assert isinstance(server, ProxyServer)
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="proxy", daemon=True)
    thread.start()
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _clean_record(file: Path, exchanges: Exchanges) -> None:
    """Replaces in the record what was learnt after its line was written."""
    work = file.with_suffix(".part")
    with file.open(encoding="utf-8") as lines, work.open("x", encoding="utf-8") as clean:
        clean.writelines(f"{exchanges.cleaned(line)}\n" for line in lines)
    work.replace(file)


def _finish(exchanges: Exchanges, record: Path, parent: str | None) -> None:
    commands = exchanges.finish()
    for word, why in exchanges.skipped.items():
        click.echo(one_line(f"  no cell for {word}: {why}"), err=True)
    if not commands:
        click.echo(f"no power command was watched: {record} has the record and no profile")
        return
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    out = record / "profile.yaml"
    write_observed(None, commands, out, parent, "proxy", exchanges.secrets, day, exchanges.resources)
