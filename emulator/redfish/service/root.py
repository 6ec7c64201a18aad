"""/redfish, the service root, odata and $metadata: the resources that clients read without credentials.

`service.tree` calls it when a tree is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import quoteattr

from emulator.core.bmc.view import BmcView
from emulator.redfish.power.taskbook import task_style
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.query import feature_flags
from emulator.redfish.service.resource import Resource, fixed_content, head_of, link, schema_of, version_of
from emulator.redfish.service.shapes import Json
from profiles.model import ABSENT, Enclosure, Profile

SERVICES: Final = (
    *("Systems", "Chassis", "Managers", "SessionService", "AccountService", "EventService", "CertificateService", "Registries"),
    *("UpdateService", "JsonSchemas"),
)
PDU_SERVICES: Final = (
    "PowerEquipment",
    *(name for name in SERVICES if name not in ("Systems", "UpdateService")),
)
"""Of a PDU: it has no systems, and its firmware is no subject here."""
SINCE: Final = {"CertificateService": 5, "JobService": 4, "UpdateService": 1, "PowerEquipment": 7}
"""The minor version of ServiceRoot that introduced the link to a service; all other links are in version 1.0."""
TASK_SERVICES: Final = {"none": (), "tasks": (("Tasks", "TaskService"),), "jobs": (("JobService", "JobService"),)}
"""For each `tasks.style` of a profile: property of the service root, and path segment of the service."""


def _services_of(profile: Profile) -> tuple[str, ...]:
    if isinstance(profile.feeder, Enclosure):
        return tuple(name for name in PDU_SERVICES if name != "PowerEquipment")
    return SERVICES if profile.feeder is None else PDU_SERVICES


def services(profile: Profile) -> tuple[tuple[str, str], ...]:
    """Properties of the service root with the path segments to which they link."""
    minor = version_of(profile.identity.root_type)[1]
    folders = {"Systems": profile.resources.systems.rpartition("/")[2]}
    found = (*((name, folders.get(name, name)) for name in _services_of(profile)), *TASK_SERVICES[task_style(profile)])
    return tuple((name, folder) for name, folder in found if minor >= SINCE.get(name, 0))


_SCHEMAS: Final = "http://redfish.dmtf.org/schemas/v1"


def service_root(profile: Profile) -> Resource:
    odata_type = profile.identity.root_type
    version = version_of(odata_type)

    def body(view: BmcView) -> Json:
        identity = profile.identity
        root: Json = head_of(f"{ROOT}/", odata_type, "RootService", "Root Service")
        root["RedfishVersion"] = identity.redfish_version
        named = {"UUID": (view.root_uuid(), 0), "Vendor": (identity.vendor, 5), "Product": (identity.product, 3)}
        root |= {name: value for name, (value, since) in named.items() if value != ABSENT and version >= (1, since, 0)}
        root |= {name: link(f"{ROOT}/{folder}") for name, folder in services(profile)}
        root["Links"] = {"Sessions": link(f"{ROOT}/SessionService/Sessions")}
        if version >= (1, 3, 0):
            root["ProtocolFeaturesSupported"] = feature_flags(profile, version)
        return root

    return Resource(path=ROOT, type=odata_type, content=fixed_content(body), open=True, power_below=2)


def versions() -> Resource:
    return Resource(path="/redfish", content=fixed_content(lambda view: {"v1": f"{ROOT}/"}), open=True)


def odata(profile: Profile) -> Resource:
    entries = [("Service", f"{ROOT}/"), *((name, f"{ROOT}/{folder}") for name, folder in services(profile))]
    entries.append(("Sessions", f"{ROOT}/SessionService/Sessions"))

    def body(view: BmcView) -> Json:
        value = [{"name": name, "kind": "Singleton", "url": url} for name, url in entries]
        return {"@odata.context": f"{ROOT}/$metadata", "value": value}

    return Resource(path=f"{ROOT}/odata", content=fixed_content(body), open=True)


def metadata(odata_types: Iterable[str], root_type: str) -> Resource:
    """$metadata: references to the published schemas in use, and the entity container that OData requires."""
    schemas = sorted({schema_of(name) for name in odata_types})
    text = _edmx(schemas, schema_of(root_type))
    return Resource(path=f"{ROOT}/$metadata", content=fixed_content(lambda view: text), open=True, media="application/xml")


def _edmx(schemas: list[str], root_schema: str) -> bytes:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">',
    ]
    by_name: dict[str, list[str]] = {}
    for schema in schemas:
        by_name.setdefault(schema.partition(".")[0], []).append(schema)
    for name, namespaces in by_name.items():
        uri = f"{_SCHEMAS}/{name}_v1.xml"
        lines.append(f"  <edmx:Reference Uri={quoteattr(uri)}>")
        lines += [f"    <edmx:Include Namespace={quoteattr(space)}/>" for space in sorted({name, *namespaces})]
        lines.append("  </edmx:Reference>")
    lines += [
        f'  <edmx:Reference Uri="{_SCHEMAS}/RedfishExtensions_v1.xml">',
        '    <edmx:Include Namespace="RedfishExtensions.v1_0_0" Alias="Redfish"/>',
        "  </edmx:Reference>",
        "  <edmx:DataServices>",
        '    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">',
        f'      <EntityContainer Name="Service" Extends="{root_schema}.ServiceContainer"/>',
        "    </Schema>",
        "  </edmx:DataServices>",
        "</edmx:Edmx>",
    ]
    return "\n".join(lines).encode()
