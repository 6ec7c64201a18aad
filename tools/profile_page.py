"""One page for one profile: docs/profiles/<id>.md. `tools.print_profile_pages` writes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fencelab_yaml.source import YamlMap, child
from profiles.lint import Report, cells_of
from profiles.loader import Resolved
from profiles.model import Confidence, Profile
from tools import profile_words as words
from tools.profile_quirks import quirks

BASE: Final = "dmtf-generic"
IPMI_COMMANDS: Final = ("down", "up", "cycle", "reset", "diag", "soft")
UNKNOWN: Final = "**not known**, assumed"
NOTE: Final = "Written by `make profiles-pages` from [{file}](../../{file}); do not edit."


def page(profile: Profile, resolved: Resolved, report: Report, base: Profile) -> str:
    """The Markdown text."""
    parts = (
        _head(profile, resolved, report),
        _identity(profile),
        _power(profile),
        _quirks(profile, base) if profile.id != base.id and profile.feeder is None else [],
        _errors(profile),
        _ipmi(profile) if profile.feeder is None else [],
        _faults(profile),
        _deviations(profile),
        _sources(profile, resolved),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def file_of(resolved: Resolved) -> str:
    """The profile's file, from the root of the project on."""
    return "profiles/vendors/" + resolved.own.mark.file.rpartition("/vendors/")[2]


def _head(profile: Profile, resolved: Resolved, report: Report) -> Iterator[str]:
    yield f"# {profile.id}"
    yield ""
    yield NOTE.format(file=file_of(resolved))
    yield ""
    yield f"{titled(profile)}.{_modelled(profile)}"
    if profile.extends:
        yield f"Extends {', '.join(profile.extends)}."
    yield ""
    cells = cells_of(resolved)
    yield from words.table(
        ("cells of its own", "inherited", "not known", *(confidence.value for confidence in Confidence)),
        [(str(cells.own), str(cells.inherited), str(cells.unknown), *(f"{report.share(each):.0%}" for each in Confidence))],
    )
    yield ""
    claims = sum(report.claims.values())
    yield f"The shares are of {claims} claims; [write-a-profile](../write-a-profile.md#evidence) says what the words mean."
    yield ""


def titled(profile: Profile) -> str:
    """The title, which says where only the identity is known."""
    said = "identity only" in profile.title.lower()
    return f"{profile.title} (identity only)" if profile.identity_only and not said else profile.title


def _modelled(profile: Profile) -> str:
    modelled, applies = profile.firmware.get("modelled_on"), profile.firmware.get("applies_to")
    return f" Modelled on {modelled}{f', for {applies}' if applies else ''}." if modelled else ""


def _identity(profile: Profile) -> Iterator[str]:
    yield "## What it calls itself"
    yield ""
    identity = profile.identity
    rows = [
        ("System, Manager, Chassis", f"`{profile.ids.system}`, `{profile.ids.manager}`, `{profile.ids.chassis}`", ""),
        *(
            (
                name.replace("_", " "),
                f"`{value}`" if value != "absent" else "not sent",
                words.evidence(profile.evidence.get(f"identity.{name}")),
            )
            for name, value in (
                ("vendor", identity.vendor),
                ("product", identity.product),
                ("redfish_version", identity.redfish_version),
                ("manufacturer", identity.manufacturer),
                ("model", identity.model),
                ("bmc_firmware", identity.bmc_firmware),
            )
        ),
    ]
    yield from words.table(("property", "value", "known from"), rows)
    yield ""


def _power(profile: Profile) -> Iterator[str]:
    part = "host" if profile.feeder is None else profile.feeder.part
    yield "## Power"
    yield ""
    if profile.identity_only:
        yield "**Identity only**: nobody has shown how power behaves here. Every cell that is not known is what the parent does;"
        yield "none of them switches a host on that is off, unless it asks for On."
        yield ""
    if not profile.http.served:
        yield "**No Redfish**: nothing listens there. The table holds what is inherited, and nobody can ask for it."
        yield ""
    for state in words.STATES:
        yield f"The {part} is {state.lower()}:"
        yield ""
        rows = []
        for reset, cell in profile.power.table.get(state, {}).items():
            answer, effect = words.cell(profile, cell)
            rows.append((reset, answer, effect, UNKNOWN if cell.assumed else words.evidence(cell.evidence)))
        yield from words.table(("request", "answer", "what happens", "known from"), rows)
        yield ""
    answer, effect = words.cell(profile, profile.power.unlisted_type)
    yield f"Any other request: {answer}; {effect} happens ({words.evidence(profile.power.unlisted_type.evidence)})."
    yield ""
    if profile.power.on_os_down:
        down = words.steps(profile.power.on_os_down)
        yield f"When the operating system has shut down: {down}."
        yield ""


def _quirks(profile: Profile, base: Profile) -> Iterator[str]:
    yield f"## What differs from [{BASE}]({BASE}.md)"
    yield ""
    yield from words.table(("what", "here", BASE, "known from"), quirks(profile, base))
    yield ""


def _errors(profile: Profile) -> Iterator[str]:
    yield "## Answers"
    yield ""
    fields = ", ".join(f"`{name}`" for name in profile.errors.fields)
    yield f"An error has the code `{profile.errors.code}`; each message has {fields}."
    yield ""
    rows = []
    for name, reply in profile.replies.items():
        message = profile.messages.get(reply.message or "")
        headers = ", ".join(f"`{key}: {value}`" for key, value in reply.headers.items())
        text = "" if message is None else message.text or "no text"
        known = profile.evidence.get(f"replies.{name}") or profile.evidence.get(f"messages.{reply.message}")
        rows.append((name, words.answer(profile, reply), text, headers, words.evidence(known)))
    yield from words.table(("reply", "answer", "text", "headers", "known from"), rows)
    yield ""


def _ipmi(profile: Profile) -> Iterator[str]:
    ipmi = profile.ipmi
    yield "## IPMI"
    yield ""
    suites = ", ".join(map(str, ipmi.cipher_suites)) or "none"
    yield (
        f"Over LAN: {'on' if ipmi.lan else 'off'}. Manufacturer {ipmi.device.manufacturer}, product {ipmi.device.product}, "
        f"cipher suites {suites}."
    )
    yield ""
    for state in words.STATES:
        yield f"The host is {state.lower()}:"
        yield ""
        rows = []
        for command in IPMI_COMMANDS:
            cell = ipmi.chassis.get(state, {}).get(command)
            if cell is None:
                continue
            known = UNKNOWN if cell.assumed else words.evidence(cell.evidence)
            rows.append((command, f"0x{cell.completion_code:02X}", words.effect(profile, cell.effect), known))
        yield from words.table(("Chassis Control", "completion code", "what happens", "known from"), rows)
        yield ""


def _faults(profile: Profile) -> Iterator[str]:
    if not profile.faults:
        return
    yield "## Faults that users met"
    yield ""
    yield "Off until somebody arms them ([control.md](../control.md))."
    yield ""
    rows = [
        (name, f"`{fault['type']}`", words.evidence(profile.evidence.get(f"faults.{name}")))
        for name, fault in profile.faults.items()
    ]
    yield from words.table(("name", "type", "known from"), rows)
    yield ""


def _deviations(profile: Profile) -> Iterator[str]:
    if not profile.deviations:
        return
    yield "## What DMTF's validators hold against it"
    yield ""
    rows = [(each.tool.value, each.result, f"{each.assertion}: {each.where}", each.because) for each in profile.deviations]
    yield from words.table(("validator", "result", "assertion", "because"), rows)
    yield ""


def _sources(profile: Profile, resolved: Resolved) -> Iterator[str]:
    """The profile's own sources first, then those of its parents."""
    declared = child(resolved.own, "sources")
    own = declared.entries if isinstance(declared, YamlMap) else {}
    ordered = sorted(profile.sources.items(), key=lambda item: item[0] not in own)
    yield "## Sources"
    yield ""
    rows = [(name, words.link(source), source.licence or "") for name, source in ordered]
    yield from words.table(("id", "what", "licence"), rows)
