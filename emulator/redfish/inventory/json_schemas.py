"""JsonSchemas: the schemas that this service uses, with links to the published files.

`service.tree` calls it when a tree is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from emulator.redfish.inventory.system_parts import fixed_part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import Resource, collection, schema_of
from emulator.redfish.service.shapes import Json

PATH: Final = f"{ROOT}/JsonSchemas"
TYPE: Final = "#JsonSchemaFile.v1_1_5.JsonSchemaFile"
COLLECTION_TYPE: Final = "#JsonSchemaFileCollection.JsonSchemaFileCollection"
SCHEMA_TYPES: Final = frozenset({TYPE, COLLECTION_TYPE})
PUBLISHER: Final = "http://redfish.dmtf.org/schemas/v1"


def json_schemas(odata_types: Iterable[str]) -> tuple[Resource, ...]:
    """One JsonSchemaFile per type in use, the types of JsonSchemas itself included."""
    schemas = sorted({schema_of(name) for name in (*odata_types, *SCHEMA_TYPES)})
    paths = tuple(f"{PATH}/{schema}" for schema in schemas)
    listing = collection(PATH, "JsonSchemaFileCollection", "JSON Schema File Collection", lambda view: paths)
    return (listing, *(_file(path, schema) for path, schema in zip(paths, schemas, strict=True)))


def _file(path: str, schema: str) -> Resource:
    def body(view: RedfishBmc) -> Json:
        return {
            "Schema": f"#{schema}.{schema.partition('.')[0]}",
            "Languages": ["en"],
            "Location": [{"Language": "en", "PublicationUri": f"{PUBLISHER}/{schema}.json"}],
        }

    return fixed_part(path, TYPE, f"{schema} Schema File", body)
