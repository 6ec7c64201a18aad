"""Lets the armed faults that change an answer's content act on it, and says what the client has been told of power then."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from emulator.core.faults.fault import Fault
from emulator.core.power.system import Look
from emulator.faults.seams import ContentFault, HttpContent
from emulator.redfish.service.call import HttpAnswer, RedfishCall
from profiles.model import ABSENT


def changed_by(fired: Iterable[Fault], call: RedfishCall, answer: HttpAnswer) -> HttpAnswer:
    """The answer after all content faults among `fired`; `call.looks` then holds what the changed body tells."""
    for fault in fired:
        if isinstance(fault, ContentFault):
            changed = fault.change(HttpContent(answer.status, answer.headers, answer.body))
            if changed.body != answer.body:
                call.looks[:] = retold(call.looks, changed.body)
            answer = replace(answer, status=changed.status, headers=changed.headers, body=changed.body)
    return answer


def retold(looks: Sequence[Look], body: bytes) -> tuple[Look, ...]:
    """What a client has been told of power by a body that a fault has changed: nothing where it cannot be read."""
    try:
        told = json.loads(body)
    except ValueError:
        return ()
    if not isinstance(told, dict):
        return ()
    if len(looks) != 1:
        return tuple(looks)
    word = told.get("PowerState", ABSENT)
    return (looks[0]._replace(word=word),) if word != ABSENT and (word is None or isinstance(word, str)) else ()
