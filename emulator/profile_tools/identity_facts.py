"""What a ResourceTree says of its BMC, in the words of a profile. Pure.

Only what was read becomes a fact. A property that a resource leaves out is the fact `absent`; a resource that was not read gives
none.
Power cells are never facts here, because a tree cannot show what a command does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from emulator.profile_tools.json_values import JsonObject, found, number_at, object_at, objects_at, text_at, texts_at
from emulator.profile_tools.resource_tree import ROOT, ResourceTree, last_part, link, links
from profiles.model import ABSENT

_TYPED: Final = re.compile(r"#[A-Za-z]+\.v\d+_\d+_\d+\.[A-Za-z]+")
_VERSIONED: Final = re.compile(r"#([A-Za-z]+)\.(v\d+_\d+_\d+)\.\1")
LIVE_SERVICES: Final = frozenset(
    {"SessionService", "AccountService", "TaskService", "JobService", "EventService", "CertificateService"}
)
"""What is served by the emulator also where a captured tree is the base, since its members come and go."""
COME_AND_GO: Final = frozenset({"Session", "ManagerAccount", "Task", "Job", "EventDestination", "Certificate"})
"""Schemas of members of those services: a tree without one says nothing of its version."""
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PASCAL: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_ID: Final = re.compile(r"[A-Za-z0-9._~-]+")
_REGISTRY: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)\.(\d+\.\d+)(?:\.\d+)?")
_ETAG_FORMS: Final = (
    ("weak-hex8", re.compile(r'W/"[0-9A-F]{8}"')),
    ("weak-time", re.compile(r'W/"\d{9,10}"')),
    ("bare-integer", re.compile(r"\d+")),
    ("strong-digits", re.compile(r'"\d+"')),
    ("hash", re.compile(r'"[0-9A-F]{8}"')),
    ("strong-hex", re.compile(r'"[0-9a-f]+"')),
)
_MOST_S: Final = 86_400
_FEATURES: Final = (
    ("expand_all", ("ExpandQuery", "ExpandAll")),
    ("levels", ("ExpandQuery", "Levels")),
    ("links", ("ExpandQuery", "Links")),
    ("no_links", ("ExpandQuery", "NoLinks")),
    ("filter", ("FilterQuery",)),
    ("select", ("SelectQuery",)),
    ("only", ("OnlyMemberQuery",)),
)

IdentityFact = str | bool | int | float | tuple[str, ...] | Mapping[str, "IdentityFact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Blocks of a profile, with what is known of each. `systems` are the paths of all systems, those that can be reset first.

    `is_servable`: the first system can be reached from the service root, so that the tree can be served as it is.
    """

    ids: Mapping[str, str]  # system_id, manager_id, chassis_id
    serial: str | None
    registries: Mapping[str, str]  # Base -> 1.5
    oem_keys: frozenset[str]
    systems: tuple[str, ...]
    is_servable: bool
    versions: Mapping[str, str] = field(default_factory=dict)  # schema -> v1_2_1, of the services in `LIVE_SERVICES`
    blocks: Mapping[str, Mapping[str, IdentityFact]] = field(default_factory=dict)


def facts_of(tree: ResourceTree) -> Facts:
    """The facts of a tree. Where a BMC manages several systems, the first that can be reset is taken."""
    root = tree.at(ROOT)
    systems = _systems(tree, root)
    system = tree.at(systems[0]) if systems else {}
    manager_path = _first(tree, links(system, "Links", "ManagedBy"), root, "Managers")
    chassis_path = _first(tree, links(system, "Links", "Chassis"), root, "Chassis")
    manager, chassis = tree.at(manager_path), tree.at(chassis_path)
    paths = {"system_id": systems[0] if systems else None, "manager_id": manager_path, "chassis_id": chassis_path}
    ids = {name: last_part(path) for name, path in paths.items() if path is not None and _ID.fullmatch(last_part(path))}
    blocks: dict[str, Mapping[str, IdentityFact]] = {
        "identity": _identity(root, system, manager, chassis),
        "power": _power(tree, system),
        "http": _http(tree, root),
        "auth": _auth(tree, root),
        "bmc_reset": _bmc_reset(tree, manager),
        "inventory": _inventory(system, manager, chassis),
    }
    return Facts(
        ids=ids,
        serial=text_at(system, "SerialNumber") or text_at(chassis, "SerialNumber"),
        registries=_registries(tree, root),
        oem_keys=frozenset(key for body in (root, system, manager) for key in object_at(body, "Oem")),
        systems=systems,
        is_servable=bool(systems) and systems[0] in _named_systems(tree, root),
        versions=_versions(tree),
        blocks={name: block for name, block in blocks.items() if block},
    )


def _systems(tree: ResourceTree, root: JsonObject) -> tuple[str, ...]:
    """Paths of systems, those with a Reset action first, those with a PowerState before those without."""
    named = _named_systems(tree, root)
    others = [path for path, body in tree.resources.items() if "#ComputerSystem." in (text_at(body, "@odata.type") or "")]
    known = [path for path in dict.fromkeys((*named, *sorted(others))) if tree.at(path)]
    members = [path for path in known if path in named] or [path for path in known if path.count("/") == 4]

    def rank(path: str) -> tuple[bool, bool]:
        body = tree.at(path)
        return not reset_action(body), "PowerState" not in body

    return tuple(sorted(members, key=rank))


def _named_systems(tree: ResourceTree, root: JsonObject) -> tuple[str, ...]:
    return tuple(uri.rstrip("/") for uri in links(tree.at(link(root, "Systems")), "Members"))


def _first(tree: ResourceTree, preferred: tuple[str, ...], root: JsonObject, collection: str) -> str | None:
    """The first of the references that was read, else the first member of a collection that was."""
    for uri in (*preferred, *links(tree.at(link(root, collection)), "Members")):
        if tree.at(uri):
            return uri.rstrip("/")
    fallback = [path for path in tree.resources if re.fullmatch(f"{ROOT}/{collection}/[^/]+", path)]
    return min(fallback, default=None)


def reset_action(body: JsonObject, name: str = "#ComputerSystem.Reset") -> JsonObject:
    """The Reset action of a resource; empty where there is none."""
    return object_at(body, "Actions", name)


def reset_types(tree: ResourceTree, action: JsonObject) -> tuple[tuple[str, ...], str]:
    """The ResetTypes of an action, and how they are advertised: inline, action_info, both or none."""
    inline = texts_at(action, "ResetType@Redfish.AllowableValues")
    info = tree.at(text_at(action, "@Redfish.ActionInfo"))
    listed: tuple[str, ...] = ()
    for parameter in objects_at(info, "Parameters"):
        if text_at(parameter, "Name") == "ResetType":
            listed = texts_at(parameter, "AllowableValues")
    how = "both" if inline and listed else "inline" if inline else "action_info" if listed else "none"
    types = dict.fromkeys(word for word in (inline or listed) if _PASCAL.fullmatch(word))
    return tuple(types), how


def _identity(root: JsonObject, system: JsonObject, manager: JsonObject, chassis: JsonObject) -> dict[str, IdentityFact]:
    texts: tuple[tuple[str, JsonObject, str], ...] = (
        ("vendor", root, "Vendor"),
        ("product", root, "Product"),
        ("redfish_version", root, "RedfishVersion"),
        ("manufacturer", system, "Manufacturer"),
        ("model", system, "Model"),
        ("sku", system, "SKU"),
        ("bios_version", system, "BiosVersion"),
        ("bmc_model", manager, "Model"),
        ("bmc_firmware", manager, "FirmwareVersion"),
    )
    found_: dict[str, IdentityFact] = {}
    for name, body, key in texts:
        if body and (name != "redfish_version" or text_at(body, key)):
            found_[name] = text_at(body, key) or ABSENT
    for name, body in (("root", root), ("system", system), ("manager", manager), ("chassis", chassis)):
        type_ = text_at(body, "@odata.type") or ""
        if _TYPED.fullmatch(type_):
            found_[f"{name}_type"] = type_
    for name, body in (("root_uuid", root), ("system_uuid", system)):
        uuid = text_at(body, "UUID")
        if body and (uuid is None or _UUID.fullmatch(uuid)):
            found_[name] = uuid or ABSENT
    return found_


def _power(tree: ResourceTree, system: JsonObject) -> dict[str, IdentityFact]:
    action = reset_action(system)
    types, how = reset_types(tree, action)
    if not types:
        return {}
    block: dict[str, IdentityFact] = {"advertise": how, "reset_types": types}
    path, target = text_at(system, "@odata.id") or "", text_at(action, "target") or ""
    usual = f"{path.rstrip('/')}/Actions/ComputerSystem.Reset"
    if target.startswith("/redfish/") and target != usual:
        block["target"] = target.replace(f"/{last_part(path)}/", "/{system}/")
    return block


def _http(tree: ResourceTree, root: JsonObject) -> dict[str, IdentityFact]:
    block: dict[str, IdentityFact] = {}
    form = _etag_form(tree)
    if form is not None:
        block["etag"] = form
    if root:
        features: dict[str, IdentityFact] = {
            name: found(root, "ProtocolFeaturesSupported", *path) is True for name, path in _FEATURES
        }
        levels = number_at(root, "ProtocolFeaturesSupported", "ExpandQuery", "MaxLevels")
        if levels is not None and 0 <= levels <= 20:
            features["max_levels"] = int(levels)
        block["features"] = features
    ids = [uri for body in tree.resources.values() if (uri := text_at(body, "@odata.id")) and uri.count("/") > 3]
    if sum(uri.endswith("/") for uri in ids) < len(ids) / 2:
        block["slash"] = "either"
    if server := tree.headers.get("server"):
        block["server_header"] = server
    if tree.root_text:
        block["json"] = _json_form(tree.root_text)
    return block


def _json_form(text: bytes) -> str:
    """How a service writes JSON, in the words of `http.json`."""
    if b"\\/" in text:
        return "escaped"
    if b"\n" in text.strip():
        return "pretty"
    return "spaced" if b'": ' in text else "compact"


def _etag_form(tree: ResourceTree) -> str | None:
    """The form of most entity tags; `none` only where headers are known."""
    tags = [tag for body in tree.resources.values() if (tag := text_at(body, "@odata.etag"))]
    if header := tree.headers.get("etag"):
        tags.append(header)
    counts = Counter(form for tag in tags for form in [_form_of(tag)] if form is not None)
    if counts:
        return counts.most_common(1)[0][0]
    return "none" if tree.is_live and not tags else None


def _form_of(tag: str) -> str | None:
    return next((form for form, pattern in _ETAG_FORMS if pattern.fullmatch(tag)), None)


def _auth(tree: ResourceTree, root: JsonObject) -> dict[str, IdentityFact]:
    block: dict[str, IdentityFact] = {}
    timeout = number_at(tree.at(link(root, "SessionService")), "SessionTimeout")
    if timeout is not None and 1 <= timeout <= _MOST_S:
        block["sessions"] = {"timeout_s": int(timeout)}
    accounts = tree.at(link(root, "AccountService"))
    failures = number_at(accounts, "AccountLockoutThreshold")
    if failures is not None and 0 <= failures <= 1000:
        lockout: dict[str, IdentityFact] = {"failures": int(failures)}
        for name, key in (("window_s", "AccountLockoutCounterResetAfter"), ("penalty_s", "AccountLockoutDuration")):
            seconds = number_at(accounts, key)
            if seconds is not None and 0 <= seconds <= _MOST_S:
                lockout[name] = int(seconds)
        block["lockout"] = lockout
    return block


def _bmc_reset(tree: ResourceTree, manager: JsonObject) -> dict[str, IdentityFact]:
    types, _ = reset_types(tree, reset_action(manager, "#Manager.Reset"))
    return {"reset_types": types} if types else {}


def _inventory(system: JsonObject, manager: JsonObject, chassis: JsonObject) -> dict[str, IdentityFact]:
    block: dict[str, IdentityFact] = {}
    if chassis:
        is_new, is_old = "PowerSubsystem" in chassis, "Power" in chassis
        if is_new or is_old:
            block["power_and_thermal"] = "both" if is_new and is_old else "subsystems" if is_new else "legacy"
    if system and manager:
        has = [name for name, body in (("system", system), ("manager", manager)) if "VirtualMedia" in body]
        block["virtual_media"] = has[0] if has else "none"
    return block


def _versions(tree: ResourceTree) -> dict[str, str]:
    """The schema versions of the services that the emulator makes itself. A schema that other resources have too is left out."""
    found_: dict[str, str] = {}
    elsewhere: set[str] = set()
    for path, body in tree.resources.items():
        match = _VERSIONED.fullmatch(text_at(body, "@odata.type") or "")
        if match is not None and path.removeprefix(f"{ROOT}/").partition("/")[0] in LIVE_SERVICES:
            found_.setdefault(match[1], match[2])
        elif match is not None:
            elsewhere.add(match[1])
    return {schema: found_[schema] for schema in sorted(found_.keys() - elsewhere)}


def _registries(tree: ResourceTree, root: JsonObject) -> dict[str, str]:
    """Registries by the first part of their name, with major and minor version."""
    versions: dict[str, str] = {}
    for uri in links(tree.at(link(root, "Registries")), "Members"):
        word = text_at(tree.at(uri), "Registry") or last_part(uri)
        if match := _REGISTRY.fullmatch(word.removesuffix(".json")):
            versions.setdefault(match[1], match[2])
    return versions
