"""Faults that let another resource answer than the one that the client has asked for.

`service.service` calls it for each request of a BMC with armed faults, in the emulator's thread. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from emulator.core.faults.fault import Fault
from emulator.faults.protocol.action_target import ActionTarget
from emulator.faults.protocol.body_of import BodyOf
from emulator.redfish.service.call import Incoming
from emulator.redfish.service.resource import Resource


def rerouted(standing: Iterable[Fault], incoming: Incoming) -> Incoming:
    """The request with the path at which an action is served really; `standing` are the faults that are armed and active."""
    for fault in standing:
        if isinstance(fault, ActionTarget):
            incoming = replace(incoming, path=fault.served_at(incoming.path))
    return incoming


def answering(fired: Iterable[Fault], resource: Resource | None, find: Callable[[str], Resource | None]) -> Resource | None:
    """The resource whose body answers; `fired` are the faults that act on this request."""
    for fault in fired:
        if isinstance(fault, BodyOf):
            resource = find(fault.path)
    return resource
