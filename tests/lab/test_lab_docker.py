"""The compose lab on a real engine. The tests stand in an order that lets them share one lab: the last one takes it down."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.compose import ComposeLab, container_of
from lab.engine import compose, docker, remaining_objects
from lab.redfish_client import Client
from lab.settings import load_settings
from lab.site import BmcLogin

pytestmark = pytest.mark.timeout(600)

NODES = ("node1", "node2", "node3")
RunLab = Callable[..., subprocess.CompletedProcess[str]]
CLOUDSTACK = "cloudstack-4.22"
MEGABYTE = 1_000_000


def test_the_image_is_no_more_than_200_mb_above_its_base(image: str) -> None:
    size, base = (int(docker("image", "inspect", "-f", "{{.Size}}", name)) for name in (image, "debian:trixie-slim"))
    assert size - base <= 200 * MEGABYTE


def test_the_lab_is_ready_within_30_seconds_of_the_build(ready_after: float) -> None:
    assert ready_after <= 30


@pytest.fixture
def lab(ready_after: float) -> ComposeLab:
    return ComposeLab(load_settings())


def address_of_emulator() -> str:
    networks = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", container_of("emulator")))
    return str(next(iter(networks.values()))["IPAddress"])


def ipmi_power(host: str, port: int) -> str:
    command = ["ipmitool", "-I", "lanplus", "-H", host, "-p", str(port), "-U", "root", "-P", "calvin", "-R", "1"]
    return subprocess.run([*command, "chassis", "power", "status"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_bmc_answers_ipmitool_over_the_bridge_and_through_the_published_port(lab: ComposeLab, n: int) -> None:
    assert ipmi_power(address_of_emulator(), 6230 + n) == "Chassis Power is on"
    assert ipmi_power("127.0.0.1", int(os.environ[f"BMC{n}_IPMI"])) == "Chassis Power is on"


def test_the_emulator_is_controlled_from_outside_its_container(lab: ComposeLab) -> None:
    def types(*words: str) -> str:
        return compose("exec", "-T", "emulator", "bmc-emulator", *words)

    assert [line.split()[0] for line in types("ls").splitlines()] == ["BMC", "bmc1", "bmc2", "bmc3"]
    fault_id = types("fault", "add", "bmc3", "report.says", "word=On").strip()
    assert [each["id"] for each in json.loads(types("fault", "ls", "--json"))] == [fault_id]
    types("fault", "rm", fault_id)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_bmc_answers_redfish_over_the_bridge_and_through_the_published_port(lab: ComposeLab, n: int) -> None:
    published = lab.login(f"node{n}")
    bridge = BmcLogin(
        url=f"https://{address_of_emulator()}:{8440 + n}",
        username=published.username,
        password=published.password,
        system_uri=published.system_uri,
    )
    for login in (published, bridge):
        with Client(login) as bmc:
            assert bmc.power() == "On"


@pytest.mark.parametrize(("protocol", "port"), [("redfish", 8440), ("ipmi", 6230)])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_bmc_is_reached_by_name_from_another_container(lab: ComposeLab, n: int, protocol: str, port: int) -> None:
    words = ["fence_bmc", "--protocol", protocol, "--ip", f"bmc{n}", "--ipport", str(port + n), "--ssl-insecure"]
    done = subprocess.run(
        ["docker", "exec", container_of("fence-ha"), *words, "-l", "root", "-p", "calvin", "-o", "status"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_only_the_emulator_holds_the_engines_socket_and_nothing_runs_as_root(lab: ComposeLab) -> None:
    for service in ("emulator", "fence-ha", *NODES):
        facts = json.loads(docker("inspect", container_of(service)))[0]
        sockets = [mount for mount in facts["Mounts"] if mount["Destination"].endswith("docker.sock")]
        assert bool(sockets) is (service == "emulator")
        assert facts["Config"]["User"] == "lab"
        assert facts["HostConfig"]["ReadonlyRootfs"] is True
        assert facts["HostConfig"]["Init"] is True


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def unmanaged(lab: ComposeLab) -> Iterator[ComposeLab]:
    """The lab while nobody fences: what a BMC does to its host is the only thing that happens."""
    compose("stop", "fence-ha")
    yield lab
    for node in NODES:
        with Client(lab.login(node)) as bmc:
            if bmc.power() != "On":
                bmc.reset("On")
                bmc.await_power("On")


def test_a_container_that_dies_by_itself_is_a_host_that_went_down(unmanaged: ComposeLab) -> None:
    with Client(unmanaged.login("node3")) as bmc:
        docker("kill", container_of("node3"))
        bmc.await_power("Off")
        docker("start", container_of("node3"))
        bmc.await_power("On")


def test_a_polite_shutdown_never_kills_a_hung_host_and_a_hard_one_does(unmanaged: ComposeLab) -> None:
    with Client(unmanaged.login("node2")) as bmc:
        assert eventually(lambda: "mail1" in (unmanaged.agent("node2") or {}).get("vms", ()))  # type: ignore[operator]
        unmanaged.hang("node2")
        assert bmc.reset("GracefulShutdown") == 204
        asked = time.monotonic()
        # 100 writes take 5 s; compose's own stop would have killed it long before.
        assert eventually(lambda: sum(write.t > asked for write in unmanaged.writes()["mail1"] if write.host == "node2") > 100)
        assert bmc.power() == "On"
        assert bmc.reset("ForceOff") == 204
        bmc.await_power("Off")
        assert docker("inspect", "-f", "{{.State.Running}}", container_of("node2")).strip() == "false"


def test_a_paused_container_hears_no_polite_request_and_can_be_cut(unmanaged: ComposeLab) -> None:
    with Client(unmanaged.login("node3")) as bmc:
        bmc.await_power("On")
        docker("pause", container_of("node3"))
        assert bmc.reset("GracefulShutdown") == 204
        assert not eventually(lambda: docker("inspect", "-f", "{{.State.Paused}}", container_of("node3")).strip() != "true", 2.0)
        assert bmc.reset("ForceOff") == 204
        bmc.await_power("Off")


@pytest.mark.parametrize("reset", ["ForceRestart", "GracefulRestart", "PowerCycle"])
def test_a_restart_is_a_new_life_of_the_container(unmanaged: ComposeLab, reset: str) -> None:
    def life() -> str:
        return docker("inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", container_of("node3")).strip()

    with Client(unmanaged.login("node3")) as bmc:
        bmc.await_power("On")
        before = life()
        assert bmc.reset(reset) == 204
        assert eventually(lambda: life().startswith("true") and life() != before)
        bmc.await_power("On")


def test_a_diagnostic_interrupt_ends_the_container(unmanaged: ComposeLab) -> None:
    with Client(unmanaged.login("node3")) as bmc:
        bmc.await_power("On")
        assert bmc.reset("Nmi") == 204
        bmc.await_power("Off")


def test_after_a_hard_power_off_the_machines_write_elsewhere_within_10_seconds(image: str, run_lab: RunLab) -> None:
    played = run_lab("incident", "409")
    assert played.returncode == 0, played.stdout
    assert "GREEN incident 409, policy reference" in played.stdout
    assert "the BMC answers 409" in played.stdout
    assert "zero split brain" in played.stdout


def test_after_a_hang_the_machines_wait_for_a_confirmed_power_off_and_are_forgotten_by_the_old_node(
    image: str, run_lab: RunLab
) -> None:
    played = run_lab("incident", "hung")
    assert played.returncode == 0, played.stdout
    assert "GREEN incident hung, policy reference" in played.stdout
    assert "node1 is back and its old machines write nothing" in played.stdout


def test_control_the_lab_sees_that_cloudstack_never_declares_a_dead_host_down(image: str, run_lab: RunLab) -> None:
    played = run_lab("incident", "409", "--policy", CLOUDSTACK)
    assert played.returncode == 1, played.stdout
    verdict = played.stdout.splitlines()[-1]
    assert verdict.startswith("RED incident 409")
    assert "NOT DOWN" in verdict
    assert "GracefulShutdown -> 409" in verdict
    assert "SPLIT BRAIN" not in verdict


def test_control_the_oracle_sees_the_split_brain_of_a_fence_that_was_only_accepted(image: str, run_lab: RunLab) -> None:
    played = run_lab("incident", "hung", "--policy", CLOUDSTACK)
    assert played.returncode == 1, played.stdout
    verdict = played.stdout.splitlines()[-1]
    assert verdict.startswith("RED incident hung")
    assert "SPLIT BRAIN" in verdict


def test_the_lab_runs_without_fence_ha_for_a_manager_of_ones_own(image: str, run_lab: RunLab) -> None:
    assert run_lab("down").returncode == 0
    compose("up", "-d", "--wait", "--wait-timeout", "60", "emulator", *NODES)
    assert compose("ps", "--services").split() == ["emulator", *NODES]
    assert ipmi_power("127.0.0.1", int(os.environ["BMC1_IPMI"])) == "Chassis Power is on"


def test_lab_down_leaves_no_container_network_or_volume(image: str, run_lab: RunLab) -> None:
    assert remaining_objects()
    down = run_lab("down")
    assert down.returncode == 0, down.stdout
    assert remaining_objects() == []


def test_without_an_engine_the_lab_says_so_in_one_sentence(tmp_path: Path, run_lab: RunLab) -> None:
    answer = run_lab("up", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert answer.returncode == 4
    assert len(answer.stdout.splitlines()) == 1
    assert "make lab-local" in answer.stdout
