"""What several of these commands need: names of profiles with completion, and a profile with its parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from emulator.serve import fail
from profiles import loader
from profiles.errors import ProfileError
from profiles.loader import Resolved

# Generic for the type checker only: older releases of click do not support `ParamType[str]` at run time.
if TYPE_CHECKING:
    _TextType = click.ParamType[str]
else:
    _TextType = click.ParamType


class ProfileName(_TextType):
    """A shipped profile, or a YAML file."""

    name = "profile"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in loader.all_names() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


def resolved(name: str) -> Resolved:
    """The merged tree of a profile; ends the command where it has mistakes."""
    from emulator.faults.model import check_profile

    try:
        return loader.resolve(name, also=check_profile)
    except ProfileError as error:
        fail(str(error))
