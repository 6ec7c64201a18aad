"""What tools expect of one vendor: media at the manager, Power and Thermal (iDRAC9); JSON without blanks (Supermicro)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.redfish.clients import ansible, tacklebox
from tests.peers.redfish.served import CHECKOUT, PASSWORD_VARIABLE, Served, environment

pytestmark = pytest.mark.timeout(300)

ISO = "http://127.0.0.1/fence.iso"
DEVICE = Path("/etc/powerman/redfish-supermicro.dev")


@pytest.fixture
def idrac(serve: Callable[..., Served]) -> Served:
    return serve("dell-idrac9")


def test_ironic_reads_sensors_and_mounts_an_image_at_the_manager(idrac: Served) -> None:
    line = (sys.executable, "-W", "ignore", "-m", "tests.peers.redfish.ironic_media", idrac.url, idrac.user, idrac.system, ISO)
    ran = subprocess.run(
        line, cwd=CHECKOUT, env=environment(**{PASSWORD_VARIABLE: idrac.password}), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert all(told["sensors"][kind] for kind in ("Fan", "Temperature", "Power", "Drive")), told
    assert (told["inserted"], told["left"]) == ([ISO], [])


def test_ansible_inserts_and_ejects_at_the_manager(idrac: Served, tmp_path: Path) -> None:
    def media(command: str) -> bool:
        options = {"category": "Manager", "command": command, "virtual_media": json.dumps({"image_url": ISO})}
        return bool(ansible(idrac, "redfish_command", tmp_path, **options, resource_id="iDRAC.Embedded.1")["changed"])

    assert media("VirtualMediaInsert")
    assert ISO in tacklebox(idrac, "rf_virtual_media", "info").out
    assert media("VirtualMediaEject")


def test_rf_virtual_media_finds_the_media_of_the_manager(idrac: Served) -> None:
    assert tacklebox(idrac, "rf_virtual_media", "insert", "--image", ISO).code == 0
    assert ISO in tacklebox(idrac, "rf_virtual_media", "info").out


# -- powerman -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def powerman(serve: Callable[..., Served], tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Gives orders to powermand with Debian's own device file, in which only the log-in is filled in."""
    bmc = serve("supermicro-x12")
    device = tmp_path / "redfish-supermicro.dev"
    device.touch(mode=0o600)
    device.write_text(DEVICE.read_text().replace("USER:PASS", f"{bmc.user}:{bmc.password}"))
    url = "/".join(bmc.url.split("/")[:3])
    configuration = tmp_path / "powerman.conf"
    configuration.write_text(
        f'include "{device}"\n'
        f'device "bmc" "redfish-supermicro" "/usr/sbin/httppower -u {url} -H Content-Type:application/json |&"\n'
        'node "node1" "bmc" "node1"\n'
    )
    line = ("powermand", "--conf", str(configuration), "--stdio", "--foreground", "--one-client")
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:

        def order(words: str) -> str:
            assert daemon.stdin is not None
            assert daemon.stdout is not None
            daemon.stdin.write(f"{words}\r\n")
            daemon.stdin.flush()
            said: list[str] = []
            for answer in daemon.stdout:
                said.append(answer.removeprefix("powerman> ").strip())
                if said[-1][:1] in ("1", "2"):
                    break
            return "\n".join(said)

        yield order
        daemon.terminate()


def test_powerman_with_debians_device_file_switches_a_supermicro(powerman: Callable[[str], str]) -> None:
    """Its pattern has no blank after the colon: a service that writes one is never understood."""
    assert "on node1" in " ".join(powerman("status node1").split()).replace("on: ", "on ")
    assert powerman("off node1").splitlines()[-1].startswith("102")
    assert "off node1" in " ".join(powerman("status node1").split()).replace("off: ", "off ")
