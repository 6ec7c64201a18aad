"""The wheel, and environments outside the tree that it is installed into. Built once per worker."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import PATIENCE, ROOT


@dataclass(frozen=True)
class Environment:
    """A virtual environment with our wheel in it; our dependencies come from the one that runs the tests."""

    home: Path

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.home), "platbase": str(self.home)}))

    def run(self, name: str, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of this environment as a user would who knows nothing of the source tree."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "COV", "FENCE"))}
        return subprocess.run(
            [str(self.home / "bin" / name), *arguments],
            cwd=cwd,
            env=inherited | {"PYTHONDONTWRITEBYTECODE": "1"} | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )


def _pip(*arguments: str) -> None:
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(directory), str(ROOT))
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def make_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Environment]:
    def make() -> Environment:
        environment = Environment(tmp_path_factory.mktemp("env"))
        venv.create(environment.home, with_pip=False, symlinks=True)
        _pip("--python", str(environment.home / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
        # Paths that a .pth file adds come last, and .pth files in them are not read: an editable install of ours stays out.
        borrowed = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        (environment.packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
        return environment

    return make


@pytest.fixture(scope="session")
def installed(make_environment: Callable[[], Environment]) -> Environment:
    """To look at, not to change."""
    return make_environment()
