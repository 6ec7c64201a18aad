"""Formats each event as one line, as text or as JSON.

`EventOutput` writes the lines. docs/ha.md documents the JSON keys; they do not change. `t` is in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from fencer.ha.effects import LineKind
from fencer.ha.entries import StoredEvent

Sink = Callable[[StoredEvent], bool | None]
"""False: the sink has no room for this line now, and has not taken it."""


def as_json(event: StoredEvent) -> str:
    fields = {key: value for key, value in event.detail.items() if value is not None}
    return json.dumps({"t": round(event.t, 3), "kind": str(event.kind), "host": event.host, "seq": event.seq, **fields})


def as_text(event: StoredEvent) -> str:
    moment = datetime.fromtimestamp(event.t).strftime("%H:%M:%S.%f")[:-3]
    return f"{moment} {event.host:<12} {_TEXT_BY_KIND[event.kind](event)}"


def _state(event: StoredEvent) -> str:
    detail = event.detail
    return f"state   {detail['from']} -> {detail['to']} ({detail['event']}); host is {detail['status']}"


def _alert(event: StoredEvent) -> str:
    detail = event.detail
    repeated = f" (and {detail['repeated']} times more since the last message)" if detail.get("repeated") else ""
    return f"ALERT   {detail['alert']}: {detail['text']}{repeated}"


def _vm(event: StoredEvent) -> str:
    detail = event.detail
    return f"vm      {detail['vm']} {detail['step']} on {detail['target']}" + (
        f": {detail['text']}" if detail.get("text") else ""
    )


def _command(event: StoredEvent) -> str:
    detail = event.detail
    if detail["step"] == "intent":
        return f"command {detail['command']} is sent{_where(event, 'to')}"
    code = f" {detail['code']}" if detail.get("code") else ""
    text = f": {detail['text']}" if detail.get("text") else ""
    return f"command {detail['command']} {detail['result']}{code}{_where(event, 'by')}{text}"


def _where(event: StoredEvent, word: str) -> str:
    """` at level 2 (pdu1, pdu2)` in a line of a host that has levels; else nothing."""
    level, devices = event.detail.get("level"), event.detail.get("devices")
    return f" {word} level {level} ({', '.join(devices)})" if isinstance(devices, list) else ""


def _read(event: StoredEvent) -> str:
    detail = event.detail
    return f"read    power {detail['power']} ({detail.get('text') or detail['word']}){_where(event, 'at')}" + (
        f", Off {detail['off_in_a_row']} times in a row" if detail.get("off_in_a_row") else ""
    )


_TEXT_BY_KIND: dict[LineKind, Callable[[StoredEvent], str]] = {
    LineKind.STATE: _state,
    LineKind.ALERT: _alert,
    LineKind.VM: _vm,
    LineKind.POWER_COMMAND: _command,
    LineKind.POWER_READ: _read,
}
