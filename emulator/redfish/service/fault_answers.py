"""Which armed fault answers a request instead of the service, and its answer.

`service.service` calls it for each request on which faults of the seam protocol act, in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from emulator.core.faults.fault import Fault
from emulator.faults.protocol import HttpReply
from emulator.faults.protocol.redirect import Redirect
from emulator.faults.protocol.task import TaskReply
from emulator.faults.seams import HttpAsked, RequestFault
from emulator.redfish.power.tasks import accept_as_fault_says
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from emulator.redfish.service.error_shapes import ErrorShapes

AnswerFault: TypeAlias = HttpReply | Redirect | TaskReply


def answering(fired: Iterable[Fault], call: RedfishCall, etag_of: Callable[[RedfishCall], str | None]) -> AnswerFault | None:
    """The first of the fired faults that answers before anything is done; else the first that answers afterwards.

    `etag_of` gives the entity tag of the system that the request is about.
    """
    found: list[AnswerFault] = []
    asked: HttpAsked | None = None
    for fault in fired:
        if isinstance(fault, AnswerFault):
            found.append(fault)
        elif isinstance(fault, RequestFault):
            asked = asked or _asked(call, etag_of)
            if (instead := fault.instead(asked)) is not None:
                found.append(instead)
    return next((fault for fault in found if not fault.executed), found[0] if found else None)


def _asked(call: RedfishCall, etag_of: Callable[[RedfishCall], str | None]) -> HttpAsked:
    incoming = call.incoming
    etag = etag_of(call) if call.request.system is not None and incoming.method not in ("GET", "HEAD") else None
    return HttpAsked(incoming.method, incoming.path, incoming.query, incoming.headers, etag)


def answer_of(fault: AnswerFault, call: RedfishCall, shapes: ErrorShapes) -> HttpAnswer:
    """The answer of a fault that acts instead of the service."""
    return accept_as_fault_says(call, fault, shapes) if isinstance(fault, TaskReply) else shapes.fault(fault)
