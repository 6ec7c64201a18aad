"""Serves a captured tree with the power, sessions, accounts and tasks of the emulator on top: `resources.base` of a profile.

`service.tree` calls `grafted` when a tree is built.

Rules
  1. A body is served as it was captured. Live are only: PowerState and the names of each system and its chassis, what a client
     wrote, the boot override and the identify LED while they are set, and the services of `OURS`.
  2. The actions that change power keep their captured targets, and run through the profile's power table.
  3. A folder directly under the service root of which the capture has nothing is that of the built-in tree, if the captured root
     links to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.redfish.power.manager import manager_reset_operation
from emulator.redfish.power.systems import reset_operation
from emulator.redfish.service.call import OperationResult, RedfishCall, ResourceBody
from emulator.redfish.service.paths import ROOT, system_path
from emulator.redfish.service.resource import Operation, Resource, Snapshot, fixed_content, link
from emulator.redfish.service.shapes import Json
from emulator.redfish.vendor.overlay import Nodes
from profiles.data import thawed
from profiles.model import Profile

OURS: Final = ("SessionService", "AccountService", "TaskService", "JobService", "EventService", "CertificateService")
"""Services whose members come and go, or which belong to the emulator's own state."""
ALWAYS: Final = ("SessionService", "AccountService")
LIVE: Final = ("PowerState", "SerialNumber", "UUID", "HostName")
RESTING: Final[Mapping[str, object]] = {"IndicatorLED": "Off", "LocationIndicatorActive": False}
"""Properties that are live while they have another value than this."""
WRITTEN: Final = "written"


def grafted(built: Nodes, profile: Profile, names: tuple[SystemName, ...]) -> Nodes:
    """The captured tree with what is alive. Raises RackMisconfigured where it lacks a system of the rack."""
    bodies = {path: body for path, frozen in (profile.resources.base or {}).items() if isinstance(body := thawed(frozen), dict)}
    root = bodies[ROOT]
    present = {_folder(path) for path in bodies}
    nodes: Nodes = {}
    for path, node in built.items():
        folder = _folder(path)
        linked = folder in root or any(folder in str(value) for value in root.values() if isinstance(value, dict))
        if folder in OURS and (folder in present or linked or folder in ALWAYS):
            nodes[path] = _with_captured(node, bodies.get(path, {}))
        elif (not path.startswith(f"{ROOT}/") and path != ROOT) or (folder and folder not in present and linked):
            nodes[path] = node
    for path, body in bodies.items():
        if _folder(path) not in OURS:
            nodes[path] = _plain(path, body)
    nodes[ROOT] = replace(_plain(ROOT, _root(root)), open=True, power_below=2)
    _graft_systems(nodes, bodies, built, profile, names)
    _graft_managers(nodes, bodies, profile)
    return nodes


def _folder(path: str) -> str:
    """ "Systems" of "/redfish/v1/Systems/1"; empty for the service root and what is outside."""
    return path.removeprefix(f"{ROOT}/").partition("/")[0] if path.startswith(f"{ROOT}/") else ""


def _root(body: Json) -> Json:
    links = body.get("Links")
    return body | {
        "SessionService": link(f"{ROOT}/SessionService"),
        "Links": (links if isinstance(links, dict) else {}) | {"Sessions": link(f"{ROOT}/SessionService/Sessions")},
    }


def _without_tag(body: Json) -> Json:
    """A captured tag would not match the header."""
    return {name: value for name, value in body.items() if name != "@odata.etag"}


def _plain(path: str, body: Json) -> Resource:
    odata_type = body.get("@odata.type")
    shown = _without_tag(body)
    return Resource(
        path=path,
        type=odata_type if isinstance(odata_type, str) else None,
        content=fixed_content(lambda view: shown),
        tagged="@odata.etag" in body,
    )


def _with_captured(node: Resource, captured: Json) -> Resource:
    """One of our services: our properties, then those that only the capture has."""
    content = node.content
    if content is None or not captured:
        return node

    def snapshot(call: RedfishCall) -> Snapshot:
        state, make_body = content(call)

        def body() -> Json | bytes:
            ours = make_body()
            return ours if isinstance(ours, bytes) else _without_tag(captured) | ours

        return Snapshot(state, body)

    return replace(node, content=snapshot)


# -- systems and chassis ------------------------------------------------------------------------------------------------


def _graft_systems(
    nodes: Nodes, bodies: Mapping[str, Json], built: Nodes, profile: Profile, names: tuple[SystemName, ...]
) -> None:
    systems, chassis = _members(bodies, "Systems"), _members(bodies, "Chassis")
    for collection in ("Systems", "Chassis"):
        path = _link_in(bodies[ROOT], collection)
        if path in nodes and path in bodies:
            nodes[path] = replace(nodes[path], power_below=1)
    if not systems:
        return
    for name in names:
        if name.id not in systems:
            there = ", ".join(systems)
            raise RackMisconfigured(f"profile {profile.id}: the captured tree has no system {name.id}; it has: {there}")
        path = systems[name.id]
        nodes[path] = _live(nodes[path], bodies[path], built[system_path(profile, name.id)])
        for target in _targets(bodies[path], "#ComputerSystem.Reset"):
            nodes[target] = Resource(path=target, operations={"POST": reset_operation(name.id)}, system=name.id)
        where = chassis.get(name.chassis_id)
        if where is not None and f"{ROOT}/Chassis/{name.chassis_id}" in built:
            nodes[where] = _live(nodes[where], bodies[where], built[f"{ROOT}/Chassis/{name.chassis_id}"])
            for target in _targets(bodies[where], "#Chassis.Reset"):
                types = profile.power.chassis.reset_types or None
                nodes[target] = Resource(path=target, operations={"POST": reset_operation(name.id, types)}, system=name.id)
    for path, node in built.items():
        if node.operations and node.content is None and "/Oem/" in path:
            nodes.setdefault(path, node)  # power.oem_actions


def _members(bodies: Mapping[str, Json], collection: str) -> Mapping[str, str]:
    """The paths of the members of a collection at the service root, by their ids."""
    listing = bodies.get(_link_in(bodies[ROOT], collection), {}).get("Members")
    items = listing if isinstance(listing, list) else []
    paths = [str(item.get("@odata.id", "")).rstrip("/") for item in items if isinstance(item, dict)]
    return {path.rpartition("/")[2]: path for path in paths if path in bodies}


def _link_in(body: Json, name: str) -> str:
    value = body.get(name)
    return str(value.get("@odata.id", "")).rstrip("/") if isinstance(value, dict) else ""


def _targets(body: Json, action: str) -> tuple[str, ...]:
    """The target of an action, without a slash at its end; empty where the resource lacks the action."""
    actions = body.get("Actions")
    entry = actions.get(action) if isinstance(actions, dict) else None
    target = entry.get("target") if isinstance(entry, dict) else None
    return (target.rstrip("/"),) if isinstance(target, str) and target.startswith("/") else ()


def _live(captured: Resource, body: Json, ours: Resource) -> Resource:
    """The captured resource with what our own one of the same thing says now."""
    content = ours.content
    assert content is not None, "a system and a chassis have a body"

    def snapshot(call: RedfishCall) -> Snapshot:
        state, make_body = content(call)
        written = call.view.settings.of(captured.path).get(WRITTEN, ())

        def merged() -> Json:
            now = make_body()
            assert isinstance(now, dict)
            return _now(body, now, written if isinstance(written, list) else ())

        return Snapshot((state, tuple(written) if isinstance(written, list) else ()), merged)

    return replace(
        captured,
        content=snapshot,
        operations={method: replace(each, do=_noting(each, captured.path)) for method, each in ours.operations.items()},
        system=ours.system,
        tells=ours.tells if "PowerState" in body else None,
        power_in_links=True,
    )


def _now(body: Json, ours: Json, written: list[object] | tuple[object, ...]) -> Json:
    shown = _without_tag(body)
    for name in body.keys() & ours.keys():
        changed = name in written or (name in RESTING and ours[name] != RESTING[name])
        if changed or name == "PowerState" or (name in LIVE and body[name] is not None):
            shown[name] = ours[name]
    if "PowerState" not in ours:
        shown.pop("PowerState", None)
    boot, now = body.get("Boot"), ours.get("Boot")
    if isinstance(boot, dict) and isinstance(now, dict) and now.get("BootSourceOverrideEnabled") != "Disabled":
        shown["Boot"] = boot | {name: value for name, value in now.items() if name in boot and "@" not in name}
    return shown


def _noting(operation: Operation, path: str) -> Callable[[RedfishCall], OperationResult]:
    """The same PATCH, which also notes what was written: from then on the live value is shown."""

    def do(call: RedfishCall) -> OperationResult:
        done = operation.do(call)
        if isinstance(done, ResourceBody):
            before = call.view.settings.of(path).get(WRITTEN, ())
            names = {*(before if isinstance(before, list) else ()), *call.json_object()}
            call.view.settings.put(path, {WRITTEN: sorted(str(name) for name in names)})
        return done

    return do


# -- managers -----------------------------------------------------------------------------------------------------------


def _graft_managers(nodes: Nodes, bodies: Mapping[str, Json], profile: Profile) -> None:
    path = _members(bodies, "Managers").get(profile.ids.manager)
    if path is None:
        return
    nodes[path] = replace(nodes[path], power_in_links=True)
    for target in _targets(bodies[path], "#Manager.Reset") if profile.bmc_reset.reset_types else ():
        nodes[target] = Resource(path=target, operations={"POST": manager_reset_operation()})
