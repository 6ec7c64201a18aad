"""fence_bmc without the rest of the project: Debian 12's versions of its libraries, both protocols, against an emulated BMC."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, Endpoint, HostSpec, Rail
from tests.commands import ROOT
from tests.emulator_bed import quick_profile, started

LIBRARIES = {"requests": "2.28.1", "cryptography": "38.0.4"}
ALLOWED = set(LIBRARIES)
PATIENCE_S = 180

pytestmark = [pytest.mark.xdist_group("debian12"), pytest.mark.timeout(3 * PATIENCE_S)]


def sources() -> list[Path]:
    """The modules of the fencer without its HA manager."""
    return [path for path in (ROOT / "fencer").rglob("*.py") if "ha" not in path.relative_to(ROOT / "fencer").parts[:1]]


def test_it_imports_only_requests_and_cryptography() -> None:
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    strangers = found - set(sys.stdlib_module_names) - {"fencer", "_typeshed"}
    assert strangers <= ALLOWED
    assert "cryptography" in strangers  # the walk finds what is there


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the two libraries and the folder fencer without fencer/ha."""
    home = tmp_path_factory.mktemp("debian12")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    wanted = [f"{name}=={version}" for name, version in LIBRARIES.items()]
    command = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "-q", "install", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    (packages,) = home.glob("lib/python3*/site-packages")
    shutil.copytree(ROOT / "fencer", packages / "fencer", ignore=shutil.ignore_patterns("ha", "__pycache__"))
    return python


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    for start in started(quick_profile()):
        yield start(HostSpec(), tls=True)


def run(python: Path, endpoint: Endpoint, **given: str) -> dict[str, object]:
    values = {
        "action": "off", "ip": endpoint.host, "ipport": str(endpoint.redfish_port), "username": endpoint.username,
        "password": endpoint.password, "output": "json", "power_timeout": "40", **given,
    }  # fmt: skip
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    done = subprocess.run(
        [str(python), "-I", "-W", "error", "-m", "fencer.agent"], input=lines, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize("protocol", ["redfish", "ipmi", "redfish,ipmi"])
def test_it_fences_with_the_versions_of_debian_12(python: Path, emulator: Emulator, protocol: str) -> None:
    endpoint = emulator.endpoints["node1"]
    port = str(endpoint.ipmi_port if protocol == "ipmi" else endpoint.redfish_port)
    given = {"protocol": protocol, "ipport": port, "ssl_insecure": "1"}
    if protocol == "redfish,ipmi":
        given["ipmi_port"] = str(endpoint.ipmi_port)
    result = run(python, endpoint, **given)
    assert (result["verdict"], result["power"], result["failure"]) == ("confirmed", "off", None)
    assert emulator.call(lambda rack: rack.unit("node1").first().host.rail) is Rail.DOWN
