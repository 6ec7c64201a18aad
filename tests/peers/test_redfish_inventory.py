"""Boot override, logs, sensors, virtual media, BIOS and firmware, by the clients that people use for them; and one story."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sushy

from tests.peers.redfish.clients import ansible, curl, ipmitool, over_sushy, tacklebox, until
from tests.peers.redfish.promising import promising
from tests.peers.redfish.served import Served, environment

pytestmark = pytest.mark.timeout(300)

ISO = "http://127.0.0.1/fence.iso"


def boot_of(service: Served) -> tuple[str, str]:
    boot = json.loads(curl(service, "GET", service.system)[1].out)["Boot"]
    return boot["BootSourceOverrideEnabled"], boot["BootSourceOverrideTarget"]


def eventually(look: Callable[[], bool]) -> bool:
    """Looks again and again; each look starts a process or asks the service, so it needs no pause."""
    return any(look() for _ in range(200))


# -- boot --------------------------------------------------------------------------------------------------------------


def test_rf_boot_override_is_used_up_by_the_next_boot(bmc: Served) -> None:
    assert tacklebox(bmc, "rf_boot_override", "--target", "Pxe").code == 0
    assert boot_of(bmc) == ("Once", "Pxe")
    assert "Pxe" in tacklebox(bmc, "rf_boot_override", "--info").out
    assert tacklebox(bmc, "rf_power_reset", "--type", "ForceRestart").code == 0
    assert eventually(lambda: boot_of(bmc)[0] == "Disabled")


def test_sushy_sets_a_boot_device_that_stays(bmc: Served) -> None:
    with over_sushy(bmc) as service_root:
        system = service_root.get_system(bmc.system)
        assert sushy.BOOT_SOURCE_TARGET_PXE in system.get_allowed_system_boot_source_values()
        system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_HDD, enabled=sushy.BOOT_SOURCE_ENABLED_CONTINUOUS)
        assert boot_of(bmc) == ("Continuous", "Hdd")
        system.reset_system(sushy.RESET_FORCE_OFF)
        until(bmc, "Off")
        system.reset_system(sushy.RESET_ON)
        until(bmc, "On")
        assert boot_of(bmc) == ("Continuous", "Hdd")


def test_ansible_sets_a_one_time_boot(bmc: Served, tmp_path: Path) -> None:
    done = ansible(bmc, "redfish_command", tmp_path, category="Systems", command="SetOneTimeBoot", bootdevice="BiosSetup")
    assert done["changed"] is True
    assert boot_of(bmc) == ("Once", "BiosSetup")


# -- virtual media -----------------------------------------------------------------------------------------------------


def test_rf_virtual_media_inserts_and_ejects(bmc: Served) -> None:
    assert tacklebox(bmc, "rf_virtual_media", "insert", "--image", ISO, "--id", "CD1").code == 0
    assert ISO in tacklebox(bmc, "rf_virtual_media", "info").out
    assert tacklebox(bmc, "rf_virtual_media", "eject", "--id", "CD1").code == 0
    assert ISO not in tacklebox(bmc, "rf_virtual_media", "info").out


def test_sushy_inserts_and_ejects(bmc: Served) -> None:
    with over_sushy(bmc) as service_root:
        system = service_root.get_system(bmc.system)
        drive = system.virtual_media.get_members()[0]
        drive.insert_media(ISO)
        drive.refresh(force=True)
        assert (drive.inserted, drive.image) == (True, ISO)
        drive.eject_media()
        drive.refresh(force=True)
        assert drive.inserted is False


def test_ansible_inserts_and_ejects(bmc: Served, tmp_path: Path) -> None:
    def media(command: str) -> bool:
        options = {"category": "Systems", "command": command, "virtual_media": json.dumps({"image_url": ISO})}
        told = ansible(bmc, "redfish_command", tmp_path, **options, resource_id=bmc.system.rpartition("/")[2])
        return bool(told["changed"])

    assert media("VirtualMediaInsert")
    assert ISO in tacklebox(bmc, "rf_virtual_media", "info").out
    assert media("VirtualMediaEject")


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "shown"),
    [("rf_firmware_inventory", "P79 v1.45"), ("rf_bios_settings", "BootMode"), ("rf_sensor_list", "Inlet Temp")],
)
def test_a_tool_shows_what_is_in_the_box(bmc: Served, tool: str, shown: str) -> None:
    listed = tacklebox(bmc, tool)
    assert (listed.code, shown in listed.out) == (0, True), listed.out


def test_rf_logs_shows_power_changes_and_clears_them(bmc: Served) -> None:
    assert tacklebox(bmc, "rf_power_reset", "--type", "ForceOff").code == 0
    until(bmc, "Off")
    listed = tacklebox(bmc, "rf_logs", "--system")
    assert (listed.code, "powered off" in listed.out) == (0, True), listed.out
    assert tacklebox(bmc, "rf_logs", "--system", "--clear").code == 0
    cleared = tacklebox(bmc, "rf_logs", "--system").out
    assert ("The log was cleared." in cleared, "powered off" in cleared) == (True, False), cleared


# -- one story ---------------------------------------------------------------------------------------------------------


def test_one_power_change_and_everybody_tells_the_same_story(serve: Callable[..., Served], tmp_path: Path) -> None:
    """ForceOff by Redfish, promised as a task; then System, Chassis, IPMI, the event stream, the list of tasks, the log, the
    sensors and the journal's rail agree."""
    bmc = serve(promising(tmp_path, after_s=1))
    login = ("-u", f"{bmc.user}:{bmc.password}")
    stream = subprocess.Popen(
        ["curl", "-skN", *login, "-H", "Accept: text/event-stream", f"{bmc.url}/redfish/v1/EventService/SSE"],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stream.stdout is not None
    heard: list[str] = []
    power_off, task_over = threading.Event(), threading.Event()

    def listen() -> None:
        for line in stream.stdout or ():
            heard.append(line)
            if line.startswith("data:") and bmc.system in line and ("Off" in line or "PowerState" in line):
                power_off.set()
            if "TaskEvent.1.0.TaskCompletedOK" in line:
                task_over.set()

    reader = threading.Thread(target=listen)
    reader.start()
    try:
        subscriptions = "/redfish/v1/EventService/Subscriptions"
        assert eventually(lambda: json.loads(curl(bmc, "GET", subscriptions)[1].out)["Members@odata.count"] == 1)
        warm = _fans(bmc)
        assert tacklebox(bmc, "rf_power_reset", "--type", "ForceOff").code == 0
        until(bmc, "Off")
        assert power_off.wait(30), heard
        assert task_over.wait(30), heard
    finally:
        stream.terminate()
        stream.wait(20)
        reader.join()
        stream.stdout.close()
    assert json.loads(curl(bmc, "GET", "/redfish/v1/Chassis/1U")[1].out)["PowerState"] == "Off"
    assert ipmitool(bmc, "chassis", "power", "status").out == "Chassis Power is off\n"
    assert max(warm) > 0
    assert max(_fans(bmc)) < max(warm)
    assert "powered off" in tacklebox(bmc, "rf_logs", "--system").out
    (task,) = json.loads(curl(bmc, "GET", "/redfish/v1/TaskService/Tasks?$expand=.($levels=1)")[1].out)["Members"]
    assert (task["Name"], task["TaskState"]) == ("Computer Reset", "Completed")
    assert [event["rail"] for event in bmc.events() if event["kind"] == "rail"][-1] == "down"


def _fans(service: Served) -> list[float]:
    """What the fans' sensors say; one that says nothing stands still."""
    sensors = json.loads(curl(service, "GET", "/redfish/v1/Chassis/1U/Sensors?$expand=.($levels=1)")[1].out)["Members"]
    return [float(sensor.get("Reading") or 0) for sensor in sensors if "Fan" in sensor["Name"]]
