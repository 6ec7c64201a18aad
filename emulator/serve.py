"""Serves BMCs for `bmc-emulator run`: starts the emulator, prints a line per BMC that answers, and waits for the end.

`cli` calls `serve` in the main thread. The emulator runs in a thread of its own, and so do the control listener and the keeper
of the state file.
"""

from __future__ import annotations

import contextlib
import gc
import json
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from emulator.wire.ports import before_port

if TYPE_CHECKING:
    from emulator.assembly import Emulator
    from emulator.control.listener import ControlListener
    from emulator.control.state_file import SavedState, StateFile
    from emulator.core.faults.board import Armed
    from emulator.endpoints import Endpoint

PASSWORD_VARIABLE: Final = "FENCELAB_PASSWORD"
EXIT_USAGE: Final = 2
MAX_CHECKED: Final = 64
"""Up to this number, each BMC is checked with a request before it is reported as ready."""
EVERY_BMC: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """`name` is what `--instance` takes. `password_variables` name the password variable of each BMC.

    `faults` are armed when the BMCs answer, by BMC, and `unplugged` have no input power then; neither has a say where `saved`
    is a state of the last time. `more_faults` are armed in any case, on a BMC or on EVERY_BMC. A text names one of the
    profile's own. `control` is where the control listener shall be: host (None: loopback) and port (0: a free one); None:
    nowhere."""

    name: str
    journal: Path | None = None
    as_json: bool = False
    password_variables: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, tuple[Armed | str, ...]] = field(default_factory=dict)
    more_faults: tuple[tuple[str, Armed | str], ...] = ()
    unplugged: frozenset[str] = frozenset()
    control: tuple[str | None, int] | None = (None, 0)
    state: StateFile | None = None
    saved: SavedState | None = None


def fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(EXIT_USAGE)


def serve(emulator: Emulator, options: ServeOptions) -> None:
    """Prints one line per BMC when it answers, then waits for Ctrl-C, SIGTERM, SIGHUP, or `bmc-emulator stop`."""
    from emulator.backends.container import NotOurs
    from emulator.control.listener import ControlCannotListen
    from emulator.control.state_file import StateRefused
    from emulator.core.errors import EmulatorError
    from emulator.ready import NotAnswering
    from emulator.wire.tcp import CannotBind

    stop = threading.Event()
    lost: list[OSError] = []

    def lose(error: OSError) -> None:
        lost.append(error)
        stop.set()

    emulator.on_journal_lost = lose
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            # Under `nohup`. A handler that does nothing is not inherited: hosts that are processes are rebooted with SIGHUP.
            signal.signal(number, lambda *_: None)
        else:
            signal.signal(number, lambda *_: stop.set())
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(emulator)
            control = _open_control(emulator, options, stop, stack)
            _check(emulator, stop)
            _begin(emulator, options, control, stack)
            _announce(emulator, options, stop)
            if control is not None:
                control.api.ready = True
            gc.collect()
            gc.freeze()  # the objects of thousands of BMCs stay: collections that visit all of them would delay every client
            if sys.stderr is not None and sys.stderr.isatty():
                click.echo("Ctrl-C ends it.", err=True)
            stop.wait()
    except (CannotBind, NotAnswering, NotOurs, EmulatorError, ControlCannotListen, StateRefused) as error:
        fail(f"bmc-emulator: {error}")
    except OSError as error:
        fail(f"bmc-emulator: {error.filename or options.journal}: {_reason(error)}")
    if lost:
        fail(f"bmc-emulator: {options.journal}: {_reason(lost[0])}; the journal ends there, and so do the BMCs")


def _open_control(
    emulator: Emulator, options: ServeOptions, stop: threading.Event, stack: contextlib.ExitStack
) -> ControlListener | None:
    if options.control is None:
        return None
    from emulator.control.instance_files import FolderRefused
    from emulator.control.listener import ControlListener

    host, port = options.control
    try:
        listener = ControlListener(emulator, name=options.name, host=host, port=port, stop=stop.set)
    except FolderRefused as error:
        click.echo(f"bmc-emulator: warning: nobody can control this emulator: {error}", err=True)
        return None
    return stack.enter_context(listener)


def _check(emulator: Emulator, stop: threading.Event) -> None:
    """Asks each BMC a question, before any fault is armed."""
    from emulator.fleet import BLOCK
    from emulator.ready import check

    for n, name in enumerate(emulator.endpoints):
        if stop.is_set():
            return
        # To check each of thousands of BMCs takes long and creates their state: one BMC per certificate is enough.
        if n >= MAX_CHECKED and n % BLOCK:
            continue
        unit = emulator.rack.unit(name)
        if not unit.absence.dark:  # dark: the outlets that feed it are off
            check(emulator.endpoints[name], redfish=unit.profile.http.served, lan=unit.profile.ipmi.lan)


def _begin(emulator: Emulator, options: ServeOptions, control: ControlListener | None, stack: contextlib.ExitStack) -> None:
    """What begins when the BMCs answer: the state of the last time, or else what the rack file and the command line say."""
    added: dict[str, str] = {} if control is None else control.api.added
    if options.saved is None:
        for name in sorted(options.unplugged):
            emulator.mains_lost(name)
        for name, faults in options.faults.items():
            for fault in faults:
                emulator.arm(name, fault)
    else:
        from emulator.control.state_file import restore

        added.update(restore(emulator, options.saved))
    for bmc, fault in options.more_faults:
        for name in list(emulator.endpoints) if bmc == EVERY_BMC else [bmc]:
            emulator.arm(name, fault)
    if options.state is not None:
        from emulator.control.state_file import StateKeeper

        removed = () if options.saved is None else tuple(options.saved.removed)
        stack.enter_context(StateKeeper(emulator, options.state, added, removed))


def _announce(emulator: Emulator, options: ServeOptions, stop: threading.Event) -> None:
    for name, endpoint in emulator.endpoints.items():
        if stop.is_set():
            return
        variable = options.password_variables.get(name, PASSWORD_VARIABLE)
        profile = emulator.rack.unit(name).profile
        line = _ready_json if options.as_json else _ready_text
        _print(line(endpoint, variable, redfish=profile.http.served, lan=profile.ipmi.lan))


def _print(line: str) -> None:
    try:
        click.echo(line)
    except OSError as error:
        fail(f"bmc-emulator: cannot write to standard output: {_reason(error)}")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def ready_facts(endpoint: Endpoint, variable: str, *, redfish: bool, lan: bool) -> dict[str, str | int]:
    """What a client needs to use a BMC; without `redfish` it has no Redfish, without `lan` no IPMI over LAN.

    The password is shown only if it is the profile's public default; else its variable.
    """
    ipmi: dict[str, str | int] = {"ipmi_host": endpoint.ipmi_host, "ipmi_port": endpoint.ipmi_port} if lan else {}
    facts: dict[str, str | int] = {
        "name": endpoint.name,
        "profile": endpoint.profile,
        **({"redfish_url": endpoint.redfish_url} if redfish else {}),
        **ipmi,
        "username": endpoint.username,
    }
    if endpoint.password_is_default:
        facts["password"] = endpoint.password
    else:
        facts["password_env"] = variable
    if redfish:
        facts["system_uri"] = endpoint.systems[0].uri
    if redfish and endpoint.http_port is not None:
        facts["http_url"] = f"http://{before_port(endpoint.host)}:{endpoint.http_port}"
    return facts


def _ready_json(endpoint: Endpoint, variable: str, *, redfish: bool, lan: bool) -> str:
    return json.dumps(ready_facts(endpoint, variable, redfish=redfish, lan=lan))


def _ready_text(endpoint: Endpoint, variable: str, *, redfish: bool, lan: bool) -> str:
    password = endpoint.password if endpoint.password_is_default else f"${variable}"
    ipmi = f"ipmi {before_port(endpoint.ipmi_host)}:{endpoint.ipmi_port}  " if lan else ""
    https = f"redfish {endpoint.redfish_url}{endpoint.systems[0].uri}  " if redfish else ""
    return f"ready {endpoint.name}  {https}{ipmi}user {endpoint.username}  password {password}"
