"""A run as its fencer saw it: each request, what it was told, and what the host was at that moment. Pure; made from the journal.

`search` decides from it where a further deviation may come; `picture` draws what the fencer does after what it was told.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conformance.timeline import AskWindow, text
from emulator import Event, EventKind, Intent

HANDSHAKE = "open-session"
"""The message that begins an RMCP+ handshake. The journal has a handshake as a log-in and not as requests."""
HANG = "wire.hang"
HANGS = frozenset({HANG, "ipmi.silence"})
GATE = "power.gate"
"""The fault that lets a host of a hunt fall when the fencer has looked: no deviation."""
PACE_S = 5.0
"""In so many seconds after an accepted command a host is off: a client that looks no earlier may look but once."""
NOTHING = "nothing"
"""What a fencer was told whose answer was lost."""
SILENCE = "silence"
"""The same where the connection stayed open: a fencer that waits for it knows the difference."""
READS: Mapping[str, str] = {"system": "reads System", "chassis": "reads Chassis", "ipmi": "reads chassis status"}
PLAIN: Mapping[str, str] = {
    Intent.LOGIN: "logs in",
    Intent.LOGOUT: "logs out",
    Intent.BMC_RESET: "resets the BMC",
    Intent.WRITE: "writes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One request and its answer.

    `did` and `told` are words for people. `protocol` is that of the request: some fencers speak both. `intent` is what it meant,
    `what` the same for a request of Redfish and the command for one of IPMI. `view` is the view whose word was asked for and
    `word` that word ("" where none was told). `rail` is the truth when it was answered. `deviated`: a fault had a part in the
    answer.

    The counts say how a fault finds this request: `sent` counts requests of the same `what`, `served` those of them that reached
    the service, `viewed` reads of this view, `effective` power commands with an effect; 0 where it is none of these.
    """

    did: str
    told: str
    protocol: str
    intent: str
    what: str
    view: str
    word: str
    rail: str
    sent: int
    served: int
    viewed: int
    effective: int
    deviated: bool = False


def observe(window: AskWindow) -> tuple[ObservedStep, ...]:
    """The requests of an ask, in order."""
    return tuple(_steps(window))


def _steps(window: AskWindow) -> Iterator[ObservedStep]:
    belonging: dict[int, list[Event]] = {}
    commands: dict[int, int] = {}
    for event in window.during:
        if event.cause is None:
            continue
        asked = commands.get(event.cause, event.cause)  # an event behind a command belongs to the command's request
        belonging.setdefault(asked, []).append(event)
        if event.kind is EventKind.COMMAND:
            commands[event.seq] = asked
    views = _views_by_path(window.requests, belonging)
    rail = ""
    sent: Counter[str] = Counter()
    served: Counter[str] = Counter()
    viewed: Counter[str] = Counter()
    effective = 0
    for event in window.past[::-1]:
        if event.kind is EventKind.RAIL and window.is_host(event):
            rail = text(event, "rail")
            break
    for event in window.during:
        if event.kind is EventKind.RAIL and window.is_host(event):
            rail = text(event, "rail")
        elif event.kind is EventKind.AUTH and event.cause is None and text(event, "via") == "ipmi":
            sent[HANDSHAKE] += 1
            result = text(event, "result")
            yield ObservedStep(
                did=PLAIN[Intent.LOGIN],
                told=result,
                protocol="ipmi",
                intent=Intent.LOGIN,
                what=HANDSHAKE,
                view="",
                word="",
                rail=rail,
                sent=sent[HANDSHAKE],
                served=sent[HANDSHAKE],
                viewed=0,
                effective=0,
                deviated=result != "ok",
            )
        elif event.kind is EventKind.REQUEST:
            with_it = belonging.get(event.seq, [])
            intent, view = text(event, "intent"), views.get(text(event, "path"), "")
            what = text(event, "path") if text(event, "protocol") == "ipmi" else intent
            told = _told(with_it)
            swallowed = event.data.get("executed") is False
            unread = swallowed or any(e.kind is EventKind.FAULT and e.data.get("executed") is False for e in with_it)
            looked = bool(view) and not unread and (told in (NOTHING, SILENCE) or any(e.kind is EventKind.LOOK for e in with_it))
            acted = any(e.kind is EventKind.COMMAND and text(e, "effect") not in ("", "none") for e in with_it)
            sent[what] += 1
            served[what] += not swallowed
            viewed[view] += looked
            effective += acted
            yield ObservedStep(
                did=_did(event, view),
                told=told,
                protocol=text(event, "protocol"),
                intent=intent,
                what=what,
                view=view,
                word=_word(with_it, view),
                rail=rail,
                sent=sent[what],
                served=0 if swallowed else served[what],
                viewed=viewed[view] if looked else 0,
                effective=effective if acted else 0,
                deviated=any(e.kind in (EventKind.FAULT, EventKind.WIRE) and text(e, "fault") != GATE for e in with_it),
            )


def silence_s(window: AskWindow) -> float:
    """For how many seconds the fencer waited for answers that never came, on connections that stayed open or over IPMI."""
    hung = {e.cause for e in window.during if e.kind in (EventKind.WIRE, EventKind.FAULT) and text(e, "fault") in HANGS}
    moments = [*((request.seq, request.t) for request in window.requests), (window.claim.seq, window.claim.t)]
    return sum(later - t for (seq, t), (_, later) in pairwise(moments) if seq in hung)


def was_held_back(window: AskWindow) -> bool:
    """Whether it was only the gate of a hunt that a fencer failed at: it looked PACE_S after its command or later, and the host,
    which waits for several reads here, had not moved by its last look. Another host would have shown it what it waited for."""
    commanded: float | None = None
    waited = False
    for event in window.during:
        if event.kind is EventKind.COMMAND and text(event, "effect") not in ("", "none"):
            commanded = event.t if commanded is None else commanded
        elif commanded is None or not window.is_host(event):
            continue
        elif event.kind is EventKind.LOOK:
            waited = waited or event.t >= commanded + PACE_S
        elif event.kind is EventKind.RAIL and not _is_last_word(window, event):
            return False
    return waited


def _is_last_word(window: AskWindow, moved: Event) -> bool:
    """Whether nobody looked at the host after it had moved."""
    return not any(e.kind is EventKind.LOOK and e.seq > moved.seq and window.is_host(e) for e in window.during)


def _views_by_path(requests: Iterable[Event], belonging: Mapping[int, Sequence[Event]]) -> Mapping[str, str]:
    """Which view a path shows, from the answers of this run: a read that was lost has shown none."""
    views: dict[str, str] = {}
    for event in requests:
        for each in belonging.get(event.seq, ()):
            if each.kind is EventKind.LOOK:
                views.setdefault(text(event, "path"), text(each, "view"))
    return views


def _did(event: Event, view: str) -> str:
    intent = text(event, "intent")
    if intent == Intent.POWER_COMMAND:
        return f"sends {text(event, 'reset') or 'a power command'}"
    if intent == Intent.POWER_READ:
        return READS.get(view, "reads power")
    if intent in PLAIN:
        return PLAIN[intent]
    if text(event, "protocol") == "ipmi":
        return f"asks {text(event, 'path')}"
    return "reads" if intent == Intent.READ else "asks"


def _told(with_it: Sequence[Event]) -> str:
    if any(e.kind is EventKind.WIRE and text(e, "fault") == HANG for e in with_it):
        return SILENCE
    spoiled = {text(e, "answer") for e in with_it if e.kind is EventKind.WIRE} & {"none", "cut", "altered"}
    if spoiled:
        return NOTHING if "none" in spoiled else "half an answer" if "cut" in spoiled else "rubbish"
    words = [_said(e) for e in with_it if e.kind is EventKind.LOOK]
    if words:
        return ", ".join(dict.fromkeys(words))
    answer = next((e for e in with_it if e.kind is EventKind.RESPONSE), None)
    if answer is None:
        return NOTHING
    code = answer.data.get("completion_code")
    return f"0x{code:02X}" if isinstance(code, int) else f"HTTP {text(answer, 'status')}"


def _said(look: Event) -> str:
    return "null" if look.data.get("word") is None else text(look, "word")


def _word(with_it: Sequence[Event], view: str) -> str:
    return next((_said(e) for e in with_it if e.kind is EventKind.LOOK and text(e, "view") == view), "")


def prefix_key(steps: Sequence[ObservedStep], end: str) -> str:
    """Equal for runs that nobody could tell apart: the same requests, the same answers, the same host, the same end."""
    told = "\n".join(f"{s.did}|{s.told}|{s.rail}|{s.sent}" for s in steps)
    return hashlib.sha256(f"{told}\n{end}".encode()).hexdigest()[:16]
