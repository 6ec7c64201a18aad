"""Which armed fault answers a request instead of the service, and its answer.

`service.service` calls it for each request on which faults of the seam protocol act, in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from emulator.core.faults.fault import Fault
from emulator.faults.protocol import HttpReply
from emulator.faults.protocol.redirect import Redirect
from emulator.faults.protocol.task import TaskReply
from emulator.faults.seams import Asked, RequestFault
from emulator.redfish.power.tasks import accept_as_fault_says
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from emulator.redfish.service.changed_content import asked_by
from emulator.redfish.service.error_shapes import ErrorShapes
from emulator.redfish.service.intents import READS

AnswerFault: TypeAlias = HttpReply | Redirect | TaskReply


def instead_of_service(
    fired: Iterable[Fault], call: RedfishCall, etag_of: Callable[[RedfishCall], str | None]
) -> AnswerFault | None:
    """The first of the fired faults that answers before anything is done; else the first that answers afterwards.

    `etag_of` gives the entity tag of the system that the request is about. What the faults have settled is taken out of
    `call.incoming`.
    """
    found: list[AnswerFault] = []
    asked: Asked | None = None
    for fault in fired:
        if isinstance(fault, AnswerFault):
            found.append(fault)
        elif isinstance(fault, RequestFault):
            asked = asked or asked_by(call.incoming, etag_of(call) if _changes_a_system(call) else None)
            if (instead := fault.instead(asked)) is not None:
                found.append(instead)
            kept = {name: value for name, value in call.incoming.headers.items() if name not in fault.settles}
            call.incoming = replace(call.incoming, headers=kept)
    return next((fault for fault in found if not fault.executed), found[0] if found else None)


def _changes_a_system(call: RedfishCall) -> bool:
    return call.request.system is not None and call.incoming.method not in READS


def answer_of(fault: AnswerFault, call: RedfishCall, shapes: ErrorShapes) -> HttpAnswer:
    """The answer of a fault that acts instead of the service."""
    return accept_as_fault_says(call, fault, shapes) if isinstance(fault, TaskReply) else shapes.fault(fault)
