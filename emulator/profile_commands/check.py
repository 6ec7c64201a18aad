"""`bmc-emulator profile check`: the running service against the file, cell by cell, over both protocols.

The profile is started on a loopback port with its times multiplied by SCALE. For each cell the host is brought into the state by
hand, a client outside of the emulator sends the command, and status, message, body, headers and what becomes of the host are
compared with what the file says. Redfish is asked with requests, IPMI with pyghmi's client. `check_in_time` compares times
and resources.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click
import requests
import urllib3

from emulator.profile_commands.checked_cell import CheckedCell
from emulator.profile_commands.common import ProfileName
from emulator.profile_tools.json_values import Json, parsed
from emulator.profile_tools.message_text import json_fits, text_fits
from emulator.profile_tools.observed import reply_of
from emulator.serve import fail
from profiles.data import thawed

if TYPE_CHECKING:
    from emulator.assembly import Emulator
    from emulator.endpoints import Endpoint
    from profiles.model import Profile, ReplyTemplate

SCALE: Final = 0.01
STATES: Final = ("On", "Off")
PATIENCE_S: Final = 5.0
REQUEST_S: Final = 10.0
CONTROLS: Final = {"down": 0, "up": 1, "cycle": 2, "reset": 3, "diag": 4, "soft": 5}
"""Chassis Control (IPMI 2.0, 28.3)."""


@click.command()
@click.argument("name", type=ProfileName())
@click.option("--json", "as_json", is_flag=True, help="JSON lines: path, expected, found, ok.")
def check(name: str, as_json: bool) -> None:
    """Start a profile and compare the service with the file, cell by cell, over Redfish and IPMI. Exit code 1 where they differ.

    Compared are status, message, headers and body of each answer, completion codes, where the host ends, the times of effects,
    the ends of tasks, the identity and the resources.

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
        click.echo(f"{profile.id}: {total} facts checked, {wrong} differ")
    raise SystemExit(1 if wrong else 0)


def checked(profile: Profile, served: Profile | None = None) -> Iterator[CheckedCell]:
    """Every cell of On and Off, tried on a BMC of its own emulator, which is made from `served` (None: from the same profile)."""
    from emulator.assembly import Emulator
    from emulator.core.rack import UnitSpec
    from emulator.profile_commands.check_in_time import checked_in_time
    from profiles.scale import at_scale

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    made = served if served is not None else profile
    with Emulator([UnitSpec(name="checked", profile=at_scale(made, SCALE))], latency=False) as emulator:
        endpoint = emulator.endpoints["checked"]
        if profile.http.served:
            yield from _redfish(emulator, endpoint, profile)
        if profile.ipmi.lan:
            yield from _ipmi(emulator, endpoint, profile)
    if profile.http.served:
        yield from checked_in_time(profile, made)


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
                _bring(emulator, state)
                answer = client.post(target, json={"ResetType": reset}, timeout=REQUEST_S)
                after = outcome.effect if reply.status < 300 else "none"
                expected = _end(profile, state, after)
                promised, said = _said(profile, reply, answer)
                yield CheckedCell(
                    f"power.table.{state}.{reset}",
                    _words(f"HTTP {reply.status}", promised, expected),
                    _words(f"HTTP {answer.status_code}", said, _settled(emulator, expected)),
                )


def _reset_target(client: requests.Session, endpoint: Endpoint) -> str:
    """Where the System says that ComputerSystem.Reset is. Ends the command where it does not say it."""
    answer = client.get(f"{endpoint.redfish_url}{endpoint.systems[0].uri}", timeout=REQUEST_S)
    try:
        return str(answer.json()["Actions"]["#ComputerSystem.Reset"]["target"])
    except (ValueError, KeyError, TypeError):
        fail(f"{endpoint.systems[0].uri} shows no ComputerSystem.Reset (HTTP {answer.status_code}): its cells cannot be checked")


def _said(profile: Profile, reply: ReplyTemplate, answer: requests.Response) -> tuple[str | None, str | None]:
    """What the file promises beside the status, and what was answered; the same words where the answer fits the promise."""
    promised, said = [], []
    for name, value in reply.headers.items():
        promised.append(f"{name}: {value}")
        given = answer.headers.get(name, "")
        said.append(f"{name}: {value if text_fits(value, given) else given or 'missing'}")
    if reply.text is not None:
        promised.append(f"text {reply.text!r}")
        said.append(f"text {reply.text if text_fits(reply.text, answer.text) else answer.text!r:.200}")
    elif reply.body is not None:
        body = _json(answer)
        fits = not answer.content if reply.body == "empty" else json_fits(thawed(reply.body), body)
        promised.append("the body of the file" if reply.body != "empty" else "no body")
        said.append(promised[-1] if fits else f"body {answer.text:.200}")
    elif reply.message is not None:
        message, told = profile.messages[reply.message], reply_of(answer.status_code, _json(answer))
        pairs: list[tuple[str, str | None, str | None]] = [("", message.id, told.message_id)]
        if told.text is not None or message.text is None:
            pairs.append(("text ", message.text, told.text))
        if told.severity is not None:
            pairs.append(("severity ", message.severity, told.severity))
        if told.resolution is not None:
            pairs.append(("resolution ", message.resolution, told.resolution))
        for index, arg in enumerate(message.args if told.args else ()):
            pairs.append((f"argument {index} ", arg, told.args[index] if index < len(told.args) else None))
        for name, template, answered in pairs:
            promised.append(f"{name}{template}")
            said.append(
                f"{name}{template if None not in (template, answered) and text_fits(str(template), str(answered)) else answered}"
            )
    return ", ".join(promised) or None, ", ".join(said) or None


def _json(answer: requests.Response) -> Json:
    try:
        return parsed(answer.content)
    except ValueError:
        return None


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
