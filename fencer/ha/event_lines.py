"""One line per event, for people or as JSON. The keys are documented in docs/ha.md and do not change."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime

from fencer.ha.effects import LineKind
from fencer.ha.store import StoredEvent

Sink = Callable[[StoredEvent], None]


def as_json(event: StoredEvent) -> str:
    fields = {key: value for key, value in event.detail.items() if value is not None}
    return json.dumps({"t": round(event.t, 3), "kind": str(event.kind), "host": event.host, "seq": event.seq, **fields})


def as_text(event: StoredEvent) -> str:
    moment = datetime.fromtimestamp(event.t).strftime("%H:%M:%S.%f")[:-3]
    return f"{moment} {event.host:<12} {_WORDS[event.kind](event)}"


def _state(event: StoredEvent) -> str:
    d = event.detail
    return f"state   {d['from']} -> {d['to']} ({d['event']}); host is {d['status']}"


def _alert(event: StoredEvent) -> str:
    d = event.detail
    repeated = f" (and {d['repeated']} times more since the last message)" if d.get("repeated") else ""
    return f"ALERT   {d['alert']}: {d['text']}{repeated}"


def _vm(event: StoredEvent) -> str:
    d = event.detail
    return f"vm      {d['vm']} {d['step']} on {d['target']}" + (f": {d['text']}" if d.get("text") else "")


def _command(event: StoredEvent) -> str:
    d = event.detail
    if d["step"] == "intent":
        return f"command {d['command']} is sent"
    code = f" {d['code']}" if d.get("code") else ""
    return f"command {d['command']} {d['result']}{code}" + (f": {d['text']}" if d.get("text") else "")


def _read(event: StoredEvent) -> str:
    d = event.detail
    return f"read    power {d['power']} ({d.get('text') or d['word']})" + (
        f", Off {d['off_in_a_row']} times in a row" if d.get("off_in_a_row") else ""
    )


_WORDS: dict[LineKind, Callable[[StoredEvent], str]] = {
    LineKind.STATE: _state,
    LineKind.ALERT: _alert,
    LineKind.VM: _vm,
    LineKind.POWER_COMMAND: _command,
    LineKind.POWER_READ: _read,
}


def stdout_sink(json_lines: bool) -> Sink:
    """Writes and flushes each line at once: a reader on the other end of a pipe sees it when it happens."""

    def write(event: StoredEvent) -> None:
        sys.stdout.write((as_json(event) if json_lines else as_text(event)) + "\n")
        sys.stdout.flush()

    return write
