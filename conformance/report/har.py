"""The Redfish traffic of a run as HAR 1.2, and its IPMI traffic as lines of JSON, both from the journal.

The journal holds what each request meant and how it was answered, and no body and no header: so do these. Headers are listed
where the journal knows that they were sent; the values of secret ones are not known to it, and are shown as removed.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from conformance.report.model import Json
from conformance.scrubbing import REMOVED
from conformance.timeline import text
from emulator import Datum, Event, EventKind

SENT_WITH: Final[Mapping[str, Mapping[str, str]]] = {
    "basic": {"name": "Authorization", "value": f"Basic {REMOVED}"},
    "session": {"name": "X-Auth-Token", "value": REMOVED},
}
"""By the journal's word for how a request was authenticated."""
COMMENT: Final = (
    "Made from the journal of the emulated BMC, which holds no bodies and no secrets. A host name is the name of the BMC in the "
    "scenario. Status 0: no answer, or the client got another one than the BMC gave; see _wire. Times are those of the BMC."
)
BELONGING: Final = frozenset({EventKind.RESPONSE, EventKind.LOOK, EventKind.WIRE, EventKind.FAULT})


def to_har(events: Sequence[Event], started: float, version: str) -> str:
    """A HAR log with an entry per Redfish request, in the journal's order. `started` is the Unix time of its second 0."""
    entries: list[Json] = [_entry(asked, with_it, started) for asked, with_it in _exchanges(events, "redfish")]
    log: Json = {
        "log": {
            "version": "1.2",
            "creator": {"name": "fence-conformance", "version": version},
            "entries": entries,
            "comment": COMMENT,
        }
    }
    return json.dumps(log, ensure_ascii=False, indent=1) + "\n"


def to_ipmi_lines(events: Sequence[Event], started: float) -> str:
    """A line of JSON per IPMI request, in the journal's order. RAKP messages are no requests; log-ins are in the journal."""
    return "".join(
        json.dumps(_command(asked, with_it, started), ensure_ascii=False) + "\n" for asked, with_it in _exchanges(events, "ipmi")
    )


def _exchanges(events: Sequence[Event], protocol: str) -> Iterator[tuple[Event, tuple[Event, ...]]]:
    """The requests of a protocol, each with the events that belong to it."""
    belonging: dict[int, list[Event]] = {}
    for event in events:
        if event.cause is not None and event.kind in BELONGING:
            belonging.setdefault(event.cause, []).append(event)
    for event in events:
        if event.kind is EventKind.REQUEST and text(event, "protocol") == protocol:
            yield event, tuple(belonging.get(event.seq, ()))


def _entry(asked: Event, with_it: Sequence[Event], started: float) -> Json:
    answer = next((event for event in with_it if event.kind is EventKind.RESPONSE), None)
    spoiled = any(event.kind is EventKind.WIRE and text(event, "answer") in ("none", "cut", "altered") for event in with_it)
    waited_ms = round((answer.t - asked.t) * 1000, 3) if answer is not None else 0.0
    status = answer.data.get("status") if answer is not None and not spoiled else None
    scheme = "http" if asked.data.get("tls") is False else "https"
    known = SENT_WITH.get(text(asked, "auth"))
    answered: list[Json] = []
    if answer is not None and (after := text(answer, "retry_after")):
        answered.append({"name": "Retry-After", "value": after})
    return {
        "startedDateTime": _moment(started + asked.t),
        "time": waited_ms,
        "request": {
            "method": text(asked, "method"),
            "url": f"{scheme}://{quote(asked.bmc)}{quote(text(asked, 'path'))}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [dict(known)] if known is not None else [],
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
        },
        "response": {
            "status": status if isinstance(status, int) else 0,
            "statusText": _phrase(status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": answered,
            "content": {"size": 0, "mimeType": "x-unknown", "comment": "bodies are not kept"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": waited_ms, "receive": 0},
        "_seq": asked.seq,
        **{f"_{key}": value for key, value in _more(asked, with_it).items()},
    }


def _command(asked: Event, with_it: Sequence[Event], started: float) -> Json:
    answer = next((event for event in with_it if event.kind is EventKind.RESPONSE), None)
    code = answer.data.get("completion_code") if answer is not None else None
    return {
        "at": _moment(started + asked.t),
        "seq": asked.seq,
        "bmc": asked.bmc,
        "command": text(asked, "path"),
        "user": text(asked, "user") or None,
        "completion_code": f"0x{code:02X}" if isinstance(code, int) else None,
        "wait_ms": round((answer.t - asked.t) * 1000, 3) if answer is not None else None,
        **_more(asked, with_it),
    }


def _more(asked: Event, with_it: Sequence[Event]) -> dict[str, Json]:
    """What the journal knows besides: what the request meant, what it told the client, and what was done to it."""
    more: dict[str, Json] = {
        key: _json(asked.data[key]) for key in ("intent", "system", "reset", "executed") if asked.data.get(key) is not None
    }
    told: list[Json] = [
        {"system": text(e, "system"), "view": text(e, "view"), "word": _json(e.data.get("word"))}
        for e in with_it
        if e.kind is EventKind.LOOK
    ]
    faults: list[Json] = [text(e, "fault") for e in with_it if e.kind is EventKind.FAULT]
    wire: list[Json] = [{key: _json(value) for key, value in e.data.items()} for e in with_it if e.kind is EventKind.WIRE]
    given: list[Json] = [
        text(e, "message_id") for e in with_it if e.kind is EventKind.RESPONSE and e.data.get("message_id") is not None
    ]
    named = {"told": told, "faults": faults, "wire": wire, "message_id": given}
    return {**more, **{key: values for key, values in named.items() if values}}


def _json(value: Datum) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list) else value


def _phrase(status: Datum) -> str:
    try:
        return HTTPStatus(status).phrase if isinstance(status, int) else ""
    except ValueError:
        return ""


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
