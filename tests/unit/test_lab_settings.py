"""The lab's one file of settings, and the configurations that are made from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conformance.commands.run import command as run_command
from emulator.config import load_rack
from fencer.ha.config import load_config
from lab.render import as_yaml, manager, rack
from lab.settings import DEFAULT, load_settings
from profiles.errors import ProfileError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = load_settings()


def test_the_shipped_settings_keep_the_times_that_the_lab_promises() -> None:
    assert SETTINGS.policy["poll"] == 0.5
    assert SETTINGS.policy["stable_for"] == 1.0
    assert SETTINGS.time_scale == SETTINGS.policy["poll"] / 4.0


def test_the_rack_of_the_compose_lab_is_one_that_the_emulator_takes(tmp_path: Path) -> None:
    path = tmp_path / "rack.yaml"
    path.write_text(as_yaml(rack(SETTINGS)))
    loaded = load_rack(path)
    assert [unit.name for unit in loaded.units] == ["bmc1", "bmc2", "bmc3"]
    assert set(loaded.containers) == {"node1", "node2", "node3"}


@pytest.mark.parametrize("policy", ["reference", "cloudstack-4.22"])
def test_the_managers_configuration_is_one_that_fence_ha_takes(tmp_path: Path, policy: str) -> None:
    path = tmp_path / "ha.yaml"
    path.write_text(as_yaml(manager(SETTINGS, policy)))
    loaded = load_config(path)
    assert str(loaded.policy.name) == policy
    assert loaded.policy.stable_for == 1.0
    assert loaded.host_names == ["node1", "node2", "node3"]


def test_the_compose_file_opens_the_ports_and_has_the_nodes_of_the_settings() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    assert {name for name, part in services.items() if "profiles" not in part} == {"emulator", "fence-ha", *SETTINGS.machines}
    inside = {port.rpartition(":")[2] for port in services["emulator"]["ports"]}
    bmcs = rack(SETTINGS)["bmcs"]
    assert inside == {str(bmc["redfish_port"]) for bmc in bmcs} | {f"{bmc['ipmi_port']}/udp" for bmc in bmcs}
    assert services["emulator"]["networks"]["lab"]["aliases"] == [bmc["name"] for bmc in bmcs]
    for node in SETTINGS.machines:
        assert services[node]["labels"]["org.fencelab.host"] == node
    for part in (*services.values(), *compose["volumes"].values(), *compose["networks"].values()):
        assert part["labels"]["org.fencelab"] == "lab"


def test_the_profile_check_of_the_compose_file_runs_the_suite_and_nothing_of_the_lab() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    others = {name: part for name, part in services.items() if "profiles" in part}
    assert {name: part["profiles"] for name, part in others.items()} == {"conformance": ["check"]}
    suite = others["conformance"]
    assert suite["command"][:2] == ["fence-conformance", "run"]
    options = run_command.make_context("run", suite["command"][2:]).params
    assert options["fencer_words"] == ("fence_bmc",)
    assert not {"ports", "volumes", "depends_on", "environment"} & set(suite), "it has emulated BMCs of its own"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("machines:", "machine:"), "machine: unknown key; did you mean 'machines'?"),
        (("time_scale: 0.125", "time_scale: 0"), "time_scale: must be from 0.001 to 1000, not 0"),
        (("  node2: [mail1]\n  node3: []\n", ""), "machines: a lab needs two nodes at least"),
    ],
)
def test_a_mistake_in_the_settings_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    text = DEFAULT.read_text()
    assert change[0] in text
    path = tmp_path / "settings.yaml"
    path.write_text(text.replace(*change))
    with pytest.raises(ProfileError) as caught:
        load_settings(path)
    assert complaint in str(caught.value)
    assert f"{path}:" in str(caught.value)
