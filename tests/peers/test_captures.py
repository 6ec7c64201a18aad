"""Every published capture of a real BMC becomes a profile that lints, starts, and serves what was captured.

The archives are test data beside the project (`FENCELAB_CAPTURES`, else `../shared/data/captures`); see README there.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tarfile
from pathlib import Path
from typing import BinaryIO, Final, cast

import pytest
from click.testing import CliRunner

from emulator import HostSpec, SocketlessEmulator, UnitSpec
from emulator.cli import cli
from emulator.profile_tools.json_values import JsonObject
from emulator.profile_tools.mockup_files import mockup
from emulator.profile_tools.resource_tree import ROOT, ResourceTree
from emulator.profile_tools.scrub import scrubbed
from emulator.redfish.service.json_form import without_slashes
from profiles import lint, load
from tests.lacking import leave_out

CAPTURES: Final = Path(os.environ.get("FENCELAB_CAPTURES", "../shared/data/captures"))
ARCHIVES: Final = sorted(CAPTURES.glob("*.tar.gz"))
SEED: Final = "a seed"
OURS: Final = frozenset({"SessionService", "AccountService", "TaskService", "JobService", "EventService", "CertificateService"})
LIVE: Final = frozenset(
    {"PowerState", "SerialNumber", "UUID", "HostName", "IndicatorLED", "LocationIndicatorActive", "@odata.etag"}
)
_BASE: Final = re.compile(rb'"Registry": *"Base\.v?([0-9]+)[._]([0-9]+)')


def test_there_are_captures() -> None:
    if not ARCHIVES:
        leave_out(f"no captures in {CAPTURES}: put the archives there or set FENCELAB_CAPTURES")


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name.removesuffix(".tar.gz"))
def test_a_capture_lints_starts_and_equals_its_source_but_for_scrubbed_values(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "captured"
    result = CliRunner().invoke(cli, ["profile", "capture", str(archive), "--out", str(out), "--seed", SEED])
    assert result.exit_code == 0, result.output
    source = mockup(archive)
    written = resources(out)
    clean = scrubbed(source, SEED.encode()).tree.resources
    expected = {path: body for path, body in clean.items() if path == ROOT or path.startswith(f"{ROOT}/")}
    assert [path for path in expected.keys() | written.keys() if expected.get(path) != written.get(path)] == []
    assert_scrubbed_only(source, clean)
    report = lint(out)
    assert report.ok, report.problems
    assert (report.cells_known, report.ipmi_known) == (0, 0)
    served(out, written)


MODELLED_ON: Final = {
    "dell-idrac9": "dell-r750-idrac9-6.00.30",
    "hpe-ilo5": "hpe-dl385gen10plusv2-ilo5-2.72",
    "hpe-ilo6": "hpe-dl380a-ilo",
    "hpe-ilo7": "hpe-dl360gen12-ilo7",
    "lenovo-xcc": "lenovo-sr670v2-xcc-2.83",
    "nvidia-bluefield": "nvidia-bluefield-bmc",
    "nvidia-dgx": "nvidia-dgx-h100-ami",
    "supermicro-x10": "supermicro-x10-redfish_ctl",
    "supermicro-x13": "supermicro-libredfish",
}


@pytest.mark.parametrize("name", MODELLED_ON)
def test_a_profile_has_the_base_registry_that_its_capture_names(name: str) -> None:
    archive = CAPTURES / f"{MODELLED_ON[name]}.tar.gz"
    if not archive.is_file():
        leave_out(f"no {archive}: put the archives there or set FENCELAB_CAPTURES")
    named: set[str] = set()
    with tarfile.open(archive) as files:
        for member in files:
            if member.isfile() and member.name.endswith(".json") and "Registries" in member.name:
                text = cast(BinaryIO, files.extractfile(member)).read()
                named |= {b".".join(found).decode() for found in _BASE.findall(text)}
    assert load(name).vars["base"] in named


def resources(out: Path) -> dict[str, JsonObject]:
    home = out / "resources"
    return {f"/{file.parent.relative_to(home)}": json.loads(file.read_text()) for file in home.rglob("index.json")}


def assert_scrubbed_only(source: ResourceTree, clean: object) -> None:
    """Only texts differ, and few of them: no value gets another type, and nothing is lost or added."""
    assert isinstance(clean, dict)
    pairs = list(zip(source.resources.values(), clean.values(), strict=True))
    texts = changed = 0
    while pairs:
        old, new = pairs.pop()
        assert type(old) is type(new)
        if isinstance(old, dict) and isinstance(new, dict):
            pairs += zip(old.values(), new.values(), strict=True)
        elif isinstance(old, list) and isinstance(new, list):
            pairs += zip(old, new, strict=True)
        elif isinstance(old, str):
            texts, changed = texts + 1, changed + (old != new)
        else:
            assert old == new
    assert 0 < changed < 0.05 * texts, (changed, texts)


def served(out: Path, written: dict[str, JsonObject]) -> None:
    """Every resource that is not the emulator's own is served as it was captured."""
    profile = load(out)
    unit = UnitSpec(name="captured", profile=profile, hosts=(HostSpec(),))
    with SocketlessEmulator([unit], tls=False, latency=False) as emulator:
        endpoint = emulator.endpoints["captured"]
        transport, _ = emulator.client("captured", limit_s=1e6)
        login = base64.b64encode(f"{endpoint.username}:{endpoint.password}".encode()).decode()
        for path, body in written.items() if profile.resources.base is not None else ():
            if path == ROOT or path.removeprefix(f"{ROOT}/").partition("/")[0] in OURS:
                continue
            url = f"{endpoint.redfish_url.replace('https:', 'http:')}{path}"
            answer = transport.http("GET", url, {"Authorization": f"Basic {login}"}, None, 30.0)
            if answer.status == profile.http.slash_status:  # http.slash: redirect
                answer = transport.http("GET", f"{url}/", {"Authorization": f"Basic {login}"}, None, 30.0)
            assert answer.status == 200, (path, answer.status, answer.body[:300])
            differs = differences(shown(json.loads(answer.body), path), shown(body, path))
            assert differs == [], path


def differences(one: JsonObject, other: JsonObject) -> list[str]:
    """The names of properties that differ: short where a body is long."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def shown(body: JsonObject, path: str) -> JsonObject:
    """A body without what is alive, of a system and a chassis, and without its tag. Links may follow the path asked for."""
    body = cast(JsonObject, without_slashes(body))
    is_machine = path.count("/") == 4 and path.split("/")[3] in ("Systems", "Chassis")
    return {name: value for name, value in body.items() if name != "@odata.etag" and not (is_machine and name in LIVE)}
