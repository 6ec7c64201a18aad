"""The descriptions of our YAML files as JSON Schema: they take what the readers take, and say what each key is for."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import profiles
from emulator.rack_form import RACK
from fencelab_yaml.errors import Problems
from fencelab_yaml.form import Form, keys_with_descriptions
from fencelab_yaml.source import parse, plain
from profiles.format import PROFILE

FORMS = {"profile": PROFILE, "rack": RACK}
SAMPLE = Path(profiles.__file__).parent / "racks" / "sample.yaml"
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


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_schema_is_one_and_every_key_has_a_description(form: Form) -> None:
    schema = form.schema()
    Draft202012Validator.check_schema(schema)
    lacking = [path for path, said, each in keys_with_descriptions(schema) if not said and "not" not in each]
    assert not lacking
