"""python-ipmi, told what to do: `python -m tools.ipmi_client_pyipmi INTERFACE HOST USER PASSWORD WHAT`."""

from __future__ import annotations

import sys
import time

import pyipmi
import pyipmi.interfaces

kind, host, user, password, what = sys.argv[1:6]
settings = {"rmcp": {"keep_alive_interval": 0}, "ipmitool": {"interface_type": "lanplus"}}[kind]
connection = pyipmi.create_connection(pyipmi.interfaces.create_interface(kind, **settings))
connection.session.set_session_type_rmcp(host, port=623)
connection.session.set_auth_type_user(user, password)
connection.session.set_priv_level("ADMINISTRATOR")
connection.target = pyipmi.Target(ipmb_address=0x20)
if kind == "rmcp":
    connection.open()
else:
    connection.session.establish()
match what:
    case "device":
        print(connection.get_device_id())
    case "power":
        connection.chassis_control_power_down()
        time.sleep(0.3)
        print(f"power_on: {connection.get_chassis_status().power_on}")
    case "sensors":
        print([getattr(record, "device_id_string", "") for record in connection.sdr_repository_entries()])
    case "inventory":
        print(connection.get_fru_inventory(0).product_info_area.name)
    case "log":
        connection.chassis_control_power_down()
        time.sleep(0.3)
        print(f"entries: {len(list(connection.sel_entries()))}")
connection.session.close()
