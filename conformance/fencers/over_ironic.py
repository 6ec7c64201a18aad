"""The fencers `ironic-redfish` and `ironic-ipmitool`: the conductor code and power interfaces of OpenStack Ironic.

The suite's python adapter runs `redfish` or `ipmitool`. Ironic's `node_power_action` does the work as in its conductor: it reads
the state, leaves out what is done already, orders, and waits 10 s for the state to be told (Ironic's default is 60 s). A node and
a task of our own take the place of its database; notifications, child nodes and history are switched off.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Final, Protocol

NOT_NEEDED: Final = (
    "ironic.api", "ironic.api.controllers", "ironic.api.controllers.v1", "ironic.api.controllers.v1.utils", "ironic.common.mdns",
)  # fmt: skip
"""Ironic's REST API and its announcement in the network, which its power code imports and never calls. Empty modules stand for
them: with the optional packages below they are three quarters of the processor time of a start."""
DONE_WITHOUT: Final = ("eventlet", "rfc3987_syntax")
"""Optional packages, taken as not installed: another way of running threads, and a check of the form `iri` in JSON schemas."""
sys.modules.update({name: ModuleType(name) for name in NOT_NEEDED})
sys.modules.update(dict.fromkeys(DONE_WITHOUT))  # type: ignore[arg-type]  # None: an import says that there is no such module

warnings.showwarning = lambda *warning: None  # some of its libraries warn at every start
from oslo_service import backend  # noqa: E402

backend.init_backend(backend.BackendType.THREADING)  # as Ironic's own commands do it, before anything else of it is imported

from ironic.common import context, state_machine, states  # noqa: E402
from ironic.conductor import task_manager  # noqa: E402
from ironic.conductor import utils as conductor  # noqa: E402
from ironic.conf import CONF  # noqa: E402

TARGET: Final = {"off": states.POWER_OFF, "on": states.POWER_ON, "reboot": states.REBOOT}
STATUS: Final = {states.POWER_ON: "on", states.POWER_OFF: "off"}
NODE_UUID: Final = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"


class _Node(SimpleNamespace):
    """The fields of Ironic's Node that its power code reads and writes, by attribute or by item; nothing is stored."""

    def __getattr__(self, name: str) -> None:
        """A field that nobody has set is empty."""
        if name.startswith("_"):
            raise AttributeError(name)

    def __setitem__(self, name: str, value: object) -> None:
        setattr(self, name, value)

    def __getitem__(self, name: str) -> object:
        return getattr(self, name)

    def save(self) -> None:
        """There is no database."""

    def timestamp_driver_internal_info(self, name: str) -> None:
        self.driver_internal_info[name] = ""

    def set_driver_internal_info(self, name: str, value: object) -> None:
        self.driver_internal_info[name] = value

    def del_driver_internal_info(self, name: str) -> None:
        self.driver_internal_info.pop(name, None)


class _Task(task_manager.TaskManager):
    """A task that has reserved its node; there is nobody else who could want it."""

    def __init__(self, node: _Node, interface: object) -> None:  # the parent's would reserve the node in the database
        self.fsm = state_machine.machine.copy()
        self.context = context.get_admin_context()
        self.node = node
        self.driver = SimpleNamespace(power=interface, management=None)
        self.shared = False


def redfish(action: str, bmc: Mapping[str, str]) -> str | None:
    """One action over Ironic's redfish power interface; returns its claim."""
    from ironic.drivers.modules.redfish import power as redfish_driver

    told = {
        "redfish_address": bmc["url"],
        "redfish_username": bmc["user"],
        "redfish_password": bmc["password"],
        "redfish_verify_ca": False if bmc["insecure"] else bmc["ca_file"] or True,
    }
    selected = {"redfish_system_id": bmc["system_uri"]} if bmc["system_uri"] else {}
    return _power(action, redfish_driver.RedfishPower(), {**told, **selected})


def ipmitool(action: str, bmc: Mapping[str, str]) -> str | None:
    """One action over Ironic's ipmitool power interface; returns its claim."""
    from ironic.drivers.modules import ipmitool as ipmitool_driver

    told = {
        "ipmi_address": bmc["ipmi_host"],
        "ipmi_port": bmc["ipmi_port"],
        "ipmi_username": bmc["user"],
        "ipmi_password": bmc["password"],
    }
    return _power(action, ipmitool_driver.IPMIPower(), told)


class _PowerInterface(Protocol):
    def get_power_state(self, task: _Task) -> str: ...


def _power(action: str, interface: _PowerInterface, driver_info: Mapping[str, object]) -> str | None:
    CONF([], project="ironic", default_config_files=[])
    CONF.set_override("power_state_change_timeout", 10, group="conductor")
    CONF.set_override("node_history", False, group="conductor")
    conductor.notify_utils.emit_power_set_notification = lambda *said: None
    conductor._handle_child_power_off = conductor._handle_child_power_on = lambda task, state, timeout: None
    node = _Node(
        uuid=NODE_UUID, driver_info=dict(driver_info), driver_internal_info={}, properties={}, instance_info={}, extra={},
        disable_power_off=False, provision_state=states.AVAILABLE,
    )  # fmt: skip
    task = _Task(node, interface)
    if action == "status":
        return STATUS[interface.get_power_state(task)]
    conductor.node_power_action(task, TARGET[action])
    return None
