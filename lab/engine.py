"""The Docker command line, asked by the lab. Nothing here needs to be root; whoever may use `docker` may run the lab."""

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
    """This machine has no Docker engine that answers, or no compose. One sentence."""


def insist_on_engine() -> None:
    """Raises NoEngine."""
    if shutil.which("docker") is None:
        raise NoEngine("there is no docker command on this machine")
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise NoEngine("no Docker engine answers on this machine")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        raise NoEngine("docker has no compose plugin (version 2) on this machine")


def setting(name: str, default: str) -> str:
    """A variable of the environment, else of the checkout's .env, as compose itself reads them."""
    dotenv = ROOT / ".env"
    lines = dotenv.read_text().splitlines() if dotenv.exists() else []
    written = dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return os.environ.get(name) or written.get(name, "").strip() or default


def surroundings(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for compose. The group of the engine's socket is found here, unless somebody has said it."""
    environment = {**os.environ, **(extra or {})}
    socket = Path(setting("DOCKER_SOCKET", SOCKET))
    if not setting("DOCKER_GID", "") and socket.exists() and stat.S_ISSOCK(socket.stat().st_mode):
        environment["DOCKER_GID"] = str(socket.stat().st_gid)
    return environment


def compose(*words: str, env: Mapping[str, str] | None = None, show: bool = False) -> str:
    """Runs `docker compose ...` in the checkout; returns its output. Raises SiteFailed with what it said."""
    return docker("compose", *words, env=env, show=show)


def docker(*words: str, env: Mapping[str, str] | None = None, show: bool = False) -> str:
    return docker_bytes(words, env, show).decode()


def docker_bytes(words: Sequence[str], env: Mapping[str, str] | None = None, show: bool = False) -> bytes:
    """`show` lets what it says go to the terminal instead."""
    pipe = None if show else subprocess.PIPE
    done = subprocess.run(["docker", *words], cwd=ROOT, env=surroundings(env), stdout=pipe, stderr=pipe, check=False)
    if done.returncode != 0:
        said = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        raise SiteFailed(f"docker {' '.join(words[:3])} ended with {done.returncode}: {' '.join(said[-3:]) or 'see above'}")
    return done.stdout or b""


def mine() -> list[str]:
    """Filters for what belongs to this lab, and not to another one on the same engine."""
    project = setting("COMPOSE_PROJECT_NAME", "fencelab")
    return ["--filter", f"label={LABEL}", "--filter", f"label=com.docker.compose.project={project}"]


def left_overs() -> list[str]:
    """What of the lab is still on this machine: containers, networks, volumes."""
    found = []
    for kind, listing in (("container", ["ps", "-aq"]), ("network", ["network", "ls", "-q"]), ("volume", ["volume", "ls", "-q"])):
        found += [f"{kind} {name}" for name in docker(*listing, *mine()).split()]
    return found
