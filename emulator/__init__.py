"""BMCs that behave like real ones, with a ground-truth journal. This module is the whole public API of the emulator.

from emulator import Emulator, HostSpec, UnitSpec
from profiles import load

with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"), hosts=(HostSpec(power="off"),))]) as emulator:
    print(emulator.endpoints["node1"].redfish_url)

The suite, the lab and the demonstration import these names and nothing below them; import-linter checks it. The names are loaded
on first use, so that a user of one part does not pay for Flask and pyghmi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.assembly import Emulator
    from emulator.backends.container import DockerHost
    from emulator.backends.process import ProcessHost
    from emulator.control.client import ControlClient, ControlError, NoInstance
    from emulator.control.listener import ControlListener
    from emulator.core.bmc.machine import RestorePolicy
    from emulator.core.clock import VirtualClock
    from emulator.core.errors import ActionRefused, EmulatorError, NoSuchFault, NoSuchSystem, NoSuchUnit, RackMisconfigured
    from emulator.core.faults.board import Armed, FaultId, RailIs, RequestCame
    from emulator.core.faults.control import FaultStatus
    from emulator.core.faults.fault import Fault, Seam
    from emulator.core.faults.trigger import Caching, Intent, When
    from emulator.core.journal import HEAD_KEYS, Datum, Event, EventKind, Journal, chain, event_from_json
    from emulator.core.power.by_hand import PowerAction
    from emulator.core.rack import HostSpec, UnitSpec
    from emulator.core.truth.host import Host
    from emulator.core.vocab import ChassisControl, Os, Rail, ResetType
    from emulator.endpoints import Endpoint, SystemRef
    from emulator.faults.model import FaultMisconfigured, arming_from_mapping
    from emulator.faults.registry import fault, make_fault
    from emulator.faults.words import fault_from_words
    from emulator.faults.written import (
        check_fault,
        check_profile,
        describe_fault,
        fault_names,
        fault_schema,
        fault_seam,
        mapping_from_arming,
    )
    from emulator.fleet import Fleet
    from emulator.frontends import Place
    from emulator.ready import GET_CHANNEL_AUTH_CAPABILITIES
    from emulator.socketless import SocketlessEmulator, virtual_address
    from emulator.status import BmcPresence, BmcStatus, ClockStatus, SystemStatus
    from emulator.surroundings import Reusable, reusable
    from emulator.transport import OutOfTime, Transport, TransportAnswer, TransportClock
    from emulator.wire.ports import free_ports
    from emulator.wire.tcp import CannotBind

__all__ = [
    "GET_CHANNEL_AUTH_CAPABILITIES",
    "HEAD_KEYS",
    "ActionRefused",
    "Armed",
    "BmcPresence",
    "BmcStatus",
    "Caching",
    "CannotBind",
    "ChassisControl",
    "ClockStatus",
    "ControlClient",
    "ControlError",
    "ControlListener",
    "Datum",
    "DockerHost",
    "Emulator",
    "EmulatorError",
    "Endpoint",
    "Event",
    "EventKind",
    "Fault",
    "FaultId",
    "FaultMisconfigured",
    "FaultStatus",
    "Fleet",
    "Host",
    "HostSpec",
    "Intent",
    "Journal",
    "NoInstance",
    "NoSuchFault",
    "NoSuchSystem",
    "NoSuchUnit",
    "Os",
    "OutOfTime",
    "Place",
    "PowerAction",
    "ProcessHost",
    "RackMisconfigured",
    "Rail",
    "RailIs",
    "RequestCame",
    "ResetType",
    "RestorePolicy",
    "Reusable",
    "Seam",
    "SocketlessEmulator",
    "SystemRef",
    "SystemStatus",
    "Transport",
    "TransportAnswer",
    "TransportClock",
    "UnitSpec",
    "VirtualClock",
    "When",
    "arming_from_mapping",
    "chain",
    "check_fault",
    "check_profile",
    "describe_fault",
    "event_from_json",
    "fault",
    "fault_from_words",
    "fault_names",
    "fault_schema",
    "fault_seam",
    "free_ports",
    "make_fault",
    "mapping_from_arming",
    "reusable",
    "virtual_address",
]

_HOME = {
    "ControlListener": "emulator.control.listener",
    "NoInstance": "emulator.control.client",
    "ControlError": "emulator.control.client",
    "ControlClient": "emulator.control.client",
    "fault_from_words": "emulator.faults.words",
    "fault_seam": "emulator.faults.written",
    "fault_names": "emulator.faults.written",
    "describe_fault": "emulator.faults.written",
    "check_profile": "emulator.faults.written",
    "ActionRefused": "emulator.core.errors",
    "NoSuchUnit": "emulator.core.errors",
    "NoSuchSystem": "emulator.core.errors",
    "PowerAction": "emulator.core.power.by_hand",
    "BmcStatus": "emulator.status",
    "SystemStatus": "emulator.status",
    "ClockStatus": "emulator.status",
    "BmcPresence": "emulator.status",
    "Emulator": "emulator.assembly",
    "Endpoint": "emulator.endpoints",
    "SystemRef": "emulator.endpoints",
    "ProcessHost": "emulator.backends.process",
    "DockerHost": "emulator.backends.container",
    "RestorePolicy": "emulator.core.bmc.machine",
    "VirtualClock": "emulator.core.clock",
    "EmulatorError": "emulator.core.errors",
    "RackMisconfigured": "emulator.core.errors",
    "NoSuchFault": "emulator.core.errors",
    "Armed": "emulator.core.faults.board",
    "RequestCame": "emulator.core.faults.board",
    "FaultId": "emulator.core.faults.board",
    "RailIs": "emulator.core.faults.board",
    "FaultStatus": "emulator.core.faults.control",
    "FaultMisconfigured": "emulator.faults.model",
    "arming_from_mapping": "emulator.faults.model",
    "Fault": "emulator.core.faults.fault",
    "Seam": "emulator.core.faults.fault",
    "Caching": "emulator.core.faults.trigger",
    "Intent": "emulator.core.faults.trigger",
    "When": "emulator.core.faults.trigger",
    "HEAD_KEYS": "emulator.core.journal",
    "Datum": "emulator.core.journal",
    "Event": "emulator.core.journal",
    "EventKind": "emulator.core.journal",
    "Journal": "emulator.core.journal",
    "chain": "emulator.core.journal",
    "event_from_json": "emulator.core.journal",
    "HostSpec": "emulator.core.rack",
    "UnitSpec": "emulator.core.rack",
    "Host": "emulator.core.truth.host",
    "ChassisControl": "emulator.core.vocab",
    "Os": "emulator.core.vocab",
    "Rail": "emulator.core.vocab",
    "ResetType": "emulator.core.vocab",
    "fault": "emulator.faults.registry",
    "make_fault": "emulator.faults.registry",
    "check_fault": "emulator.faults.written",
    "fault_schema": "emulator.faults.written",
    "mapping_from_arming": "emulator.faults.written",
    "Fleet": "emulator.fleet",
    "Place": "emulator.frontends",
    "GET_CHANNEL_AUTH_CAPABILITIES": "emulator.ready",
    "SocketlessEmulator": "emulator.socketless",
    "virtual_address": "emulator.socketless",
    "Reusable": "emulator.surroundings",
    "reusable": "emulator.surroundings",
    "OutOfTime": "emulator.transport",
    "Transport": "emulator.transport",
    "TransportAnswer": "emulator.transport",
    "TransportClock": "emulator.transport",
    "free_ports": "emulator.wire.ports",
    "CannotBind": "emulator.wire.tcp",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'emulator' has no attribute {name!r}")
