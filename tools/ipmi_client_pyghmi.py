"""pyghmi's own client, told what to do: `python -m tools.ipmi_client_pyghmi HOST USER PASSWORD WHAT`."""

from __future__ import annotations

import sys

from pyghmi.ipmi import command

host, user, password, what = sys.argv[1:5]
client = command.Command(bmc=host, userid=user, password=password)
match what:
    case "power":
        print(client.set_power("off", wait=10), client.get_power()["powerstate"])
    case "sensors":
        print([(reading.name, reading.value) for reading in client.get_sensor_data()])
    case "inventory":
        print(client.get_inventory_of_component("System"))
    case "log":
        client.set_power("off", wait=10)
        print(list(client.get_event_log()))
    case "users":
        print(client.get_users())
    case "network":
        print(client.get_net_configuration())
    case "bootdev":
        client.set_bootdev("network")
        print(client.get_bootdev())
