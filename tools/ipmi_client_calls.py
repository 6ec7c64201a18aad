"""Single calls of the Python clients: `python -m tools.ipmi_client_calls pyghmi|rmcp|ipmitool HOST USER PASSWORD CALL...`.

A call is a method's name, or `name=[arguments]` or `name={keywords}` in JSON; what it returns or raises is a line of the output.
The last line says how long the slowest call took: nothing that a BMC answers may end in a client's time-out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import pyipmi
import pyipmi.interfaces
from pyghmi.ipmi import command

TOO_LONG_S = 5.0


def connect(kind: str, host: str, user: str, password: str) -> Any:
    if kind == "pyghmi":
        return command.Command(bmc=host, userid=user, password=password)
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
    return connection


def plain(value: object) -> object:
    """What a call has returned, with the fields of the clients' own objects."""
    if isinstance(value, Iterator):
        value = list(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if type(value).__module__.startswith(("pyghmi", "pyipmi")) and hasattr(value, "__dict__"):
        return {key: plain(item) for key, item in vars(value).items() if not key.startswith("__")} or str(value)
    return value


def make(client: Any, call: str) -> str:
    name, _, given = call.partition("=")
    arguments = json.loads(given) if given else []
    try:
        if name == "sensors_and_values":
            return f"{name}: {sensors_and_values(client)}"
        method = getattr(client, name)
        result = method(**arguments) if isinstance(arguments, dict) else method(*arguments)
        return f"{name}: {plain(result)}"
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what the line is about
        return f"{name}: {type(error).__module__}.{type(error).__name__}: {error}"


def sensors_and_values(client: Any) -> str:
    """python-ipmi hands out raw bytes: every sensor's, converted by its record."""
    records = [record for record in client.sdr_repository_entries() if hasattr(record, "convert_sensor_raw_to_value")]
    readings = {record.device_id_string: (record, client.get_sensor_reading(record.number)[0]) for record in records}
    return ", ".join(f"{name} {record.convert_sensor_raw_to_value(raw):g}" for name, (record, raw) in readings.items())


def main() -> int:
    kind, host, user, password, *calls = sys.argv[1:]
    client, slowest = connect(kind, host, user, password), 0.0
    for call in calls:
        began = time.monotonic()
        print(make(client, call))
        slowest = max(slowest, time.monotonic() - began)
    print("all in time" if slowest < TOO_LONG_S else f"too slow: {slowest:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
