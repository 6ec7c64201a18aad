"""The descriptions of our YAML files as JSON Schema: they take what the readers take, and say what each key is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import profiles
from conformance.adapters.registry import REGISTRY
from conformance.cli import cli as conformance_cli
from conformance.fencer_forms import whole
from conformance.waiver_form import WAIVERS
from emulator.cli import cli as emulator_cli
from emulator.rack_form import RACK
from fencelab_yaml.errors import Problems
from fencelab_yaml.form import keys_with_descriptions
from fencelab_yaml.models import model_schema
from fencelab_yaml.source import parse, plain
from fencer.ha import config
from fencer.ha.cli import main as ha_cli
from fencer.ha.config import ConfigPart
from profiles.format import PROFILE
from tests.unit.yaml.test_golden import golden

SCHEMAS = {
    "profile": PROFILE.schema(),
    "profile with parents": PROFILE.schema(partial=True),
    "rack": RACK.schema(),
    "waivers": WAIVERS.schema(),
    "fencer": whole.schema(REGISTRY.shipped.values()),
    "fence-ha": model_schema(ConfigPart, "fence-ha", "A configuration"),
}
COMMANDS = {"bmc-emulator": emulator_cli, "fence-conformance": conformance_cli, "fence-ha": ha_cli}
SAMPLE = Path(profiles.__file__).parent / "racks" / "sample.yaml"
ROOT = Path(__file__).resolve().parents[3]
FENCERS = sorted(
    file
    for folder in ("conformance/fencers", "conformance/templates", "examples", "tests/bad_fencers", "tests/hunted", "docs")
    for file in (ROOT / folder).rglob("*.yaml")
    if "\nadapter:" in file.read_text(encoding="utf-8")
)
NOT_SEEN_BY_EDITORS = {
    "a capability that is a slip", "a cause that is no expression", "no port", "two documents", "python without an object",
}  # fmt: skip
"""Wrong fencer files of which JSON Schema cannot say what is wrong."""
SHIPPED = [profiles.path(name) for name in profiles.all_names()]


def tree(file: Path) -> object:
    return plain(parse(file.read_bytes(), str(file), Problems()))


@pytest.mark.parametrize(
    "file", SHIPPED, ids=[str(file.parent.name if file.stem == "profile" else file.stem) for file in SHIPPED]
)
def test_the_schema_for_editors_takes_every_shipped_profile(file: Path) -> None:
    Draft202012Validator(PROFILE.schema(partial=True)).validate(tree(file))


def test_the_schema_of_racks_takes_the_sample_and_no_misspelt_key() -> None:
    schema = Draft202012Validator(RACK.schema())
    schema.validate(tree(SAMPLE))
    assert not schema.is_valid({"schema": "rack/1", "bmcs": [{"name": "a", "profile": "b", "prot": 1}]})
    assert not schema.is_valid({"schema": "rack/1", "bmcs": []})


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_is_one_and_every_key_has_a_description(schema: dict[str, object]) -> None:
    Draft202012Validator.check_schema(schema)
    lacking = [path for path, said, each in keys_with_descriptions(schema) if not said and "not" not in each]
    assert not lacking


@pytest.mark.parametrize("file", FENCERS, ids=[str(file.relative_to(ROOT)) for file in FENCERS])
def test_the_schema_of_fencers_takes_every_fencer_file(file: Path) -> None:
    Draft202012Validator(SCHEMAS["fencer"]).validate(tree(file))


@pytest.mark.parametrize("name", sorted(golden("fencer")["cases"].keys() - NOT_SEEN_BY_EDITORS))
def test_the_schema_of_fencers_takes_no_wrong_file(name: str) -> None:
    case = golden("fencer")["cases"][name]
    file = case.get("file", case.get("text", ""))
    assert not Draft202012Validator(SCHEMAS["fencer"]).is_valid(yaml.load(file, Loader=yaml.CSafeLoader))


def test_the_schema_of_configurations_takes_the_sample() -> None:
    sample = Path(config.__file__).parent / "sample.yaml"
    Draft202012Validator(SCHEMAS["fence-ha"]).validate(tree(sample))


@pytest.mark.parametrize(
    "words",
    [
        "bmc-emulator schema profile",
        "bmc-emulator schema rack",
        "bmc-emulator schema fault",
        "fence-conformance schema fencer",
        "fence-conformance schema waivers",
        "fence-ha schema",
    ],
)
def test_a_command_prints_the_schema(words: str) -> None:
    program, *arguments = words.split()
    result = CliRunner().invoke(COMMANDS[program], arguments)
    assert result.exit_code == 0
    Draft202012Validator.check_schema(json.loads(result.output))
