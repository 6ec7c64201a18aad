"""What a fencer read and commanded in one ask, and when: one line for a finding, and the situations that choose its remedy.

`AskCase.finding` calls both for each finding. Pure functions of the ask's window of the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from conformance.outcome import FencerOutcome
from conformance.remedies import Situation
from conformance.timeline import AskWindow, HostTruth, text
from emulator import Event, EventKind, Rail

MOST_PARTS: Final = 8
VIEWS: Final[Mapping[str, str]] = {
    "system": "System PowerState",
    "chassis": "Chassis PowerState",
    "ipmi": "IPMI power",
    "event": "event",
}
NEEDS_OS: Final = frozenset({"GracefulShutdown", "GracefulRestart", "PushPowerButton"})
BUSY_STATUS: Final = frozenset({429, 503})
BUSY_CODE: Final = 0xC0
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def seen(window: AskWindow) -> str:
    """ "read System PowerState On at +0.4 s; sent ForceOff at +0.5 s: 204; read System PowerState Off at +1.2 s (2 times)"."""
    parts = list(_parts(window))
    if not parts:
        return "read no power state and sent no power command"
    if len(parts) > MOST_PARTS:
        half = MOST_PARTS // 2
        parts = [*parts[:half], f"... {len(parts) - MOST_PARTS} more ...", *parts[-half:]]
    return "; ".join(parts)


def _parts(window: AskWindow) -> Iterator[str]:
    words, first, times = "", 0.0, 0
    events = sorted((*window.looks, *window.power_commands), key=lambda e: e.seq)
    for event in events:
        at = event.t - window.start.t
        said = _said(window, event)
        if said == words and event.kind is EventKind.LOOK:
            times += 1
            continue
        if words:
            yield _part(words, first, times)
        words, first, times = said, at, 1
    if words:
        yield _part(words, first, times)


def _part(words: str, at: float, times: int) -> str:
    head, _, tail = words.partition(" -> ")
    answer = f": {tail}" if tail else ""
    again = f" ({times} times)" if times > 1 else ""
    return f"{head} at {at:+.1f} s{answer}{again}"


def _said(window: AskWindow, event: Event) -> str:
    system = window.called(event)
    of = "" if system in (window.system, "") else f" of {system}"
    if event.kind is EventKind.LOOK:
        word = event.data.get("word")
        return f"read {VIEWS.get(text(event, 'view'), text(event, 'view'))} {'null' if word is None else word}{of}"
    answer = window.answers.get(event.seq)
    return f"sent {text(event, 'reset') or 'a power command'}{of} -> {'no answer' if answer is None else status(answer)}"


def status(answer: Event) -> str:
    """The status of an answer as people write it: "HTTP 409", "0xD5"."""
    code = answer.data.get("completion_code")
    return f"0x{code:02X}" if isinstance(code, int) else f"HTTP {text(answer, 'status')}"


def is_busy(answer: Event) -> bool:
    """Whether a BMC said that it is busy and may be asked again."""
    return answer.data.get("status") in BUSY_STATUS or answer.data.get("completion_code") == BUSY_CODE


def is_refusal(answer: Event) -> bool:
    code = answer.data.get("completion_code")
    number = answer.data.get("status")
    return (isinstance(code, int) and code != 0) or (isinstance(number, int) and number >= 400)


def is_redirect(answer: Event) -> bool:
    """Whether a BMC said where else to ask; 304 says that nothing has changed."""
    return answer.data.get("status") in REDIRECTS


def situations(window: AskWindow, outcome: FencerOutcome, before: HostTruth) -> frozenset[Situation]:
    """Everything that holds of this ask and that a row of the remedies may ask for."""
    last = _last_words(window)
    commands = window.power_commands
    answers = [window.answers.get(e.seq) for e in commands]
    lost = {e.cause for e in window.during if e.kind is EventKind.WIRE and text(e, "answer") in ("none", "cut", "altered")}
    holds = {
        Situation.NO_REQUEST: not window.requests,
        Situation.NEVER_READ: not window.looks,
        Situation.NO_COMMAND: not commands,
        Situation.WAS_OFF: before.rail is Rail.DOWN,
        Situation.CHASSIS_ON: last.get("chassis") == "On",
        Situation.CHASSIS_UNREAD: last.get("system") == "Off" and "chassis" not in last,
        Situation.READ_OFF: any(word == "Off" for word in last.values()),
        Situation.READ_ON: any(word == "On" for word in last.values()),
        Situation.OTHER_WORD: any(text(e, "word") not in ("On", "Off") for e in window.looks),
        Situation.COMMAND_BUSY: any(answer is not None and is_busy(answer) for answer in answers),
        Situation.COMMAND_REFUSED: any(answer is not None and is_refusal(answer) for answer in answers),
        Situation.ANSWER_LOST: bool(lost & {e.seq for e in window.requests}),
        Situation.ASKED_POLITELY: bool(commands) and all(text(e, "reset") in NEEDS_OS for e in commands),
        Situation.OTHER_HOST: any(look.bmc not in window.told_units for look in window.looks_at_off),
        Situation.LOGIN_REFUSED: window.login_failures > 0,
        Situation.UNAUTHORIZED: any(answer.data.get("status") == 401 for answer in window.answers.values()),
        Situation.REDIRECTED: (
            any(is_redirect(answer) for answer in window.answers.values())
            and bool(commands or not window.looks)
            and all(answer is not None and is_redirect(answer) for answer in answers)
        ),
        Situation.SAID_NOTHING: not outcome.text,
    }
    return frozenset(situation for situation, it_holds in holds.items() if it_holds)


def _last_words(window: AskWindow) -> Mapping[str, str]:
    """The last word of each view of the target. Outlets say Off together, or the word of one that says something else."""
    last = {(e.bmc, text(e, "system"), text(e, "view")): text(e, "word") for e in window.looks if window.is_target(e)}
    in_order = sorted(last.items(), key=lambda item: item[1] != "Off")
    return {view: word for (_, _, view), word in in_order}
