"""The timeline as one HTML page that needs no network: `fence-ha timeline --html`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from fencer.ha.effects import AlertName, LineKind
from fencer.ha.entries import StoredEvent
from fencer.ha.event_lines import as_text

STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; }
table { border-collapse: collapse; } td, th { padding: .15rem .6rem; text-align: left; vertical-align: top; }
tr { border-bottom: 1px solid #e4e4e4; } td.t, td.h { white-space: nowrap; font-variant-numeric: tabular-nums; }
.alert { background: #fdeee6; } .down { background: #f7d6c4; font-weight: 600; } .power-command { background: #e8f1fa; }
.power-read { color: #777; } details { display: inline; } summary { cursor: pointer; color: #777; } pre { margin: .2rem 0; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; } label { margin-right: 1rem; }
"""
SCRIPT = """
for (const box of document.querySelectorAll('input')) box.onchange = () => {
  for (const row of document.querySelectorAll('tr.' + box.value)) row.hidden = !box.checked;
};
"""


def page(title: str, events: Sequence[StoredEvent]) -> str:
    """Events oldest first. A box for each kind hides its rows; the details of each row are its JSON keys."""
    return "".join(_parts(title, events))


def _parts(title: str, events: Sequence[StoredEvent]) -> Iterator[str]:
    yield f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style>\n"
    yield f"<h1>{escape(title)}</h1>\n<p>{len(events)} events</p>\n<fieldset>"
    for kind in LineKind:
        yield f"<label><input type='checkbox' value='{kind}' checked> {kind}</label>"
    yield "</fieldset>\n<table><tr><th>time</th><th>host</th><th>event</th></tr>\n"
    day = ""
    for event in events:
        moment = datetime.fromtimestamp(event.t)
        if (today := moment.strftime("%Y-%m-%d")) != day:
            day = today
            yield f"<tr><th colspan='3'>{day}</th></tr>\n"
        details = json.dumps({key: value for key, value in event.detail.items() if value is not None}, indent=1)
        yield (
            f"<tr class='{_classes(event)}'><td class='t'>{moment.strftime('%H:%M:%S.%f')[:-3]}</td>"
            f"<td class='h'>{escape(event.host)}</td><td>{escape(_text(event))} "
            f"<details><summary>#{event.seq}</summary><pre>{escape(details)}</pre></details></td></tr>\n"
        )
    yield f"</table>\n<script>{SCRIPT}</script></html>\n"


def _classes(event: StoredEvent) -> str:
    down = event.detail.get("alert") == AlertName.FENCED or event.detail.get("status") == "Down"
    return f"{event.kind} down" if down else str(event.kind)


def _text(event: StoredEvent) -> str:
    """The line without its time and host, which have columns of their own."""
    return " ".join(as_text(event).split(" ", 1)[1].strip().removeprefix(event.host).split())
