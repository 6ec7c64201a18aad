"""`bmc-emulator profile list`: the profiles, and how much of each is its own knowledge."""

from __future__ import annotations

import json
from pathlib import Path

import click

from emulator.profile_commands.common import ProfileName
from emulator.serve import fail
from fencelab_yaml.source import child, text_of
from profiles import loader
from profiles.errors import ProfileError
from profiles.lint import Cells, cells_of
from profiles.loader import Resolved, child_is_true


@click.command("list")
@click.argument("names", nargs=-1, type=ProfileName())
@click.option("--json", "as_json", is_flag=True, help="A JSON list of objects.")
def list_profiles(names: tuple[str, ...], as_json: bool) -> None:
    """List the shipped profiles, or those NAMES: profiles, files, folders of files.

    CELLS are those of the power tables of both protocols: the profile's own, those of its parents, and those that nobody knows.
    """
    found = [_told(each) for name in names or loader.all_names() for each in _resolved(name)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    width = max((len(str(each["id"])) for each in found), default=2)
    click.echo(f"{'ID':<{width}}  {'KIND':<9}  OWN  INHERITED  UNKNOWN  TITLE")
    for each in found:
        cells = each["cells"]
        assert isinstance(cells, dict)
        counts = f"{cells['own']:>3}  {cells['inherited']:>9}  {cells['unknown']:>7}"
        click.echo(f"{each['id']:<{width}}  {each['kind']:<9}  {counts}  {each['title']}")


def _resolved(name: str) -> tuple[Resolved, ...]:
    from emulator.faults.model import check_profile

    files = sorted(map(str, Path(name).glob("*.yaml"))) if Path(name).is_dir() else [name]
    if not files:
        fail(f"{name}: no .yaml file in this folder")
    try:
        return tuple(loader.resolve(file, also=check_profile) for file in files)
    except ProfileError as error:
        fail(str(error))


def _told(profile: Resolved) -> dict[str, object]:
    root = profile.root
    kind = "pdu" if "pdu" in root.entries else "enclosure" if "enclosure" in root.entries else "bmc"
    cells: Cells = cells_of(profile)
    return {
        "id": text_of(child(root, "id")),
        "kind": "base" if child_is_true(root, "abstract") else kind,
        "title": text_of(child(root, "title")),
        "extends": list(profile.extends),
        "file": profile.own.mark.file,
        "cells": {"own": cells.own, "inherited": cells.inherited, "unknown": cells.unknown},
    }
