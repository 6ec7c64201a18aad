"""Runs the Docker command line for the lab. It needs no root: a user who may use `docker` may run the lab.

`lab.compose` and `python -m lab` call it; each call blocks until the command ends.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.site import SiteFailed

ROOT = Path(__file__).resolve().parent.parent
LABEL = "org.fencelab=lab"
SOCKET = "/var/run/docker.sock"


class NoEngine(Exception):
    """This machine has no running Docker engine, or no compose plugin. The text is one sentence."""


def require_engine() -> None:
    """Raises NoEngine if the lab cannot run here."""
    if shutil.which("docker") is None:
        raise NoEngine("there is no docker command on this machine")
    info = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if info.returncode != 0:
        raise NoEngine("no Docker engine answers on this machine")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        raise NoEngine("docker has no compose plugin (version 2) on this machine")


def setting(name: str, default: str) -> str:
    """Returns an environment variable, or its value in the checkout's .env file, as compose does."""
    dotenv = ROOT / ".env"
    lines = dotenv.read_text().splitlines() if dotenv.exists() else []
    written = dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return os.environ.get(name) or written.get(name, "").strip() or default


def compose_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the environment for compose. Sets DOCKER_GID to the group of the engine's socket, unless it is set already."""
    environment = {**os.environ, **(extra or {})}
    socket = Path(setting("DOCKER_SOCKET", SOCKET))
    if not setting("DOCKER_GID", "") and socket.exists() and stat.S_ISSOCK(socket.stat().st_mode):
        environment["DOCKER_GID"] = str(socket.stat().st_gid)
    return environment


def compose(*words: str, env: Mapping[str, str] | None = None, show: bool = False) -> str:
    """Runs `docker compose ...` in the checkout; returns its output. Raises SiteFailed with the end of its stderr."""
    return docker("compose", *words, env=env, show=show)


def docker(*words: str, env: Mapping[str, str] | None = None, show: bool = False) -> str:
    return docker_bytes(words, env, show).decode()


def docker_bytes(words: Sequence[str], env: Mapping[str, str] | None = None, show: bool = False) -> bytes:
    """As `docker`, with bytes. `show`: the output goes to the terminal and is not returned."""
    pipe = None if show else subprocess.PIPE
    done = subprocess.run(["docker", *words], cwd=ROOT, env=compose_environment(env), stdout=pipe, stderr=pipe, check=False)
    if done.returncode != 0:
        said = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        raise SiteFailed(f"docker {' '.join(words[:3])} ended with {done.returncode}: {' '.join(said[-3:]) or 'see above'}")
    return done.stdout or b""


def project_filters() -> list[str]:
    """Returns docker filters for the objects of this lab, as opposed to another lab on the same engine."""
    project = setting("COMPOSE_PROJECT_NAME", "fencelab")
    return ["--filter", f"label={LABEL}", "--filter", f"label=com.docker.compose.project={project}"]


def remaining_objects() -> list[str]:
    """Lists the containers, networks and volumes of the lab that still exist."""
    found = []
    for kind, listing in (("container", ["ps", "-aq"]), ("network", ["network", "ls", "-q"]), ("volume", ["volume", "ls", "-q"])):
        found += [f"{kind} {name}" for name in docker(*listing, *project_filters()).split()]
    return found
