"""Other people's Redfish clients, called as their users call them."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sushy
from sushy.auth import SessionAuth

from tests.peers.redfish.served import Served, environment

PATIENCE: Final = 120
"""Seconds; Ansible alone needs some to start."""

SCRIPTS: Final = Path(sysconfig.get_path("scripts"))


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What the client printed, from the first brace on: clients put words before their JSON."""
        found: dict[str, Any] = json.loads(self.out[self.out.index("{") : self.out.rindex("}") + 1])
        return found


def run(*argv: str, **more: str) -> Run:
    done = subprocess.run(argv, env=environment(**more), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return Run(done.returncode, done.stdout, done.stderr)


def tacklebox(service: Served, tool: str, *argv: str) -> Run:
    """A tool of DMTF's redfish-utilities, such as rf_power_reset; sub-commands go after the login."""
    login = ("-u", service.user, "-p", service.password, "-r", service.url)
    return run(str(SCRIPTS / f"{tool}.py"), *login, *argv)


def redfishtool(service: Served, *argv: str) -> Run:
    host = service.url.removeprefix("https://")
    return run(str(SCRIPTS / "redfishtool"), "-r", host, "-u", service.user, "-p", service.password, "-S", "Always", *argv)


def curl(service: Served, method: str, path: str, *argv: str) -> tuple[int, Run]:
    """The HTTP status, and what was printed (the body)."""
    login = f"{service.user}:{service.password}"
    done = run("curl", "-sk", "-u", login, "-X", method, "-w", "\n%{http_code}", *argv, service.url + path)
    body, _newline, status = done.out.rpartition("\n")
    return int(status), Run(done.code, body, done.err)


def ansible(service: Served, module: str, home: Path, **options: str) -> dict[str, Any]:
    """A module of community.general against the BMC; what it returns."""
    told = {"baseuri": service.url.removeprefix("https://"), "username": service.user, "password": service.password, **options}
    done = run(
        str(SCRIPTS / "ansible"),
        *("localhost", "-c", "local", "-m", f"community.general.{module}", "-a", json.dumps(told)),
        HOME=str(home),
        ANSIBLE_HOME=str(home),
        ANSIBLE_LOCAL_TEMP=str(home / "tmp"),
        ANSIBLE_NOCOLOR="1",
        ANSIBLE_PYTHON_INTERPRETER=str(SCRIPTS / "python"),
    )
    assert "=>" in done.out, done.out + done.err
    return done.json


@contextmanager
def over_sushy(service: Served) -> Iterator[sushy.Sushy]:
    """Logs out at the end: left to the garbage collector, sushy tries it for minutes after the service has gone."""
    auth = SessionAuth(service.user, service.password)
    try:
        yield sushy.Sushy(service.url, auth=auth, verify=False)
    finally:
        auth.close()


def resets(service: Served) -> list[str]:
    """The ResetTypes that reached the power table, from the journal."""
    return [str(event["reset"]) for event in service.events() if event["kind"] == "command" and "reset" in event]


def until(service: Served, state: str) -> None:
    """Reads with curl until the System says `state`; each read is a process, so it needs no pause."""
    for _ in range(400):
        if json.loads(curl(service, "GET", service.system)[1].out)["PowerState"] == state:
            return
    raise AssertionError(f"the system never says {state}")


def ipmitool(service: Served, *argv: str, user: str | None = None, password: str | None = None) -> Run:
    who = ("-U", user or service.user, "-P", password or service.password)
    return run("ipmitool", "-I", "lanplus", "-H", "127.0.0.1", "-p", str(service.ipmi_port), "-R", "1", "-N", "2", *who, *argv)
