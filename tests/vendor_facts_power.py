"""Whether a cell, window or fault of a profile says what a fact about power says. `vendor_facts` uses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from profiles.model import HostEvent, PowerCell, Profile, ReplyTemplate

Facts = Mapping[str, object]


def power_says(fact: Facts, profile: Profile) -> bool:
    reset = str(fact["reset"])
    if fact["state"] == "any":
        return cell_says(fact, profile.power.unlisted_type, profile) and reset not in profile.power.reset_types
    cell = profile.power.table.get(str(fact["state"]), {}).get(reset)
    if fact["status"] == "unknown":
        return cell is not None and cell.assumed
    if any(_fault_says(fact, reset, fault, profile) for fault in profile.faults.values()):
        return True
    windows = [window for window in profile.power.windows if reset in window.reset]
    if any(_outcome_says(fact, window.outcome, profile) for window in windows):
        return True
    return cell is not None and cell_says(fact, cell, profile)


def _fault_says(fact: Facts, reset: str, fault: Mapping[str, Any], profile: Profile) -> bool:
    """Whether a fault of this vendor answers a request like that and keeps it from having an effect."""
    if reset not in fault.get("when", {}).get("reset", ()) or fact.get("effect", "none") != "none":
        return False
    params = fault.get("params", {})
    replies = replies_of(profile, params.get("reply"))
    return any(answers(fact, reply, profile) for reply in replies) or _status_is(fact["status"], params.get("status", 0))


def cell_says(fact: Facts, cell: PowerCell, profile: Profile) -> bool:
    return not cell.assumed and _outcome_says(fact, cell.outcome, profile)


def _outcome_says(fact: Facts, name: str, profile: Profile) -> bool:
    outcome = profile.power.outcomes[name]
    reply = profile.replies[outcome.reply]
    good = answers(fact, reply, profile) and effect_of(profile, outcome.effect) == _EFFECTS.get(str(fact.get("effect")), "none")
    return good and ("task_end" not in fact or (reply.task is not None and reply.task["end"] == fact["task_end"]))


def effect_of(profile: Profile, name: str) -> str:
    """The effect in one word: none, off, on, cycle, or the event of the operating system."""
    steps = profile.power.effects.get(name, ())
    rails = [step.real for step in steps if step.real is not None]
    events = [step.event for step in steps if step.event is not None]
    if events:
        return str(events[0].value)
    return {(): "none", ("Off",): "off", ("On",): "on", ("Off", "On"): "cycle"}[tuple(rails)]


_EFFECTS: Final[Mapping[str, str]] = {
    "none": "none",
    "off": "off",
    "on": "on",
    "power_cycle": "cycle",
    "restart": HostEvent.OS_RESTART.value,
    "reset": HostEvent.OS_RESTART.value,
    "graceful_off": HostEvent.OS_SHUTDOWN.value,
    "graceful_restart": HostEvent.OS_REBOOT.value,
}


def answers(fact: Facts, reply: ReplyTemplate, profile: Profile) -> bool:
    """Whether status, MessageId, text and arguments of a fact are those of a reply."""
    message = profile.messages.get(reply.message or "")
    if not _status_is(fact.get("status"), reply.status):
        return False
    if "message_id" in fact and (message is None or not _same_ids(str(fact["message_id"]), message.id)):
        return False
    args = fact.get("args")
    if isinstance(args, list) and (message is None or len(message.args) != len(args)):
        return False
    if "severity" in fact and (message is None or message.severity != fact["severity"]):
        return False
    headers = fact.get("headers")
    if isinstance(headers, Mapping) and not headers.items() <= reply.headers.items():
        return False
    return "text" not in fact or message is None or message.text is None or _same_text(str(fact["text"]), message.text)


def _status_is(told: object, status: int) -> bool:
    match told:
        case None:
            return True
        case int():
            return told == status
        case list():
            return status in told
        case _:
            text = str(told)
            return status // 100 == 2 if text == "2xx" else str(status) in text.split(" or ")


def _same_ids(told: str, ours: str) -> bool:
    """Registry and message; `a / b` are alternatives, and a told id may lack its registry."""
    known = (ours.split(".")[0], ours.rpartition(".")[2])
    for each in told.split(" / "):
        parts = each.strip().split(".")
        if parts[-1] == known[1] and (len(parts) == 1 or parts[0] == known[0]):
            return True
    return False


def _same_text(told: str, ours: str) -> bool:
    parts = re.split(r"\{[a-z0-9_]+\}", ours)
    return re.search(".*".join(map(re.escape, parts)), told) is not None or told in ours


def replies_of(profile: Profile, *names: str | None) -> list[ReplyTemplate]:
    return [profile.replies[name] for name in names if name is not None]
