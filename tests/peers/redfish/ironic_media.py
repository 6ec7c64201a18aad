"""Sensors and virtual media over Ironic's redfish interfaces: `python -m tests.peers.redfish.ironic_media URL USER SYSTEM ISO`.

The password is in the environment (FENCELAB_PASSWORD). Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import sushy

from conformance.fencers.over_ironic import CONF, NODE_UUID, _Node, _Task, states  # it starts Ironic's parts in the right order

from ironic.drivers.modules.redfish import boot, management  # isort: skip
from ironic.drivers.modules.redfish import utils as redfish_utils  # isort: skip
from tests.peers.redfish.served import PASSWORD_VARIABLE


def main(url: str, user: str, system: str, image: str) -> None:
    CONF([], project="ironic", default_config_files=[])
    told = {
        "redfish_address": url, "redfish_username": user, "redfish_password": os.environ[PASSWORD_VARIABLE],
        "redfish_verify_ca": False, "redfish_system_id": system,
    }  # fmt: skip
    node = _Node(
        uuid=NODE_UUID, driver_info=told, driver_internal_info={}, properties={}, instance_info={}, extra={},
        provision_state=states.AVAILABLE,
    )  # fmt: skip
    task = _Task(node, None)
    task.driver.boot = SimpleNamespace(_get_acceptable_media_id=lambda task, resource: None)
    sensors = management.RedfishManagement().get_sensors_data(task)
    managers = redfish_utils.get_system(node).managers
    boot._insert_vmedia(task, managers, image, sushy.VIRTUAL_MEDIA_CD)
    inserted = [drive.image for drive in managers[0].virtual_media.get_members() if drive.inserted]
    boot._eject_vmedia(task, managers, sushy.VIRTUAL_MEDIA_CD)
    left = [drive.image for drive in redfish_utils.get_system(node).managers[0].virtual_media.get_members() if drive.inserted]
    print(json.dumps({"sensors": {kind: len(found) for kind, found in sensors.items()}, "inserted": inserted, "left": left}))


if __name__ == "__main__":
    main(*sys.argv[1:])
