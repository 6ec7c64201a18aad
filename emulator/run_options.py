"""Options of `bmc-emulator run` about control: where the listener is, which faults are armed at the start, what survives a
restart.

`cli` decorates `run` with `control_options`, and turns what was given into `ServeOptions`.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emulator.control.commands.fault import add, written
from emulator.serve import EVERY_BMC, fail

if TYPE_CHECKING:
    from emulator.control.state_file import SavedState, StateFile
    from emulator.core.faults.board import Armed

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--control", metavar="ADDR[:PORT]", help="Where the other commands reach this emulator. [default: loopback, a free port]"
    ),
    click.option("--no-control", is_flag=True, help="No command can reach this emulator."),
    click.option(
        "--name", metavar="NAME", help="What --instance of the other commands takes. [default: the profile or rack file]"
    ),
    click.option(
        "--state",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Power, faults and added BMCs survive a restart in this file.",
    ),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="'[BMC] TYPE KEY=VALUE...'",
        help="Armed once the BMCs answer, as by `fault add`, --when and the like included; without BMC on all of them.",
    ),
)


def control_options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def control_address(text: str | None, no_control: bool) -> tuple[str | None, int] | None:
    """Host and port of the listener; None: there is none. What is wrong ends the command."""
    if no_control:
        if text is not None:
            fail("bmc-emulator: --control and --no-control do not go together")
        return None
    if text is None:
        return None, 0
    host, port = _host_and_port(text)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        fail(f"bmc-emulator: --control {text!r} must be an IP address, with :PORT or without: 127.0.0.1:9000, [::1]:9000")
    if not port.isdecimal() or int(port) > 65_535:
        fail(f"bmc-emulator: --control {text!r}: a port is from 1 to 65535, or 0 for a free one")
    if not address.is_loopback:
        click.echo(
            f"bmc-emulator: warning: {host} can be reached from other machines, and whoever has the token controls it", err=True
        )
    return str(address), int(port)


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") or "0"
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, "0"


def faults_at_start(texts: tuple[str, ...], bmcs: list[str]) -> tuple[tuple[str, Armed | str], ...]:
    """The faults of `--fault`, each with its BMC or EVERY_BMC. What is wrong ends the command."""
    return tuple(_fault(text, bmcs) for text in texts)


def _fault(text: str, bmcs: list[str]) -> tuple[str, Armed | str]:
    from emulator.faults.model import FaultMisconfigured, arming_from_mapping

    try:
        words = shlex.split(text)
        if len(words) < 2 or "=" in words[1] or words[1].startswith("-"):
            words.insert(0, EVERY_BMC)
        given = dict(add.make_context("--fault", words, resilient_parsing=False).params)
    except (ValueError, click.ClickException) as error:
        fail(f"bmc-emulator: --fault {text!r}: {error.format_message() if isinstance(error, click.ClickException) else error}")
    bmc, name = given.pop("bmc"), given.pop("type")
    if bmc != EVERY_BMC and bmc not in bmcs:
        fail(f"bmc-emulator: --fault {text!r}: no BMC is called {bmc!r}")
    told = written(name, **{key: value for key, value in given.items() if key not in ("instance", "as_json")})
    if isinstance(told, str):
        return bmc, told
    try:
        return bmc, arming_from_mapping(told)
    except FaultMisconfigured as error:
        fail(f"bmc-emulator: --fault {text!r}: {'; '.join(str(error).splitlines())}")


def load_state(path: Path | None) -> tuple[StateFile | None, SavedState | None]:
    """The file of `--state`, and what it has kept from the last time."""
    if path is None:
        return None, None
    from emulator.control.state_file import StateFile, StateRefused

    file = StateFile(path)
    try:
        return file, file.load()
    except StateRefused as error:
        fail(f"bmc-emulator: --state {error}")
