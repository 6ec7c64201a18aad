"""schema_versions.json says what DMTF's CSDL says."""

from __future__ import annotations

import json

from tests.peers.redfish.validators import csdl
from tools.schema_versions import SCHEMAS, TARGET, facts


def test_the_table_is_that_of_the_csdl_files() -> None:
    written = json.loads(TARGET.read_text(encoding="utf-8"))
    assert set(written) == set(SCHEMAS)
    for schema in SCHEMAS:
        assert written[schema] == facts(schema, (csdl() / f"{schema}_v1.xml").read_text(encoding="utf-8")), schema
