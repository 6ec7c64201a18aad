"""pyghmi's own client, told what to do: `python -m tools.ipmi_client_pyghmi HOST USER PASSWORD WHAT`."""

from __future__ import annotations

import sys
import time

from pyghmi.ipmi import command, console


def text(heard: list[object]) -> str:
    """The characters of a console; what else it hands over is what it has to say of itself."""
    return b"".join(bytes(part) for part in heard if isinstance(part, bytes | bytearray | memoryview)).decode(errors="replace")


def watch_a_reboot() -> None:
    """The console has a session of its own, and the host is reset in it: a console that joins one is never told that it is up."""
    heard: list[object] = []
    terminal = console.Console(bmc=host, userid=user, password=password, iohandler=heard.append, force=True)
    until = time.monotonic() + 20
    while not terminal.connected and time.monotonic() < until:
        terminal.wait_for_rsp(timeout=0.5)
    terminal.ipmi_session.raw_command(netfn=0, command=2, data=(3,))
    while "login:" not in text(heard) and time.monotonic() < until:
        terminal.wait_for_rsp(timeout=0.5)
    print(text(heard))
    terminal.close()


host, user, password, what = sys.argv[1:5]
if what == "console":
    watch_a_reboot()
    raise SystemExit
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
