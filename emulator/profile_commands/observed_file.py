"""Writes the child profile of `probe` and `proxy`: finds the parent, scrubs, writes the file and lints it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emulator.profile_commands.nearest import as_path, slug
from emulator.profile_commands.new import NAME
from emulator.serve import fail
from profiles.model import ABSENT
from profiles.resource_files import IN_FOLDER

if TYPE_CHECKING:
    from emulator.profile_tools.json_values import JsonObject
    from emulator.profile_tools.observed import ObservedCommand, ObservedReply
    from emulator.profile_tools.probe_run import RedfishLink
    from emulator.profile_tools.scrub import Scrubber


def check_new_file(out: Path) -> None:
    """Ends the command where the profile cannot become a new file with an id as its name."""
    if out.suffix != ".yaml" or not NAME.fullmatch(out.stem):
        fail(f"--out {out}: a profile is a file such as our-board.yaml, of small letters, digits and -")
    if out.exists() or out.is_symlink():
        fail(f"{out} exists already: choose another name, or move it away")
    if not out.absolute().parent.is_dir():
        fail(f"{out}: there is no folder {out.parent}")


def write_observed(
    redfish: RedfishLink | None,
    commands: Sequence[ObservedCommand],
    out: Path,
    parent: str | None,
    how: str,
    known: Iterable[str],
    day: str,
    resources: dict[str, JsonObject] | None = None,
) -> None:
    """Writes `out`. The parent is that of --extends, else the one most like what the BMC shows of itself."""
    from emulator.profile_commands.nearest import nearest_profile, own_resources
    from emulator.profile_tools.identity_facts import facts_of
    from emulator.profile_tools.observed_profile import ObservedProfile, observed_yaml
    from emulator.profile_tools.scrub import Scrubber, scrubbed
    from profiles.lint import lint

    tree = own_resources(redfish, resources or {})
    seed = secrets.token_bytes(32)
    facts = facts_of(scrubbed(tree, seed, known).tree)
    scrubber = Scrubber(seed, known)
    for body in tree.resources.values():
        scrubber.learn(body)
    profile = nearest_profile(parent, facts)
    identity = facts.blocks.get("identity", {})
    known_words = {key: str(word) for key, word in identity.items() if word != ABSENT}
    machine = " ".join(known_words[key] for key in ("manufacturer", "model") if key in known_words)
    observed = ObservedProfile(
        id=slug(out.parent.resolve().name) if out.name == IN_FOLDER else out.stem,
        parent=profile,
        extends=_extends(parent, profile.id, out),
        how=how,
        machine=machine or "a server",
        firmware=known_words.get("bmc_firmware", "unknown"),
        day=day,
        commands=[_clean(each, scrubber) for each in commands],
    )
    try:
        with out.open("x", encoding="utf-8") as stream:
            stream.write(observed_yaml(observed))
    except OSError as error:
        fail(f"{out}: {(error.strerror or 'cannot be written').lower()}")
    click.echo(f"wrote {out}: {len({(each.cell, each.code is None) for each in commands})} cells, extends {observed.extends}")
    report = lint(out)
    for problem in report.problems:
        click.echo(f"  lint: {problem}", err=True)
    click.echo(f"  next: bmc-emulator profile check {as_path(out.parent if out.name == IN_FOLDER else out)}")


def _clean(command: ObservedCommand, scrubber: Scrubber) -> ObservedCommand:
    """The command without what its messages name of the machine."""
    return command if command.reply is None else replace(command, reply=_clean_reply(command.reply, scrubber))


def _clean_reply(reply: ObservedReply, scrubber: Scrubber) -> ObservedReply:
    task = reply.task
    return replace(
        reply,
        text=scrubber.text(reply.text) if reply.text else None,
        args=tuple(scrubber.text(each) for each in reply.args),
        message_id=scrubber.text(reply.message_id) if reply.message_id else None,
        resolution=scrubber.text(reply.resolution) if reply.resolution else None,
        task=replace(task, answer=_clean_reply(task.answer, scrubber)) if task is not None and task.answer is not None else task,
    )


def _extends(given: str | None, found: str, out: Path) -> str:
    """The parent as the child writes it: a path is relative to the child's folder."""
    if given is None or not (os.sep in given or given.endswith((".yaml", ".yml"))):
        return given or found
    above = os.path.relpath(given, out.absolute().parent)
    return above if above.startswith(".") else f"./{above}"
