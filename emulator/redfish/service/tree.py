"""The resource tree of a profile: all fixed resources by path, with the overlay of the profile applied.

`service.app` makes one tree for all BMCs of the same profile with the same systems. It never changes. `service.service` looks up
each request in it, in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.redfish.accounts.account_service import ACCOUNT_TYPE, accounts
from emulator.redfish.accounts.sessions import SESSION_TYPE, sessions
from emulator.redfish.certificates.certificate_service import CERTIFICATE_TYPE, certificates
from emulator.redfish.events.event_service import DESTINATION_TYPE, events
from emulator.redfish.inventory.all_resources import inventory
from emulator.redfish.inventory.json_schemas import SCHEMA_TYPES, json_schemas
from emulator.redfish.inventory.logs import ENTRY_TYPE
from emulator.redfish.power.enclosure import enclosure
from emulator.redfish.power.hardware import chassis, managers
from emulator.redfish.power.power_equipment import power_equipment
from emulator.redfish.power.systems import systems
from emulator.redfish.power.tasks import task_types, tasks, unlisted_task
from emulator.redfish.service import root
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.registries import registries
from emulator.redfish.service.resource import Content, Resource, Snapshot
from emulator.redfish.service.shapes import Json
from profiles.model import Enclosure, Pdu, Profile


def _powered(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """What has power: the systems of a BMC, the outlets of a PDU, or the slots of an enclosure."""
    match profile.feeder:
        case None:
            return machines(profile, names)
        case Pdu() as pdu:
            return power_equipment(profile, pdu, names)
        case Enclosure() as form:
            return enclosure(profile, form, names)


class Tree:
    """All fixed resources by path. Raises RackMisconfigured for an overlay that names an unknown base or path."""

    def __init__(self, profile: Profile, names: tuple[SystemName, ...]) -> None:
        self._nodes: dict[str, Resource] = {}
        built = (
            root.service_root(profile),
            *_powered(profile, names),
            *sessions(profile),
            *accounts(profile),
            *tasks(profile),
            *events(profile),
            *certificates(profile),
            *registries(profile),
        )
        come_and_go = {SESSION_TYPE, ACCOUNT_TYPE, DESTINATION_TYPE, CERTIFICATE_TYPE} | task_types(profile) | {ENTRY_TYPE}
        types = {node.type for node in built if node.type} | come_and_go
        outer = (root.versions(), root.odata(profile), root.metadata(types | SCHEMA_TYPES, profile.identity.root_type))
        schemas = json_schemas(types)
        for node in (*built, *outer, *schemas, *members_properties(built)):
            if node.path in self._nodes:
                raise RackMisconfigured(f"profile {profile.id}: two resources would live at {node.path}")
            self._nodes[node.path] = node
        self._overlay(profile)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._nodes.values())

    def find(self, view: RedfishBmc, path: str) -> Resource | None:
        """The resource at `path`, which may have one trailing slash; None if there is none."""
        if path.endswith("/") and len(path) > 1:
            path = path[:-1]
        node = self._nodes.get(path)
        if node is not None:
            return node
        parent, _, last = path.rpartition("/")
        above = self._nodes.get(parent)
        if above is None or above.member is None or not last:
            return unlisted_task(view, path)
        return above.member(view, unquote(last))

    def _overlay(self, profile: Profile) -> None:
        removed = frozenset(profile.resources.remove)
        patches: Mapping[str, object] = profile.resources.merge
        for path in (*removed, *patches):
            if path not in self._nodes:
                raise RackMisconfigured(f"profile {profile.id}: resources names {path}, which this BMC does not have")
        for path in removed:
            del self._nodes[path]
        for path, node in self._nodes.items():
            if node.content is not None and (removed or path in patches):
                self._nodes[path] = replace(node, content=_overlaid(node.content, patches.get(path, {}), removed))


def machines(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """The systems of a BMC with their chassis and all their parts, and the BMC itself."""
    return (*systems(profile, names), *chassis(profile, names), *managers(profile, names), *inventory(profile, names))


def members_properties(nodes: Iterable[Resource]) -> Iterator[Resource]:
    """DSP0266 7.9.1: a POST to the Members property of a collection is a POST to the collection."""
    for node in nodes:
        if node.member is not None and "POST" in node.operations:
            yield Resource(path=f"{node.path}/Members", operations={"POST": node.operations["POST"]})


def _overlaid(content: Content, patch: object, removed: frozenset[str]) -> Content:
    """The same content with `patch` merged into its body, and without links to the paths in `removed`."""

    def body_with_overlay(plain: Json | bytes) -> Json | bytes:
        if isinstance(plain, bytes):
            return plain
        merged = merged_patch(plain, patch)
        assert isinstance(merged, dict)
        return without_links(merged, removed) if removed else merged

    def snapshot(call: RedfishCall) -> Snapshot:
        state, make_body = content(call)
        return Snapshot(state, lambda: body_with_overlay(make_body()))

    return snapshot


def merged_patch(target: object, patch: object) -> object:
    """JSON Merge Patch, RFC 7396."""
    if not isinstance(patch, Mapping):
        return patch
    merged: dict[str, object] = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merged_patch(merged.get(name), value)
    return merged


def without_links(body: Json, removed: frozenset[str]) -> Json:
    """The body without links to the removed paths; the counts of lists follow."""

    def gone(value: object) -> bool:
        return isinstance(value, dict) and value.keys() == {"@odata.id"} and value["@odata.id"] in removed

    pruned: Json = {}
    for name, value in body.items():
        if gone(value):
            continue
        if isinstance(value, list):
            value = [item for item in value if not gone(item)]
            if f"{name}@odata.count" in pruned:
                pruned[f"{name}@odata.count"] = len(value)
        elif isinstance(value, dict):
            value = without_links(value, removed)
        pruned[name] = value
    return pruned
