"""A profile that is a folder: profile.yaml with JSON resources beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import profiles
from profiles.errors import ProfileError

HEAD = "schema: profile/1\nid: acme\ntitle: Acme\nextends: dmtf-generic\nsources: {me: {ref: our lab}}\n"
TEMPLATES = HEAD + "resources: {templates: resources, evidence: {templates: [captured, me]}}\n"


def folder(at: Path, yaml: str, **files: object) -> Path:
    made = at / "acme"
    made.mkdir()
    (made / "profile.yaml").write_text(yaml)
    for name, body in files.items():
        file = made / "resources" / f"{name.replace('__', '/')}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body if isinstance(body, str) else json.dumps(body))
    return made


def test_a_folder_is_a_profile_and_its_files_are_templates(tmp_path: Path) -> None:
    made = folder(tmp_path, TEMPLATES, redfish__v1__Oem__Acme={"Id": "Acme"}, redfish__v1__Systems__index={"Name": "All"})
    for name in (str(made), f"{made}/profile.yaml", f"{made}/"):
        profile = profiles.load(name)
        assert sorted(profile.resources.templates) == ["/redfish/v1/Oem/Acme", "/redfish/v1/Systems"]
    assert profiles.load(made).id == "acme"


def test_the_digest_changes_with_a_file(tmp_path: Path) -> None:
    made = folder(tmp_path, TEMPLATES, redfish__v1__Oem={"Id": "Acme"})
    before = profiles.load(made).digest
    (made / "resources/redfish/v1/Oem.json").write_text('{"Id": "Other"}')
    assert profiles.load(made).digest != before


@pytest.mark.parametrize(
    ("files", "yaml", "said"),
    [
        ({}, TEMPLATES, "there is no folder"),
        ({"a": "{\n  no"}, TEMPLATES, "a.json:2:3: resources.templates: not JSON: Expecting property name"),
        ({"a": "[1]"}, TEMPLATES, "a.json:1:1: resources.templates: must be a JSON object"),
        (
            {"redfish__v1__Systems__index": {}},
            HEAD + "resources: {base: resources, evidence: {base: [captured, me]}}\n",
            "acme/profile.yaml:6:19: resources.base: the folder has no service root: redfish/v1/index.json",
        ),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, files: dict[str, object], yaml: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profiles.load(folder(tmp_path, yaml, **files))
    assert said in str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_profile_beside_a_folder_is_its_parent(tmp_path: Path) -> None:
    folder(tmp_path, TEMPLATES, redfish__v1__Oem={"Id": "Acme"})
    for file in (tmp_path / "child.yaml", tmp_path / "kid" / "profile.yaml"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(HEAD.replace("dmtf-generic", "acme").replace("id: acme", "id: child"))
        assert "/redfish/v1/Oem" in profiles.load(file).resources.templates
