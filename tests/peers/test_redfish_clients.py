"""redfishtool, redfish-utilities, sushy, Ansible and curl do what their users ask, and the journal agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sushy

from profiles import load
from tests.effort import profiles_to_try
from tests.peers.redfish.clients import ansible, curl, over_sushy, redfishtool, resets, tacklebox, until
from tests.peers.redfish.served import Served

pytestmark = pytest.mark.timeout(300)

GENERIC = "dmtf-generic"
Serve = Callable[..., Served]


# -- curl --------------------------------------------------------------------------------------------------------------


def test_curl_reads_conditionally_and_resets(bmc: Served) -> None:
    status, read = curl(bmc, "GET", bmc.system, "-D", "-")
    head, _blank, body = read.out.replace("\r", "").partition("\n\n")
    tag = next(line.split(": ", 1)[1] for line in head.splitlines() if line.lower().startswith("etag"))
    assert (status, json.loads(body)["PowerState"]) == (200, "On")
    assert curl(bmc, "GET", bmc.system, "-H", f"If-None-Match: {tag}")[0] == 304
    reset = f"{bmc.system}/Actions/ComputerSystem.Reset"
    off = ("-H", "Content-Type: application/json", "-d", '{"ResetType": "ForceOff"}')
    assert curl(bmc, "POST", reset, *off)[0] == 204
    until(bmc, "Off")
    assert resets(bmc) == ["ForceOff"]


# -- redfishtool -------------------------------------------------------------------------------------------------------


def test_redfishtool_reads_and_resets(bmc: Served) -> None:
    got = redfishtool(bmc, "Systems", "-F")
    assert (got.code, got.json["PowerState"]) == (0, "On"), got.err
    assert redfishtool(bmc, "Chassis", "-F").json["@odata.type"].startswith("#Chassis.")
    assert redfishtool(bmc, "Managers", "-F").json["@odata.type"].startswith("#Manager.")
    assert redfishtool(bmc, "Systems", "-F", "reset", "ForceOff").code == 0
    until(bmc, "Off")
    assert redfishtool(bmc, "Systems", "-F", "reset", "On").code == 0
    until(bmc, "On")
    assert resets(bmc) == ["ForceOff", "On"]


def test_redfishtool_lists_accounts_and_sessions(bmc: Served) -> None:
    assert redfishtool(bmc, "AccountService", "Accounts").json["Members"][0]["@odata.id"].endswith(f"/{bmc.user}")
    assert redfishtool(bmc, "-A", "Session", "SessionService", "Sessions").json["Members@odata.count"] == 1


# -- redfish-utilities -------------------------------------------------------------------------------------------------


def test_rf_power_reset_shows_what_is_possible_and_does_it(bmc: Served) -> None:
    shown = tacklebox(bmc, "rf_power_reset", "--info")
    assert shown.code == 0
    assert all(word in shown.out for word in load(GENERIC).power.reset_types), shown.out
    for word, state in (("ForceOff", "Off"), ("On", "On"), ("GracefulShutdown", "Off"), ("ForceRestart", "On")):
        assert tacklebox(bmc, "rf_power_reset", "--type", word).code == 0
        until(bmc, state)
    assert resets(bmc) == ["ForceOff", "On", "GracefulShutdown", "ForceRestart"]


def test_rf_sys_inventory_walks_the_tree(bmc: Served) -> None:
    walked = tacklebox(bmc, "rf_sys_inventory")
    assert walked.code == 0
    assert "437XR1138R2" in walked.out or "3500" in walked.out, walked.out


def test_rf_accounts_lists_who_can_log_in(bmc: Served) -> None:
    listed = tacklebox(bmc, "rf_accounts")
    assert (listed.code, bmc.user in listed.out, "Administrator" in listed.out) == (0, True, True), listed.out


def test_rf_raw_request_gets_the_root(bmc: Served) -> None:
    got = tacklebox(bmc, "rf_raw_request", "--request", "/redfish/v1/")
    assert (got.code, got.json["@odata.id"]) == (0, "/redfish/v1/")


# -- sushy -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", profiles_to_try())
def test_sushy_reads_system_chassis_and_manager_and_fences(serve: Serve, name: str) -> None:
    service = serve(name)
    with over_sushy(service) as root:
        system = root.get_system(service.system)
        assert system.power_state == sushy.PowerState.ON
        assert system.chassis
        assert system.managers
        assert sushy.RESET_FORCE_OFF in system.get_allowed_reset_system_values()
        system.reset_system(sushy.RESET_FORCE_OFF)
        until(service, "Off")
        system.refresh(force=True)
        assert system.power_state == sushy.PowerState.OFF
        assert resets(service) == ["ForceOff"]


def test_sushy_hears_the_vendors_refusal(serve: Serve) -> None:
    service = serve("dell-idrac9")
    with over_sushy(service) as service_root:
        system = service_root.get_system(service.system)
        with pytest.raises(sushy.exceptions.HTTPError, match="already powered ON") as refused:
            system.reset_system(sushy.RESET_ON)
        assert refused.value.status_code == 409


# -- Ansible -----------------------------------------------------------------------------------------------------------


def test_ansible_reads_and_switches(bmc: Served, tmp_path: Path) -> None:
    facts = ansible(bmc, "redfish_info", tmp_path, category="Systems", command="GetSystemInventory")
    entries = facts["redfish_facts"]["system"]["entries"]
    assert entries[0][1]["PowerState"] == "On"
    done = ansible(bmc, "redfish_command", tmp_path, category="Systems", command="PowerForceOff")
    assert done["changed"] is True
    until(bmc, "Off")
    again = ansible(bmc, "redfish_command", tmp_path, category="Systems", command="PowerForceOff")
    assert again["changed"] is False
    assert resets(bmc) == ["ForceOff"]


def test_ansible_opens_and_closes_a_session(bmc: Served, tmp_path: Path) -> None:
    made = ansible(bmc, "redfish_command", tmp_path, category="Sessions", command="CreateSession")
    assert made["session"]["uri"].startswith("/redfish/v1/SessionService/Sessions/")
    assert len(made["session"]["token"]) >= 16
