"""Whether a profile expresses a fact of the list of facts about vendors. `tests/peers/test_vendor_facts.py` counts with it.

Rules
  1. A fact is a mapping with `value` (facts of power: `state`, `reset`, `status` ...). What a profile says is read from the
     model, never from its text. True: the profile says the same, all of it. False: of some part it says something
     else, or nothing.
  2. None: no rule here can tell. Then tests/data/vendor-facts.yaml must say where the profile expresses it, or why not.
  3. A fact whose status is `unknown` is expressed by a cell that is `"?"`.
  4. Versions in MessageIds are not compared: one profile has one version, facts come from many.
  5. Of an answer, status, MessageId, number of arguments, text, severity and headers are compared. What a fact says of its
     envelope and of the form of its body is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from profiles.model import HostEvent, Profile, ReplyTemplate, View
from tests.vendor_facts_identity import device, ids, ipmi, lan, manager_strings, service_root, system_strings, system_uuid_form
from tests.vendor_facts_power import Facts, answers, cell_says, effect_of, power_says, replies_of

Value = object


class VendorFact(NamedTuple):
    """One fact. `name` is `vendor.section.key`, for power `vendor.power.STATE.RESET.N`."""

    name: str
    vendor: str
    section: str
    key: str
    content: Facts

    @property
    def about_power(self) -> bool:
        return self.section == "power"

    @property
    def about_errors(self) -> bool:
        """Whether the fact is about an answer that refuses, or about the form of answers."""
        value = self.content.get("value")
        told = isinstance(value, Mapping) and bool({"status", "message_id"} & value.keys())
        return not self.about_power and (told or self.key in _ERRORS)


_ERRORS: Final = frozenset(
    {"error_shape", "no_auth", "not_ready", "sessions_full", "unknown_type", "invalid_reset_type", "bad_login"}
)


def facts(document: Facts) -> Iterator[VendorFact]:
    """All facts of the list, in its order."""
    vendors = document["vendors"]
    assert isinstance(vendors, Mapping)
    for vendor, sections in vendors.items():
        for section, content in sections.items():
            if section == "label":
                continue
            if isinstance(content, list):
                for number, fact in enumerate(content):
                    yield VendorFact(
                        f"{vendor}.power.{fact['state']}.{fact['reset']}.{number}", vendor, "power", fact["reset"], fact
                    )
            elif "value" in content:
                yield VendorFact(f"{vendor}.{section}", vendor, section, "", content)
            else:
                for key, fact in content.items():
                    yield VendorFact(f"{vendor}.{section}.{key}", vendor, section, key, fact)


def expressed(fact: VendorFact, profile: Profile) -> bool | None:
    """True, False, or None where no rule can tell."""
    if fact.about_power:
        return power_says(fact.content, profile)
    rule = RULES.get(f"{fact.section}.{fact.key}")
    if rule is None:
        return None
    return rule(fact.content["value"], profile)


# -- everything else ---------------------------------------------------------------------------------------------------------


def _reply_says(value: Value, *replies: ReplyTemplate, profile: Profile) -> bool:
    return isinstance(value, Mapping) and any(answers(value, reply, profile) for reply in replies)


def _accepting(profile: Profile) -> list[ReplyTemplate]:
    """What commands are answered that do something."""
    cells = [cell for row in profile.power.table.values() for cell in row.values() if not cell.assumed]
    outcomes = [profile.power.outcomes[cell.outcome] for cell in cells]
    return [profile.replies[outcome.reply] for outcome in outcomes if outcome.effect != "none"]


def _same_set(value: Value, ours: Sequence[str]) -> bool | None:
    return set(value) == set(ours) if isinstance(value, list) else None


def _advertised(value: Value, profile: Profile) -> bool:
    text = str(value)
    wanted = {"action_info"} if "only" in text else {"action_info", "both", "inline"}
    return profile.power.advertise in wanted or ("plus" in text and profile.power.advertise == "both")


def _graceful_restart_is_hard(value: Value, profile: Profile) -> bool:
    cell = profile.power.table["On"].get("GracefulRestart")
    return cell is not None and effect_of(profile, profile.power.outcomes[cell.outcome].effect) == HostEvent.OS_RESTART.value


def _oem(value: Value, profile: Profile) -> bool:
    """The values that the text names, and some action that it names."""
    named = any(action.target.rpartition("/")[2] in str(value) for action in profile.power.oem_actions)
    return named and all(re.search(rf"\b{word}\b", str(value)) for action in profile.power.oem_actions for word in action.values)


def _no_effect(value: Value, profile: Profile) -> bool:
    cells = (profile.power.table["Off"]["ForceOff"], profile.power.table["On"]["On"])
    return all(cell_says({"status": 200, "message_id": "Base.NoOperation"}, cell, profile) for cell in cells)


def _no_state_check(value: Value, profile: Profile) -> bool:
    statuses = {reply.status for reply in _accepting(profile)}
    cells = [cell for row in profile.power.table.values() for cell in row.values()]
    return {profile.replies[profile.power.outcomes[cell.outcome].reply].status for cell in cells} == statuses


def _after(value: Value, profile: Profile) -> bool:
    after = profile.bmc_reset.after
    if after is None:
        return False
    reply = profile.replies[after["reply"]]
    message = profile.messages.get(reply.message or "")
    name = message.id.rpartition(".")[2] if message is not None else ""
    return _reply_says(value, reply, profile=profile) if isinstance(value, Mapping) else bool(name) and name in str(value)


def _full(value: Value, profile: Profile) -> bool:
    faults = [fault["params"].get("reply") for fault in profile.faults.values() if fault["type"] == "redfish.sessions-full"]
    return _reply_says(value, *replies_of(profile, profile.auth.sessions.on_full, *faults), profile=profile)


def _lockout(value: Value, profile: Profile) -> bool:
    lockout = profile.auth.lockout
    if not isinstance(value, Mapping):
        return False
    if value["threshold"] == 0:
        return lockout.failures == 0 or lockout.by == "address"
    return (lockout.by, lockout.failures, lockout.penalty_s) == ("account", value["threshold"], value["duration"])


def _blocked(value: Value, profile: Profile) -> bool:
    lockout = profile.auth.lockout
    told = (value["fail_count"], value["window_s"], value["penalty_s"]) if isinstance(value, Mapping) else ()
    return lockout.by == "address" and told == (lockout.failures, lockout.window_s, lockout.penalty_s)


def _account(value: Value, profile: Profile) -> bool:
    return any(f"{account.name}/{account.password}" == value for account in profile.auth.accounts)


_ETAGS: Final = (
    ("bare integer", "bare-integer"),
    ("strong, quoted digits", "strong-digits"),
    ("strong, quoted", "strong-hex"),
    ('weak, W/"8 hex', "weak-hex8"),
    ('weak, W/"<unix', "weak-time"),
)


def _etag(value: Value, profile: Profile) -> bool | None:
    form = next((form for words, form in _ETAGS if words in str(value)), None)
    return None if form is None else profile.http.etag == form


_FEATURES: Final = {
    "ExpandAll": "expand_all",
    "Levels": "levels",
    "Links": "links",
    "NoLinks": "no_links",
    "MaxLevels": "max_levels",
    "Filter": "filter",
    "Select": "select",
    "OnlyMember": "only",
}
"""Excerpt is not among them: the query parameter is not built, so that no profile says that a BMC has it."""


def _features(value: Value, profile: Profile) -> bool:
    if not isinstance(value, Mapping):
        return False
    if value.get("Excerpt"):
        return False
    known = {ours: value[theirs] for theirs, ours in _FEATURES.items() if theirs in value}
    return all((profile.http.features.get(name) or False) == told for name, told in known.items())


_FIELDS: Final = (
    "MessageID",
    "MessageId",
    "MessageArgs@odata.count",
    "MessageArgs",
    "RelatedProperties@odata.count",
    "RelatedProperties",
)


def _error_shape(value: Value, profile: Profile) -> bool | None:
    """The fields that the text names, and no text where it says so."""
    named = {field for field in _FIELDS if re.search(rf"\b{field}(?![@\w])", str(value))}
    fields = set(profile.errors.fields)
    if not named:
        return None
    silent = "no Message text" in str(value)
    textless = "Message" not in fields or all(message.text is None for message in profile.messages.values())
    return named <= fields and (textless or not silent)


def _old_success(value: Value, profile: Profile) -> bool:
    """A fault that answers as older firmware did."""
    return isinstance(value, Mapping) and any(
        fault["type"] == "redfish.reply" and fault["params"].get("status") == value["status"] for fault in profile.faults.values()
    )


def _latency(value: Value, profile: Profile) -> bool:
    ours = profile.timing.latency_ms
    return isinstance(value, Mapping) and abs(ours["min"] - value["min"]) <= 1 and abs(ours["typ"] - value["avg"]) <= 1


def _eager_off(value: Value, profile: Profile) -> bool:
    """The System says Off in an earlier step than the one that cuts the power."""
    steps = profile.power.effects["force_off"]
    said = [number for number, step in enumerate(steps) if step.says.get(View.SYSTEM) == "Off"]
    cut = [number for number, step in enumerate(steps) if step.real == "Off"]
    return bool(said and cut) and said[0] < cut[0]


def _late_on(value: Value, profile: Profile) -> bool:
    """No view says On before the power is on."""
    first = profile.power.effects["boot"][0]
    return first.real == "On" and set(first.says.values()) == {"On"}


def _cipher(value: Value, profile: Profile) -> bool | None:
    return profile.ipmi.cipher_suites == (17,) if str(value).startswith(("17 only", "17 needed")) else None


def _refused_login(value: Value, profile: Profile) -> bool:
    replies = replies_of(profile, profile.auth.no_auth)
    if isinstance(value, Mapping):
        return _reply_says(value, *replies, profile=profile)
    return any(str(reply.status) in str(value) and (reply.body == "empty") == ("empty body" in str(value)) for reply in replies)


def _odata(value: Value, profile: Profile) -> bool | None:
    rule = profile.http.odata_version
    if "412" in str(value):
        return rule is not None and profile.replies[rule["otherwise"]].status == 412
    return rule is None if "ignored" in str(value) else None


def _redirect(value: Value, profile: Profile) -> bool:
    """Whether the paths that the text names are redirected with the status that it names."""
    http, text = profile.http, str(value)
    wanted = "redirect_root" if "/redfish/v1 without" in text else "redirect"
    return http.slash == wanted and str(http.slash_status) in text


def _if_match(value: Value, profile: Profile) -> bool | None:
    if "required on" in str(value):
        return any(rule.required and "PATCH" in rule.applies_to for rule in profile.http.if_match)
    if "never required" in str(value):
        return bool(profile.http.if_match) and not any(rule.required for rule in profile.http.if_match)
    return None


RULES: Final[Mapping[str, Callable[[Value, Profile], bool | None]]] = {
    "reset.allowable": lambda value, profile: _same_set(value, profile.power.reset_types),
    "reset.types": lambda value, profile: _same_set(value, profile.power.reset_types),
    "reset.standard_types": lambda value, profile: _same_set(value, profile.power.reset_types),
    "reset.chassis_allowable": lambda value, profile: _same_set(value, profile.power.chassis.reset_types),
    "reset.advertised": _advertised,
    "reset.success": lambda value, profile: _reply_says(value, *_accepting(profile), profile=profile),
    "reset.invalid_reset_type": lambda value, profile: _reply_says(
        value, *replies_of(profile, profile.power.outcomes[profile.power.unlisted_type.outcome].reply), profile=profile
    ),
    "reset.unknown_type": lambda value, profile: _reply_says(
        value, *replies_of(profile, profile.power.outcomes[profile.power.unlisted_type.outcome].reply), profile=profile
    ),
    "reset.graceful_restart_is_hard": _graceful_restart_is_hard,
    "reset.oem": _oem,
    "reset.oem_ac_cycle": _oem,
    "reset.aux_cycle": _oem,
    "reset.power_cycle_only_oem": lambda value, profile: (
        "PowerCycle" not in profile.power.reset_types
        and any("PowerCycle" in action.values for action in profile.power.oem_actions)
    ),
    "reset.no_effect_rule": _no_effect,
    "reset.no_state_check": _no_state_check,
    "reset.bmc_not_ready": _after,
    "auth.session_timeout_s": lambda value, profile: profile.auth.sessions.timeout_s == value,
    "auth.idle_timeout_min": lambda value, profile: isinstance(value, int) and profile.auth.sessions.timeout_s == 60 * value,
    "auth.max_sessions": lambda value, profile: profile.auth.sessions.max == (value if isinstance(value, int) else None),
    "auth.sessions_full": _full,
    "auth.sessions_full_newer": _full,
    "auth.sessions_full_400": _full,
    "auth.account_lockout": _lockout,
    "auth.ip_block": _blocked,
    "auth.default_account": _account,
    "auth.no_auth": _refused_login,
    "auth.bad_login": _refused_login,
    "http.no_auth": _refused_login,
    "http.error_shape": _error_shape,
    "reset.success_old": _old_success,
    "timing.latency_ms": _latency,
    "timing.eager_off": _eager_off,
    "timing.late_on": _late_on,
    "ipmi.cipher": _cipher,
    "ipmi.soft_off": lambda value, profile: profile.ipmi.chassis["On"]["soft"].completion_code == 0,
    "http.etag": _etag,
    "http.features": _features,
    "http.https_redirect": lambda value, profile: profile.http.redirect_http is value,
    "http.tls_min": lambda value, profile: f"TLS {profile.http.tls_min} " in str(value),
    "http.tls": lambda value, profile: str(value).startswith(f"TLS {profile.http.tls_min} "),
    "http.odata_version": _odata,
    "http.if_match": _if_match,
    "http.server_header": lambda value, profile: profile.http.server_header == value,
    "http.json": lambda value, profile: profile.http.json == "escaped",
    "http.redirect": _redirect,
    "http.boot_settings": lambda value, profile: profile.resources.boot == "settings",
    "http.html_404": lambda value, profile: profile.http.not_found is not None,
    "http.license_gate": lambda value, profile: any(refusal.without_licence for refusal in profile.refusals),
    "tasks.monitor_deletes": lambda value, profile: bool(profile.tasks.get("deleted_by_monitor")),
    "tasks.shape": lambda value, profile: (
        profile.tasks.get("style")
        == ("jobs" if "JobService" in str(value) else "none" if str(value).startswith("no ") else "tasks")
    ),
    "bmc_reset.allowable": lambda value, profile: _same_set(value, profile.bmc_reset.reset_types),
    "bmc_reset.success": lambda value, profile: _reply_says(
        value, *replies_of(profile, profile.bmc_reset.reply), profile=profile
    ),
    "bmc_reset.outage_s": lambda value, profile: [profile.bmc_reset.outage_s.low, profile.bmc_reset.outage_s.high] == value,
    "bmc_reset.not_ready": _after,
    "ipmi.manufacturer_id": lambda value, profile: profile.ipmi.device.manufacturer == value,
    "ipmi.device_id": device,
    "ipmi.lan_enabled": lan,
    "ipmi.off_when_off": ipmi("down"),
    "ipmi.cycle_when_off": ipmi("cycle"),
    "ipmi.reset_when_off": ipmi("reset"),
    "identity.ids": ids,
    "identity.service_root": service_root,
    "identity.service_root_newer": service_root,
    "identity.system_strings": system_strings,
    "identity.system_uuid_form": system_uuid_form,
    "identity.manager_strings": manager_strings,
}
"""By section and key."""
