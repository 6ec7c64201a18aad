"""The resource tree of a profile: all fixed resources by path, with the overlay of the profile applied.

`service.app` makes one tree for all BMCs of the same profile with the same systems. It never changes. `service.service` looks up
each request in it, in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.oem_code import redfish_code
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
from emulator.redfish.service.registries import registries
from emulator.redfish.service.resource import Resource
from emulator.redfish.vendor.captured_tree import grafted
from emulator.redfish.vendor.oem_actions import oem_actions
from emulator.redfish.vendor.overlay import in_versions, overlaid, versioned
from profiles.model import Enclosure, Pdu, Profile


def _powered(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """What has power: the systems of a BMC, the outlets of a PDU, or the slots of an enclosure."""
    match profile.feeder:
        case None:
            code = redfish_code(profile.code)
            more = () if code is None else tuple(code(profile, names))
            return (*machines(profile, names), *oem_actions(profile, names), *more)
        case Pdu() as pdu:
            return power_equipment(profile, pdu, names)
        case Enclosure() as form:
            return enclosure(profile, form, names)


class Tree:
    """All fixed resources by path. Raises RackMisconfigured for an overlay that names an unknown base or path."""

    def __init__(self, profile: Profile, names: tuple[SystemName, ...]) -> None:
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
        members = {SESSION_TYPE, ACCOUNT_TYPE, DESTINATION_TYPE, CERTIFICATE_TYPE} | task_types(profile) | {ENTRY_TYPE}
        come_and_go = {versioned(name, profile.versions) for name in members}
        types = {versioned(node.type, profile.versions) for node in built if node.type} | come_and_go
        nodes = _by_path((*built, root.versions(), root.odata(profile), *json_schemas(types)), profile)
        nodes = in_versions(nodes, profile)
        if profile.resources.base is not None:
            nodes = grafted(nodes, profile, names)
        nodes = overlaid(nodes, profile, names)
        types = {node.type for node in nodes.values() if node.type} | come_and_go | SCHEMA_TYPES
        last = (root.metadata(types, profile.identity.root_type), *members_properties(tuple(nodes.values())))
        self._nodes = nodes | _by_path(last, profile)

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


def _by_path(nodes: Iterable[Resource], profile: Profile) -> dict[str, Resource]:
    """Raises RackMisconfigured where two resources would have one path."""
    found: dict[str, Resource] = {}
    for node in nodes:
        if found.setdefault(node.path, node) is not node:
            raise RackMisconfigured(f"profile {profile.id}: two resources would live at {node.path}")
    return found


def machines(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """The systems of a BMC with their chassis and all their parts, and the BMC itself."""
    return (*systems(profile, names), *chassis(profile, names), *managers(profile, names), *inventory(profile, names))


def members_properties(nodes: Iterable[Resource]) -> Iterator[Resource]:
    """DSP0266 7.9.1: a POST to the Members property of a collection is a POST to the collection."""
    for node in nodes:
        if node.member is not None and "POST" in node.operations:
            yield Resource(path=f"{node.path}/Members", operations={"POST": node.operations["POST"]})
