"""The profile format, `profile/1`, as one literal value.

The checks, the JSON Schema for editors (`schema.json`) and the list of keys in docs/write-a-profile.md are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from profiles.model import HostEvent, Tool
from profiles.shapes import (
    Choice,
    Claim,
    Flag,
    Free,
    ListOf,
    MapOf,
    Never,
    Number,
    OneOf,
    OrNull,
    Record,
    Seconds,
    Shape,
    Text,
    names,
)

FORMAT: Final = "profile/1"
STATES: Final = ("On", "Off")
CHASSIS_COMMANDS: Final = ("down", "up", "cycle", "reset", "diag", "soft")

_NAME: Final = Text("[A-Za-z0-9_][A-Za-z0-9_-]*", "a name")
_RESET_TYPE: Final = Text("[A-Z][A-Za-z0-9]*", "a ResetType in PascalCase")
_EVIDENCE: Final = Claim()
_EVIDENCE_MAP: Final = MapOf(_EVIDENCE, r"\*|[A-Za-z0-9_@][A-Za-z0-9_.@-]*", 'a key of this block, key.part or "*"')
_POWER_STATE: Final = OrNull(Choice(("On", "Off", "PoweringOn", "PoweringOff", "Paused", "Reset", "Unknown", "absent")))
_STEP: Final = Record(
    {
        "at": Seconds(),
        "real": Choice(STATES),
        "system": _POWER_STATE,
        "chassis": _POWER_STATE,
        "ipmi": Choice(STATES),
        "event": Choice(tuple(event.value for event in HostEvent)),
    },
    required=("at",),
)
_STEPS: Final = ListOf(_STEP, least=1)
_TYPED: Final = Text(r"#[A-Za-z]+\.v[0-9]+_[0-9]+_[0-9]+\.[A-Za-z]+", 'a type such as "#Manager.v1_9_0.Manager"')
_UUID: Final = Text(
    r"absent|random|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|.*\{[a-z_]+(?::[a-z0-9]+)?\}.*",
    "a UUID, random or absent",
)
_HEADERS: Final = MapOf(Text(), "[A-Za-z0-9!#$%&'*+.^_`|~-]+", "a header name")
_BODY: Final = OneOf('"empty" or a JSON object', scalar=Choice(("empty",)), fields=Free())
_TASK_END: Final = Record(
    {
        "start": Choice(("New", "Pending", "Starting", "Running")),
        "end": Choice(("Completed", "Cancelled", "Exception", "Killed")),
        "after_s": Seconds(),
        "message": _NAME,
    },
    required=("start", "end", "after_s"),
)
_OUTLET: Final = Text("[A-Za-z0-9][A-Za-z0-9._-]{0,31}", "the id of an outlet or slot, of letters, digits, . _ -")
_PATH: Final = Text(r"/redfish(?:/.*)?", "a path that starts with /redfish")
_PATHS: Final = ListOf(_PATH, least=1, unique=True)
"""Patterns: `*` stands for one part of a path, `**` at the end for everything below."""
_WRITES: Final = ListOf(Choice(("PATCH", "PUT", "POST", "DELETE")), least=1, unique=True)
_VERSION: Final = Text(r"v[0-9]+_[0-9]+_[0-9]+", 'a schema version such as "v1_9_0"')
_ROLE: Final = Choice(("Administrator", "Operator", "ReadOnly"))

_IDENTITY: Final = (
    *("vendor", "product", "redfish_version", "root_type", "root_uuid", "manufacturer", "model", "sku"),
    *("system_type", "system_uuid", "manager_type", "chassis_type", "bios_version", "bmc_model", "bmc_firmware"),
)

_ADVERTISE: Final = Choice(("inline", "action_info", "both", "none"))
_OEM_ACTION: Final = Record(
    {
        "target": Text(r"/redfish/\S+", "a path that starts with /redfish"),
        "name": Text(r"#\S+", 'the name of an action such as "#HpeComputerSystemExt.PowerButton"'),
        "parameter": Text("[A-Za-z][A-Za-z0-9]*", "the name of a parameter"),
        "values": MapOf(_RESET_TYPE, r"\S+", "a value of the parameter"),
        "body": _RESET_TYPE,
        "evidence": _EVIDENCE,
    },
    required=("target", "evidence"),
)

_POWER: Final = Record(
    {
        "advertise": _ADVERTISE,
        "reset_types": ListOf(_RESET_TYPE, least=1, unique=True),
        "table": MapOf(
            MapOf(Claim((("outcome", _NAME),), unknown=True), "[A-Z][A-Za-z0-9]*", "a ResetType in PascalCase"),
            words=STATES,
        ),
        "unlisted_type": Claim((("outcome", _NAME),)),
        "outcomes": MapOf(Record({"reply": _NAME, "effect": _NAME}, required=("reply", "effect"))),
        "effects": MapOf(_STEPS),
        "on_os_down": _STEPS,
        "target": Text(r"/redfish/\S+", "a path that starts with /redfish"),
        "oem_actions": ListOf(_OEM_ACTION, least=1),
        "apply_times": ListOf(Text("[A-Z][A-Za-z]*", "an apply time such as Immediate"), least=1, unique=True),
        "chassis": Record({"power_state": Flag(), "reset_types": ListOf(_RESET_TYPE, unique=True)}),
        "windows": ListOf(
            Record(
                {
                    "after": _NAME,
                    "for_s": Seconds(),
                    "reset": ListOf(_RESET_TYPE, least=1),
                    "outcome": _NAME,
                    "evidence": _EVIDENCE,
                },
                required=("after", "for_s", "reset", "outcome", "evidence"),
            )
        ),
        "evidence": _EVIDENCE_MAP,
    },
    required=("advertise", "reset_types", "table", "unlisted_type", "outcomes", "effects", "on_os_down"),
)

_REPLY: Final = Record(
    {
        "status": Number(200, 599),
        "headers": _HEADERS,
        "message": _NAME,
        "body": _BODY,
        "text": Text(),
        "task": _TASK_END,
        "evidence": _EVIDENCE,
    },
    required=("status",),
)
_MESSAGE: Final = Record(
    {
        "id": Text(r"[^\s]+", "a message id without blanks"),
        "text": Text(wanted='text (or "none" where the vendor sends the id only)'),
        "args": ListOf(Text()),
        "severity": Text(),
        "resolution": Text(),
        "evidence": _EVIDENCE,
    },
    required=("id", "text"),
)

_IF_MATCH: Final = Record(
    {"required": Flag(), "applies_to": _WRITES, "paths": _PATHS, "mismatch": _NAME, "missing": _NAME},
    required=("required", "applies_to", "mismatch"),
)

_HTTP: Final = Record(
    {
        "etag": Choice(("none", "strong-digits", "strong-hex", "weak-hex8", "weak-time", "bare-integer", "hash")),
        "redirect_http": Flag(),
        "tls_min": Text(r"1\.[0-3]", 'a TLS version such as "1.2"'),
        "tls_max": Text(r"1\.[0-3]", 'a TLS version such as "1.2"'),
        "json": Choice(("compact", "spaced", "pretty", "escaped")),
        "etag_on": _PATHS,
        "slash": Choice(("either", "ids", "redirect")),
        "not_found": _NAME,
        "served": Flag(),
        "features": Record(
            names(("expand_all", "levels", "links", "no_links", "filter", "select", "only", "excerpt", "top_skip"), Flag())
            | {"max_levels": Number(0, 20)}
        ),
        "if_match": OneOf("a rule or a list of rules", fields=_IF_MATCH, items=ListOf(_IF_MATCH, least=1)),
        "odata_version": Record({"only": Text(), "otherwise": _NAME}, required=("only", "otherwise")),
        "server_header": Text(),
        "evidence": _EVIDENCE_MAP,
    },
    required=("etag", "redirect_http", "tls_min", "features"),
)

_AUTH: Final = Record(
    {
        "basic": Flag(),
        "accounts": ListOf(
            Record(
                {"name": Text(), "password": Text(), "role": _ROLE},
                required=("name", "password", "role"),
            ),
            least=1,
        ),
        "sessions": Record({"max": Number(1, 10_000), "timeout_s": Number(1, 86_400), "on_full": _NAME}, required=("timeout_s",)),
        "lockout": Record(
            {
                "by": Choice(("account", "address")),
                "failures": Number(0, 1000),
                "window_s": Number(0, 86_400, fraction=True),
                "penalty_s": Number(0, 86_400, fraction=True),
            },
            required=("by", "failures"),
        ),
        "no_auth": _NAME,
        "password_change_required": Flag(),
        "evidence": _EVIDENCE_MAP,
    },
    required=("basic", "accounts", "sessions", "lockout"),
)

_AFTER: Final = Record(
    {"reply": _NAME, "for_s": Seconds(), "reset": ListOf(_RESET_TYPE, least=1), "ipmi": Number(1, 255)},
    required=("reply", "for_s"),
)

_HEX_BYTES: Final = Text(r"(?:[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*)?", 'bytes in hexadecimal such as "01 2f"')
_OEM_COMMAND: Final = Record(
    {
        "netfn": Number(0x2C, 0x3E),
        "command": Number(0, 255),
        "data": _HEX_BYTES,
        "answer": _HEX_BYTES,
        "code": Number(0, 255),
        "evidence": _EVIDENCE,
    },
    required=("netfn", "command", "evidence"),
)

_IPMI: Final = Record(
    {
        "lan": Flag(),
        "device": Record(
            {
                "manufacturer": Number(0, 0xFFFFF),
                "product": Number(0, 0xFFFF),
                "device_id": Number(0, 255),
                "revision": Number(0, 15),
            },
            required=("manufacturer", "product", "device_id", "revision"),
        ),
        "cipher_suites": ListOf(Number(0, 255), unique=True),
        "duplicates": Choice(("once", "twice")),
        "auth_types": ListOf(Choice(("none", "md5", "password")), unique=True),
        "kg": Text(r"[ -~]{1,20}", "1 to 20 printable ASCII characters"),
        "sessions": Number(1, 63),
        "oem": ListOf(_OEM_COMMAND),
        "chassis": MapOf(
            MapOf(Claim((("completion code", Number(0, 255)), ("effect", _NAME)), unknown=True), words=CHASSIS_COMMANDS),
            words=STATES,
        ),
        "evidence": _EVIDENCE_MAP,
    },
    required=("lan", "device", "cipher_suites", "chassis"),
)

_COUNTS: Final[Mapping[str, Shape]] = {
    "processors": Number(1, 8),
    "cores": Number(1, 128),
    "dimms": Number(1, 64),
    "dimm_gib": Number(1, 1024),
    "drives": Number(0, 32),
    "drive_gb": Number(1, 100_000),
    "boot_drives": Number(1, 4),
    "network_adapters": Number(1, 8),
    "ports": Number(1, 4),
    "port_gbps": Number(1, 400),
    "power_supplies": Number(1, 8),
    "psu_watts": Number(100, 10_000),
    "fans": Number(1, 16),
}
_PARTS: Final[Mapping[str, Shape]] = {
    **_COUNTS,
    "processor_maker": Text(),
    "processor_model": Text(),
    "power_and_thermal": Choice(("subsystems", "legacy", "both")),
    "virtual_media": Choice(("system", "manager", "none")),
}
_INVENTORY: Final = Record({**_PARTS, "evidence": _EVIDENCE_MAP}, required=tuple(_PARTS))

_MOMENT: Final = OneOf(
    "seconds or {rail: on} or {rail: off}",
    scalar=Number(0, 86_400, fraction=True),
    fields=Record({"rail": Choice(("on", "off")), "system": Text()}, required=("rail",)),
)
_FAULT: Final = Record(
    {
        "type": Text(),
        "when": MapOf(Free()),
        "count": Number(1),
        "after": _MOMENT,
        "until": _MOMENT,
        "probability": Number(0, 1, fraction=True),
        "must_fire": Flag(),
        "params": MapOf(Free()),
        "evidence": _EVIDENCE,
    },
    required=("type", "evidence"),
)
"""`fault/1` as far as it is known without the emulator, which knows the types and their parameters and checks them too."""

_REFUSAL: Final = Record(
    {
        "methods": ListOf(Choice(("GET", "PATCH", "PUT", "POST", "DELETE")), least=1, unique=True),
        "paths": _PATHS,
        "properties": ListOf(Text(), least=1, unique=True),
        "roles": ListOf(_ROLE, least=1, unique=True),
        "without_licence": Text(),
        "reply": _NAME,
        "evidence": _EVIDENCE,
    },
    required=("methods", "paths", "reply", "evidence"),
)
"""What this vendor refuses and others allow. All conditions that are given must hold."""

_DEVIATION: Final = Record(
    {
        "tool": Choice(tuple(tool.value for tool in Tool)),
        "result": Choice(("FAIL", "WARN")),
        "assertion": Text(),
        "where": Text(),
        "because": Text(),
        "evidence": _EVIDENCE,
    },
    required=("tool", "result", "assertion", "where", "because", "evidence"),
)

PROFILE: Final = Record(
    {
        "schema": Choice((FORMAT,)),
        "id": Text("[a-z0-9][a-z0-9-]*", "lower-case letters, digits and -"),
        "title": Text(),
        "extends": OneOf("a profile or a list of them", scalar=Text(), items=ListOf(Text(), least=1, unique=True)),
        "abstract": Flag(),
        "firmware": MapOf(Text()),
        "maintainers": ListOf(Text()),
        "sources": MapOf(Record({"ref": Text(), "commit": Text(), "licence": Text()}, required=("ref",))),
        "vars": MapOf(Text(), "[a-z][a-z0-9_]*", "lower-case letters, digits and _"),
        "identity": Record(
            names(_IDENTITY, Text())
            | names(("root_type", "system_type", "manager_type", "chassis_type"), _TYPED)
            | names(("root_uuid", "system_uuid"), _UUID)
            | {"oem_key": Never("nothing reads it: write what the vendor has under Oem with resources.merge")}
            | {"evidence": _EVIDENCE_MAP},
            required=_IDENTITY,
        ),
        "power": _POWER,
        "replies": MapOf(_REPLY),
        "messages": MapOf(_MESSAGE, but={"evidence": _EVIDENCE_MAP}),
        "errors": Record(
            {
                "code": Text(),
                "summary": Text(),
                "fields": ListOf(Text(), least=1, unique=True),
                "top_level": Record({"type": Text(), "name": Text()}),
                "entry_type": Text(),
                "evidence": _EVIDENCE_MAP,
            },
            required=("code", "summary", "fields"),
        ),
        "http": _HTTP,
        "auth": _AUTH,
        "tasks": Record(
            {
                "style": Choice(("none", "tasks", "jobs")),
                "id": Text(),
                "monitor": _PATH,
                "retry_after_s": Number(0, 3600),
                "deleted_by_monitor": Flag(),
                "evidence": _EVIDENCE_MAP,
            },
            required=("style",),
        ),
        "bmc_reset": Record(
            {
                "reset_types": ListOf(_RESET_TYPE, unique=True),
                "reply": _NAME,
                "grace_s": Seconds(),
                "outage_s": Seconds(),
                "after": _AFTER,
                "restore_policy": Flag(),
                "advertise": _ADVERTISE,
                "evidence": _EVIDENCE_MAP,
            },
            required=("reset_types", "reply", "grace_s", "outage_s"),
        ),
        "ipmi": _IPMI,
        "timing": Record(
            {
                "latency_ms": Record(names(("min", "typ", "max"), Number(0, 600_000, fraction=True))),
                "os_shutdown_s": Seconds(),
                "evidence": _EVIDENCE_MAP,
            }
        ),
        "inventory": _INVENTORY,
        "pdu": Record(
            {
                "outlets": ListOf(_OUTLET, least=1, unique=True),
                "equipment_type": _TYPED,
                "distribution_type": _TYPED,
                "outlet_type": _TYPED,
                "evidence": _EVIDENCE_MAP,
            },
            required=("outlets", "equipment_type", "distribution_type", "outlet_type"),
        ),
        "enclosure": Record(
            {
                "slots": ListOf(_OUTLET, least=1, unique=True),
                "enclosure_type": Text(),
                "slot_type": Text(),
                "evidence": _EVIDENCE_MAP,
            },
            required=("slots", "enclosure_type", "slot_type"),
        ),
        "managers": Record(
            {
                "others": ListOf(
                    Record({"id": _OUTLET, "type": Text(), "model": Text(), "firmware": Text()}, required=("id",)), least=1
                ),
                "evidence": _EVIDENCE_MAP,
            },
            required=("others",),
        ),
        "versions": MapOf(_VERSION, "[A-Z][A-Za-z0-9]*", "the name of a schema", but={"evidence": _EVIDENCE_MAP}),
        "refusals": ListOf(_REFUSAL),
        "faults": MapOf(_FAULT),
        "resources": Record(
            {
                "base": Text(wanted="built-in, or the folder of a captured tree"),
                "templates": Text(wanted="a folder of JSON templates"),
                "boot": Choice(("system", "settings")),
                "merge": MapOf(Free(), r"/redfish/v1(?:/[^\s]*)?", "a path under /redfish/v1"),
                "remove": ListOf(_PATH, unique=True),
                "evidence": _EVIDENCE_MAP,
            }
        ),
        "deviations": ListOf(_DEVIATION),
    },
    required=(
        "vars",
        "identity",
        "power",
        "replies",
        "messages",
        "errors",
        "http",
        "auth",
        "tasks",
        "bmc_reset",
        "ipmi",
        "timing",
        "inventory",
    ),
    always=("schema", "id", "title"),
)

EVIDENCE_BY_KEY: Final = (
    "identity",
    "messages",
    "errors",
    "http",
    "auth",
    "tasks",
    "bmc_reset",
    "timing",
    "inventory",
    "pdu",
    "enclosure",
    "managers",
    "versions",
    "resources",
)
"""Blocks in which every key needs evidence. `power` and `ipmi` have tables with evidence in each cell."""

EVIDENCE_IN: Final = {
    "power": ("advertise", "reset_types", "effects", "on_os_down", "target", "chassis"),
    "ipmi": ("lan", "device", "cipher_suites"),
}

EVIDENCE_ALSO: Final = {"power.advertise": "reset_types", "power.on_os_down": "effects"}
"""Pairs of keys with the same source: the evidence of the second key is also that of the first."""
