"""`bmc-emulator profile check`: the running service against the file, cell by cell, over both protocols.

The profile is started on a loopback port with its times divided by SCALE. For each cell the host is brought into the state by
hand, a client outside of the emulator sends the command, and status, message and what becomes of the host are compared with what
the file says. Redfish is asked with requests, IPMI with pyghmi's client.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click
import requests
import urllib3

from emulator.profile_commands.common import ProfileName
from emulator.serve import fail

if TYPE_CHECKING:
    from emulator.assembly import Emulator
    from emulator.endpoints import Endpoint
    from profiles.model import Profile

SCALE: Final = 0.01
STATES: Final = ("On", "Off")
PATIENCE_S: Final = 5.0
REQUEST_S: Final = 10.0
CONTROLS: Final = {"down": 0, "up": 1, "cycle": 2, "reset": 3, "diag": 4, "soft": 5}
"""Chassis Control (IPMI 2.0, 28.3)."""


@dataclass(frozen=True, slots=True)
class CheckedCell:
    """One cell: where it stands in the file, what the file promises and what the service did."""

    path: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.expected == self.found


@click.command()
@click.argument("name", type=ProfileName())
@click.option("--json", "as_json", is_flag=True, help="JSON lines: path, expected, found, ok.")
def check(name: str, as_json: bool) -> None:
    """Start a profile and compare the service with the file, cell by cell, over Redfish and IPMI. Exit code 1 where they differ.

    \b
    Example:
      bmc-emulator profile check ./our-board.yaml
    """
    from emulator.faults.model import check_profile
    from profiles import loader
    from profiles.errors import ProfileError

    try:
        profile = loader.load(name, also=check_profile)
    except ProfileError as error:
        fail(str(error))
    if profile.feeder is not None:
        fail(f"{name} is {profile.feeder.called}: check compares the cells of a BMC with systems")
    wrong = total = 0
    for cell in checked(profile):
        total += 1
        wrong += not cell.ok
        if as_json:
            told = {"path": cell.path, "expected": cell.expected, "found": cell.found, "ok": cell.ok}
            click.echo(json.dumps(told))
        elif not cell.ok:
            click.echo(f"{cell.path}: the file says {cell.expected}, the service did {cell.found}")
    if not as_json:
        click.echo(f"{profile.id}: {total} cells checked, {wrong} differ")
    raise SystemExit(1 if wrong else 0)


def checked(profile: Profile) -> Iterator[CheckedCell]:
    """Every cell of On and Off, tried on a BMC of its own emulator."""
    from emulator.assembly import Emulator
    from emulator.core.rack import UnitSpec
    from profiles.scale import at_scale

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    scaled = at_scale(profile, SCALE)
    with Emulator([UnitSpec(name="checked", profile=scaled)], latency=False) as emulator:
        endpoint = emulator.endpoints["checked"]
        if scaled.http.served:
            yield from _redfish(emulator, endpoint, scaled)
        if scaled.ipmi.lan:
            yield from _ipmi(emulator, endpoint, scaled)


def _redfish(emulator: Emulator, endpoint: Endpoint, profile: Profile) -> Iterator[CheckedCell]:
    with requests.Session() as client:
        client.verify, client.trust_env = False, False
        client.auth = (endpoint.username, endpoint.password)
        target = f"{endpoint.redfish_url}{_reset_target(client, endpoint)}"
        for state in STATES:
            for reset, cell in profile.power.table.get(state, {}).items():
                if reset not in profile.power.reset_types:
                    continue  # only an action of the vendor asks for it
                outcome = profile.power.outcomes[cell.outcome]
                reply = profile.replies[outcome.reply]
                message = profile.messages[reply.message].id if reply.message is not None and reply.body is None else None
                _bring(emulator, state)
                answer = client.post(target, json={"ResetType": reset}, timeout=REQUEST_S)
                after = outcome.effect if reply.status < 300 else "none"
                expected = _end(profile, state, after)
                said = _message(answer) if message is not None else None
                yield CheckedCell(
                    f"power.table.{state}.{reset}",
                    _words(f"HTTP {reply.status}", message, expected),
                    _words(f"HTTP {answer.status_code}", said, _settled(emulator, expected)),
                )


def _reset_target(client: requests.Session, endpoint: Endpoint) -> str:
    """Where the System says that ComputerSystem.Reset is. Ends the command where it does not say it."""
    answer = client.get(f"{endpoint.redfish_url}{endpoint.systems[0].uri}", timeout=REQUEST_S)
    try:
        return str(answer.json()["Actions"]["#ComputerSystem.Reset"]["target"])
    except (ValueError, KeyError, TypeError):
        fail(f"{endpoint.systems[0].uri} shows no ComputerSystem.Reset (HTTP {answer.status_code}): its cells cannot be checked")


def _message(answer: requests.Response) -> str | None:
    """The MessageId of an answer, if it has one."""
    try:
        told = answer.json()
    except ValueError:
        return None
    info = told.get("error", told).get("@Message.ExtendedInfo", [{}]) if isinstance(told, dict) else [{}]
    return (info[0].get("MessageId") or info[0].get("MessageID")) if info and isinstance(info[0], dict) else None


def _ipmi(emulator: Emulator, endpoint: Endpoint, profile: Profile) -> Iterator[CheckedCell]:
    from pyghmi.ipmi import command

    with contextlib.redirect_stdout(io.StringIO()):
        client = command.Command(
            bmc=endpoint.ipmi_host, port=endpoint.ipmi_port, userid=endpoint.username, password=endpoint.password
        )
    try:
        for state, row in profile.ipmi.chassis.items():
            for word, cell in row.items():
                if word not in CONTROLS:
                    continue
                _bring(emulator, state)
                answer = client.raw_command(netfn=0, command=2, data=(CONTROLS[word],))
                expected = _end(profile, state, cell.effect if cell.completion_code == 0 else "none")
                yield CheckedCell(
                    f"ipmi.chassis.{state}.{word}",
                    _words(f"code 0x{cell.completion_code:02X}", None, expected),
                    _words(f"code 0x{int(answer.get('code', 0xFF)):02X}", None, _settled(emulator, expected)),
                )
    finally:
        client.ipmi_session.logout()


def _words(answer: str, message: str | None, end: str) -> str:
    return ", ".join(word for word in (answer, message, f"host {end}") if word)


def _bring(emulator: Emulator, state: str) -> None:
    """The host off, or on with an operating system that has just started: an NMI may have ended the last one."""
    from emulator.core.power.by_hand import PowerAction

    actions = (PowerAction.OFF, PowerAction.ON) if state == "On" else (PowerAction.OFF,)
    for action in actions:
        emulator.power("checked", action)
        _settled(emulator, action.value)


def _end(profile: Profile, state: str, effect: str) -> str:
    """Where a host ends that was in `state`: what the last step of the effect does, or what follows when its OS has gone down."""
    end = state.lower()
    for step in profile.power.effects.get(effect, ()):
        if step.real is not None:
            end = str(step.real).lower()
        elif step.event is not None and "shutdown" in step.event.value:
            end = "off"
    return end


def _settled(emulator: Emulator, expected: str) -> str:
    """Where the host is: as soon as it is as expected and has nothing under way, else after PATIENCE_S seconds."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if _host(emulator) == expected and not emulator.is_moving("checked"):
            break
        time.sleep(0.01)
    return _host(emulator)


def _host(emulator: Emulator) -> str:
    return "off" if emulator.host("checked").rail.value == "down" else "on"
