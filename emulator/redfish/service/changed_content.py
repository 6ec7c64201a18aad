"""Lets the armed faults that change an answer's content act on it, and says what the client has been told of power then."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from emulator.core.faults.fault import Fault
from emulator.core.power.system import Look
from emulator.faults.seams import Asked, AskedContentFault, ContentFault, HttpContent
from emulator.redfish.service.call import HttpAnswer, Incoming, RedfishCall


def changed_by(fired: Iterable[Fault], call: RedfishCall, answer: HttpAnswer) -> HttpAnswer:
    """The answer after all content faults among `fired`; `call.looks` then holds what the changed body tells."""
    for fault in fired:
        if isinstance(fault, ContentFault | AskedContentFault):
            content = HttpContent(answer.status, answer.headers, answer.body)
            if isinstance(fault, ContentFault):
                changed = fault.change(content)
            else:
                changed = fault.change_asked(content, asked_by(call.incoming))
            if changed.body != answer.body:
                call.looks[:] = retold(call.looks, changed.body)
            answer = replace(answer, status=changed.status, headers=changed.headers, body=changed.body)
    return answer


def asked_by(incoming: Incoming, etag: str | None = None) -> Asked:
    """The request, as faults see it."""
    return Asked(incoming.method, incoming.path, incoming.query, incoming.scheme, incoming.headers, etag)


def retold(looks: Sequence[Look], body: bytes) -> tuple[Look, ...]:
    """What a client has been told of power by a body that a fault has changed: nothing where it cannot be read. Where the body
    tells several words, a look is kept as it was."""
    try:
        told = json.loads(body)
    except ValueError:
        return ()
    words = list(_power_words(told)) if isinstance(told, dict) else []
    if not words:
        return ()
    return (looks[0]._replace(word=words[0]),) if len(looks) == len(words) == 1 else tuple(looks)


def _power_words(told: object) -> Iterator[str | None]:
    """Every PowerState in a tree."""
    match told:
        case dict():
            for key, value in told.items():
                if key == "PowerState" and (value is None or isinstance(value, str)):
                    yield value
                else:
                    yield from _power_words(value)
        case list():
            for item in told:
                yield from _power_words(item)
