"""What a profile does differently from the base of all profiles, in words: rows of "what", "here", "there", "known from"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from profiles.model import ABSENT, FactEvidence, IfMatchRule, Lockout, Profile, Sessions, View
from tools import profile_words as words

NONE: Final = "none"


class Quirk(NamedTuple):
    """One difference. `known` names confidence and sources."""

    what: str
    here: str
    there: str
    known: str


class Property(NamedTuple):
    """One thing to compare: its name in words, its key in the profile's evidence, and how it reads."""

    what: str
    key: str
    read: Callable[[Profile], str]


def _listed(items: Sequence[object]) -> str:
    return ", ".join(map(str, items)) or NONE


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _if_match(rules: Sequence[IfMatchRule]) -> str:
    return (
        "; ".join(
            f"{'required' if rule.required else 'optional'} for {_listed(rule.applies_to)} of {_listed(rule.paths)}"
            for rule in rules
        )
        or "ignored"
    )


def _sessions(sessions: Sessions) -> str:
    return f"{'no limit' if sessions.max is None else f'{sessions.max} at most'}, {sessions.timeout_s:g} s"


def _lockout(lockout: Lockout) -> str:
    if not lockout.failures:
        return NONE
    return f"after {lockout.failures} failures of one {lockout.by}, for {lockout.penalty_s:g} s"


def _reply(profile: Profile, name: str | None, usual: str) -> str:
    return usual if name is None else words.answer(profile, profile.replies[name])


def _odata(profile: Profile) -> str:
    rule = profile.http.odata_version
    return "any" if rule is None else f"only {rule['only']}, else {_reply(profile, rule['otherwise'], '')}"


def _slash(profile: Profile) -> str:
    http = profile.http
    status = f", {http.slash_status}" if http.slash in ("redirect", "redirect_root") else ""
    return f"{http.slash.replace('_', ' ')}{status}"


def _features(profile: Profile) -> str:
    given = {name: value for name, value in profile.http.features.items() if value is not False and value is not None}
    return _listed([name if value is True else f"{name} {value}" for name, value in given.items()])


def _texts(profile: Profile) -> str:
    return "id and arguments only" if all(message.text is None for message in profile.messages.values()) else "with text"


def _tasks(profile: Profile) -> str:
    monitor = profile.tasks.get("monitor")
    gone = ", gone once its monitor has told the end" if profile.tasks.get("deleted_by_monitor") else ""
    return f"{profile.tasks.get('style')}, {'a monitor' if monitor else 'no monitor'}{gone}"


def _after(profile: Profile) -> str:
    after = profile.bmc_reset.after
    if after is None:
        return "ready at once"
    return f"{_reply(profile, after['reply'], '')} for {words.seconds(after['for_s'])}"


PROPERTIES: Final = (
    Property("ResetTypes offered", "power.reset_types", lambda p: _listed(p.power.reset_types)),
    Property("ResetTypes are shown", "power.advertise", lambda p: p.power.advertise.replace("_", " ")),
    Property("a ResetType that is not offered", "power.unlisted_type", lambda p: words.cell(p, p.power.unlisted_type)[0]),
    Property("path of ComputerSystem.Reset", "power.target", lambda p: p.power.target or "the usual one"),
    Property("actions of its own", "power.oem_actions", lambda p: _listed([action.target for action in p.power.oem_actions])),
    Property("Chassis.PowerState", "power.chassis", lambda p: "shown" if p.power.chassis.power_state else "not there"),
    Property("Chassis.Reset", "power.chassis", lambda p: _listed(p.power.chassis.reset_types)),
    Property("code of an error", "errors.code", lambda p: f"`{p.errors.code}`"),
    Property("fields of a message", "errors.fields", lambda p: _listed(p.errors.fields)),
    Property("messages at the top of the body too", "errors.top_level", lambda p: _yes(p.errors.top_level is not None)),
    Property("messages come", "messages.text", _texts),
    Property("log-in that is refused", "auth.no_auth", lambda p: _reply(p, p.auth.no_auth, "401")),
    Property("sessions", "auth.sessions", lambda p: _sessions(p.auth.sessions)),
    Property("one session too many", "auth.sessions", lambda p: _reply(p, p.auth.sessions.on_full, "never")),
    Property("lockout", "auth.lockout", lambda p: _lockout(p.auth.lockout)),
    Property("HTTP Basic", "auth.basic", lambda p: _yes(p.auth.basic)),
    Property("first password must be changed", "auth.password_change_required", lambda p: _yes(p.auth.password_change_required)),
    Property("ETag", "http.etag", lambda p: p.http.etag),
    Property("If-Match", "http.if_match", lambda p: _if_match(p.http.if_match)),
    Property("OData-Version", "http.odata_version", _odata),
    Property("Redfish", "http.served", lambda p: _yes(p.http.served)),
    Property("HTTP redirects to HTTPS", "http.redirect_http", lambda p: _yes(p.http.redirect_http)),
    Property("TLS", "http.tls_min", lambda p: f"{p.http.tls_min} to {p.http.tls_max or 'the newest'}"),
    Property("JSON", "http.json", lambda p: p.http.json),
    Property("slash at the end of a path", "http.slash", _slash),
    Property("a path that does not exist", "http.not_found", lambda p: _reply(p, p.http.not_found, "404")),
    Property("Server header", "http.server_header", lambda p: p.http.server_header or NONE),
    Property("query options", "http.features", _features),
    Property("tasks", "tasks.style", _tasks),
    Property("resets of the BMC", "bmc_reset.reset_types", lambda p: _listed(sorted(p.bmc_reset.reset_types))),
    Property("the BMC is away for", "bmc_reset.outage_s", lambda p: words.seconds(p.bmc_reset.outage_s)),
    Property("and then answers", "bmc_reset.after", _after),
    Property(
        "after its reset it does what the restore policy says",
        "bmc_reset.restore_policy",
        lambda p: _yes(p.bmc_reset.restore_policy),
    ),
    Property("other Managers", "managers", lambda p: _listed([manager.id for manager in p.managers])),
    Property("boot override is written at", "resources.boot", lambda p: p.resources.boot),
    Property("virtual media at", "inventory.virtual_media", lambda p: p.inventory.virtual_media),
    Property("power supplies and fans in", "inventory.power_and_thermal", lambda p: p.inventory.power_and_thermal),
    Property("IPMI over LAN", "ipmi.lan", lambda p: "on" if p.ipmi.lan else "off"),
    Property("cipher suites", "ipmi.cipher_suites", lambda p: _listed(p.ipmi.cipher_suites)),
    Property("a repeated IPMI request is done", "ipmi.duplicates", lambda p: p.ipmi.duplicates),
    Property("K_g", "ipmi.kg", lambda p: "set" if p.ipmi.kg else "not set"),
    Property("service root's Vendor", "identity.vendor", lambda p: p.identity.vendor),
    Property("service root's UUID", "identity.root_uuid", lambda p: "not there" if p.identity.root_uuid == ABSENT else "there"),
    Property("System's UUID", "identity.system_uuid", lambda p: "not there" if p.identity.system_uuid == ABSENT else "there"),
)


def quirks(profile: Profile, base: Profile) -> Iterator[Quirk]:
    """What differs: cells of the power table first, then properties in the order of `PROPERTIES`."""
    yield from _cells(profile, base)
    yield from _early_words(profile)
    for window in profile.power.windows:
        outcome = profile.power.outcomes[window.outcome]
        here = f"{words.answer(profile, profile.replies[outcome.reply])}; {words.effect(profile, outcome.effect)}"
        yield Quirk(f"{_listed(window.reset)} up to {words.seconds(window.for_s)} after {window.after}", here, "as always", "")
    for each in PROPERTIES:
        here, there = each.read(profile), each.read(base)
        if words.unversioned(here) != words.unversioned(there):
            known = _evidence(profile, each.key)
            if each.key == "power.unlisted_type":
                known = profile.power.unlisted_type.evidence
            yield Quirk(each.what, here, there, words.evidence(known))
    for refusal in profile.refusals:
        asked = f"{_listed(refusal.methods)} {_listed(refusal.paths)}"
        told = f" with {_listed(refusal.properties)}" if refusal.properties else ""
        yield Quirk(asked + told, _reply(profile, refusal.reply, ""), "allowed", words.evidence(refusal.evidence))


def _evidence(profile: Profile, key: str) -> FactEvidence | None:
    """Of the key, of a part of it, or of its whole block."""
    of_part = next((known for name, known in profile.evidence.items() if name.startswith(f"{key}.")), None)
    return profile.evidence.get(key) or of_part or profile.evidence.get(f"{key.partition('.')[0]}.*")


def _cells(profile: Profile, base: Profile) -> Iterator[Quirk]:
    """Cells with another answer or another end, those that are alike in one row. Cells that nobody knows are left out."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for state in words.STATES:
        for reset, cell in profile.power.table.get(state, {}).items():
            other = base.power.table.get(state, {}).get(reset)
            if cell.assumed or other is None:
                continue
            here, there = _said(profile, state, reset), _said(base, state, reset)
            if words.unversioned(here) != words.unversioned(there):
                alike.setdefault((state, here, there, words.evidence(cell.evidence)), []).append(reset)
    for (state, here, there, known), resets in alike.items():
        yield Quirk(f"{_listed(resets)} while {state.lower()}", here, there, known)


def _said(profile: Profile, state: str, reset: str) -> str:
    """Answer and kind of effect; how long it takes is not compared."""
    outcome = profile.power.outcomes[profile.power.table[state][reset].outcome]
    steps = profile.power.effects.get(outcome.effect, ())
    kinds = [
        step.event.value.replace("os_", "OS ") if step.event is not None else f"power {step.real}".lower()
        for step in steps
        if step.event is not None or step.real is not None
    ]
    return f"{words.answer(profile, profile.replies[outcome.reply])}; {', then '.join(kinds) or 'nothing happens'}"


def _early_words(profile: Profile) -> Iterator[Quirk]:
    """Views that say Off while the power is still on."""
    for name, steps in profile.power.effects.items():
        down = next((step for step in steps if step.real == "Off"), None)
        if down is None:
            continue
        for step in steps[: steps.index(down)]:
            who = [view.value for view in View if step.says.get(view) == "Off"]
            if who:
                when = f"{words.seconds(step.at)} after the request, the power is cut after {words.seconds(down.at)}"
                here = f"{_listed(who)} says Off {when}"
                yield Quirk(
                    f"effect {name}",
                    here,
                    "all say Off when the power is cut",
                    words.evidence(profile.evidence.get("power.effects")),
                )
