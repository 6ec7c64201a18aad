"""The whole tree: no dead link, heads that fit, nothing that reading changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from profiles.model import ResourceRules

PROFILES = ("dmtf-generic", "dell-idrac9", "openbmc-x86")
TYPED = re.compile(r"#(\w+)(?:\.v(\d+_\d+_\d+))?\.(\w+)")


def references(value, key=None):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("@odata.id", "DataSourceUri", "Uri", "@Redfish.ActionInfo"):
                yield str(inner)
            else:
                yield from references(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner, key)


def walked(bmc, start="/redfish/v1/"):
    """Every resource that can be reached: path -> body. A reference that leads nowhere fails here."""
    found, todo = {}, [start]
    while todo:
        path = todo.pop().partition("#")[0]
        if path in found or path.endswith("$metadata"):
            continue
        answer = bmc.get(path)
        assert answer.status_code == 200, f"{path} is linked and answers {answer.status_code}"
        found[path] = answer.json
        todo += [reference for reference in references(answer.json) if reference.startswith("/redfish/")]
    return found


def in_shape(bmc, **parts):
    return replace(bmc.profile, inventory=replace(bmc.profile.inventory, **parts))


@pytest.mark.parametrize("profile", PROFILES)
def test_no_link_is_dead_and_every_head_fits(make_bmc, profile):
    found = walked(make_bmc(profile))
    assert len(found) > 380
    for path, body in found.items():
        schema, version, name = TYPED.fullmatch(body["@odata.type"]).groups()
        assert schema == name, path
        if "@odata.id" in body:
            assert body["@odata.id"].rstrip("/") == path.rstrip("/")
        if "Members" in body:
            assert version is None
            assert body["Members@odata.count"] == len(body["Members"])
        elif path.rstrip("/") != "/redfish/v1" and "@odata.id" in body:
            assert body["Id"] == path.rpartition("/")[2], path


@pytest.mark.parametrize("profile", PROFILES)
def test_every_type_in_use_is_listed_among_the_schemas(make_bmc, profile):
    bmc = make_bmc(profile)
    listed = {bmc.get(member["@odata.id"]).json["Id"] for member in bmc.get("/redfish/v1/JsonSchemas").json["Members"]}
    used = {body["@odata.type"].removeprefix("#").rpartition(".")[0] for body in walked(bmc).values()}
    assert used <= listed


@pytest.mark.parametrize("profile", PROFILES)
def test_every_action_target_is_there_and_wants_post(make_bmc, profile):
    bmc = make_bmc(profile)
    targets = {
        action["target"]
        for body in walked(bmc).values()
        for name, action in body.get("Actions", {}).items()
        if name.startswith("#")
    }
    assert len(targets) >= 7
    for target in targets:
        answer = bmc.get(target)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "parts",
    [
        {"power_and_thermal": "legacy", "virtual_media": "manager"},
        {"power_and_thermal": "both", "virtual_media": "none", "drives": 0},
        {
            "processors": 1,
            "dimms": 1,
            "drives": 1,
            "boot_drives": 1,
            "fans": 1,
            "power_supplies": 1,
            "network_adapters": 1,
            "ports": 1,
        },
        {"processors": 4, "dimms": 64, "drives": 32, "fans": 16, "power_supplies": 8, "network_adapters": 8, "ports": 4},
    ],
)
def test_no_link_is_dead_in_any_shape(make_bmc, generic, parts):
    found = walked(make_bmc(in_shape(generic, **parts)))
    kinds = [body["@odata.type"].split(".")[-1] for body in found.values()]
    for name, kind in (
        ("dimms", "Memory"),
        ("fans", "Fan"),
        ("power_supplies", "PowerSupply"),
        ("network_adapters", "NetworkAdapter"),
    ):
        if parts.get("power_and_thermal") != "legacy" or kind in ("Memory", "NetworkAdapter"):
            assert kinds.count(kind) == parts.get(name, getattr(generic.profile.inventory, name))


def test_several_systems_have_a_tree_each(make_bmc, generic):
    from emulator.core.rack import HostSpec

    bmc = make_bmc(generic.profile, hosts=[HostSpec(), HostSpec()])
    found = walked(bmc)
    systems = [path for path in found if re.fullmatch(r"/redfish/v1/Systems/[^/]+", path)]
    assert len(systems) == 2
    serials = {found[f"{path}/Memory/DIMMA1"]["SerialNumber"] for path in systems}
    assert len(serials) == 2


def test_a_walk_changes_nothing(generic):
    first, second = walked(generic), walked(generic)
    assert first == second


def test_the_walk_finds_a_dead_link(make_bmc, generic):
    """A control."""
    lost = "/redfish/v1/Systems/437XR1138R2/Memory/DIMMA1"
    overlay = ResourceRules(merge={"/redfish/v1/Chassis/1U": {"Links": {"Storage": [{"@odata.id": f"{lost}x"}]}}})
    with pytest.raises(AssertionError, match="is linked and answers 404"):
        walked(make_bmc(replace(generic.profile, resources=overlay)))


def test_expansion_in_rings_comes_to_an_end(generic):
    """Links go from system to chassis and back: six levels of all of them would be tens of megabytes."""
    answer = generic.get("/redfish/v1/Systems?$expand=*($levels=6)")
    assert answer.status_code == 200
    assert len(answer.data) < 8_000_000
