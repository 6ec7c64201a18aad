"""`bmc-emulator profile proxy` before an emulator that stands in for hardware: clients, a record, and a profile at the end."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from emulator import Emulator, HostSpec, UnitSpec
from profiles import lint, load
from profiles.scale import at_scale
from tests.commands import command, environment

PASSWORD = "c4nary-Passw0rd!"
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    unit = UnitSpec(name="node1", profile=at_scale(load("dell-idrac9"), 0.01), hosts=(HostSpec(),), password=PASSWORD)
    with Emulator([unit], latency=False) as running:
        yield running


def proxied(emulator: Emulator, record: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    """The proxy before the emulator, and its URL."""
    words = ["profile", "proxy", emulator.endpoints["node1"].redfish_url, "--insecure", "--record", str(record), *more]
    process = subprocess.Popen(
        [*command("bmc-emulator"), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("READY https://127.0.0.1:"), line
    return process, line.split()[1]


def ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


@pytest.mark.long
def test_what_clients_do_through_the_proxy_becomes_captured_cells(emulator: Emulator, tmp_path: Path) -> None:
    record = tmp_path / "our-board"
    process, url = proxied(emulator, record)
    endpoint = emulator.endpoints["node1"]
    system = f"{url}{endpoint.systems[0].uri}"
    with requests.Session() as one, requests.Session() as other:
        for client in (one, other):
            client.verify, client.auth, client.trust_env = str(record / "proxy.pem"), (endpoint.username, PASSWORD), False
        assert other.get(f"{url}/redfish/v1/").json()["Vendor"] == "Dell"
        assert other.get(f"{url}/redfish/v1/Managers/iDRAC.Embedded.1").status_code == 200
        assert one.get(system).json()["PowerState"] == "On"
        assert one.post(f"{system}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"}).status_code == 204
        until = time.monotonic() + 20
        while other.get(system).json()["PowerState"] != "Off":
            assert time.monotonic() < until
        again = one.post(f"{system}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"})
        assert again.status_code == 409
        assert one.get(system).json()["PowerState"] == "Off"
    output = ended(process)
    written = "".join(each.read_text() for each in record.iterdir())
    assert PASSWORD not in written + output
    lines = [json.loads(line) for line in (record / "exchanges.jsonl").read_text().splitlines()]
    assert {line["client"] for line in lines} == {1, 2}
    assert [line["status"] for line in lines if line["method"] == "POST"] == [204, 409]
    assert lint(record).ok, output
    found, source = load(record), load("dell-idrac9")
    assert (found.id, found.extends) == ("our-board", ("dell-idrac9",))
    cell = found.power.table["Off"]["ForceOff"]
    assert (cell.outcome, cell.evidence.sources) == (source.power.table["Off"]["ForceOff"].outcome, ("proxy",))
    assert found.power.table["On"]["ForceOff"].evidence.sources == ("proxy",)
    assert found.power.table["On"]["GracefulShutdown"].evidence.sources != ("proxy",), "nobody has tried it"


@pytest.mark.long
def test_a_proxy_that_saw_no_command_leaves_a_record_and_no_profile(emulator: Emulator, tmp_path: Path) -> None:
    record = tmp_path / "quiet"
    process, url = proxied(emulator, record)
    assert requests.get(f"{url}/redfish/v1/", verify=False, timeout=20).status_code == 200
    assert "no power command was watched" in ended(process)
    assert sorted(each.name for each in record.iterdir()) == ["exchanges.jsonl", "proxy.pem"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--listen", "localhost:1"], "give an IP address and a port"),
        (["--listen", "127.0.0.1"], "give an IP address and a port"),
        (["--listen", "127.0.0.1:99999"], "give an IP address and a port"),
        (["--listen", "192.0.2.1:0"], "192.0.2.1:0: cannot assign requested address"),
        (["--cacert", "/nowhere"], "no certificates can be read from it"),
    ],
)
def test_what_cannot_be_started_is_one_sentence(more: list[str], said: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from emulator.cli import cli

    words = ["profile", "proxy", "https://127.0.0.1:1", "--record", str(tmp_path / "x"), *more]
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, said in result.output) == (2, True), result.output
