"""`bmc-emulator profile capture`: reads a Redfish service or a mock-up, scrubs it, and writes a folder with a profile.

Runs in the main thread. Nothing is written before all has been read and scrubbed.
"""

from __future__ import annotations

import datetime
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from emulator.profile_commands.common import ProfileName
from emulator.profile_commands.credentials import credential_options, forms_of, password_for
from emulator.profile_commands.nearest import as_path, nearest_profile, slug
from emulator.serve import fail
from fencelab_yaml.errors import one_line

if TYPE_CHECKING:
    from emulator.profile_tools.resource_tree import MissingResource, ResourceTree
    from emulator.profile_tools.walk import WalkLimits

SHOWN_TROUBLES: Final = 20
PROGRESS_AFTER_S: Final = 2.0


@click.command()
@click.argument("source", metavar="URL|FOLDER|ARCHIVE")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to make; it gives the id."
)
@click.option("--extends", "parent", type=ProfileName(), metavar="PROFILE", help="The parent; else the shipped one most like it.")
@click.option("--seed", help="Same seed, same scrubbed values. Keep it secret. Else a random one.")
@click.option("--max-resources", type=click.IntRange(1, 20_000), default=10_000, show_default=True, help="Read at most so many.")
@click.option("--max-mb", type=click.IntRange(1, 250), default=200, show_default=True, help="Read at most so much, altogether.")
@credential_options
def capture(
    source: str,
    out: Path,
    parent: str | None,
    seed: str | None,
    max_resources: int,
    max_mb: int,
    user: str | None,
    password_file: Path | None,
    password_env: str,
    cacert: Path | None,
    insecure: bool,
    timeout_s: float,
) -> None:
    """Make a profile from a running BMC, or from a mock-up in a folder or archive. Only GET is sent.

    Serial numbers, MAC and IP addresses, UUIDs, keys, host and user names are replaced by others of the same form.
    OUT/profile.yaml is the profile, OUT/resources holds the resources. Exit code 2 where nothing could be read.

    \b
    Examples:
      bmc-emulator profile capture https://192.0.2.7 --user root --insecure --out our-board
      bmc-emulator profile capture mockup.tar.gz --out our-board
    """
    from emulator.profile_tools.mockup_files import NoMockup, mockup
    from emulator.profile_tools.tree_files import CannotWrite, check_free
    from emulator.profile_tools.walk import WalkLimits

    try:
        check_free(out)
    except CannotWrite as error:
        fail(str(error))
    limits = WalkLimits(count=max_resources, total_bytes=max_mb * 1_000_000)
    known: tuple[str, ...] = ()
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source):
        password = password_for(user, password_file, password_env)
        known = forms_of(user, password)
        tree = _service(source, user, password, cacert, insecure, timeout_s, limits)
    else:
        try:
            tree = mockup(Path(source), count=limits.count, total_bytes=limits.total_bytes)
        except NoMockup as error:
            fail(str(error))
    _write(tree, out, parent, seed, known)


def _service(
    url: str, user: str | None, password: str | None, cacert: Path | None, insecure: bool, timeout_s: float, limits: WalkLimits
) -> ResourceTree:
    from emulator.profile_tools.bmc_client import BadAddress, NotTrusted, RealBmcClient, bmc_address
    from emulator.profile_tools.walk import walked

    started = last = time.monotonic()

    def progress(done: int, waiting: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - started > PROGRESS_AFTER_S and now - last > PROGRESS_AFTER_S:
            last = now
            click.echo(f"  {done} resources read, {waiting} known to wait", err=True)

    try:
        address = bmc_address(url, cacert=cacert, insecure=insecure)
        with RealBmcClient(address, user, password, timeout_s) as client:
            tree = walked(client.get, limits, progress)
    except (BadAddress, NotTrusted) as error:
        fail(str(error))
    if not tree.resources:
        hint = "; give --user" if user is None and any("HTTP 401" in each.why for each in tree.troubles) else ""
        why = tree.troubles[0].why if tree.troubles else "no answer"
        fail(f"{address.origin}: no service root: {why}{hint}")
    return tree


def _write(tree: ResourceTree, out: Path, parent: str | None, seed: str | None, known: Iterable[str]) -> None:
    from emulator.profile_tools.captured_profile import CapturedProfile, captured_yaml
    from emulator.profile_tools.identity_facts import facts_of
    from emulator.profile_tools.resource_tree import ROOT
    from emulator.profile_tools.scrub import scrubbed
    from emulator.profile_tools.tree_files import PROFILE_FILE, CannotWrite, write_capture
    from profiles.lint import lint

    clean = scrubbed(tree, seed.encode() if seed is not None else secrets.token_bytes(32), known)
    facts = facts_of(clean.tree)
    if ROOT not in clean.tree.resources and not facts.systems:
        _tell(clean.tree.troubles)
        fail("neither a service root nor a system was read: nothing to make a profile from")
    extends = nearest_profile(parent, facts)
    captured = CapturedProfile(
        id=slug(out.resolve().name),
        parent=extends,
        facts=facts,
        day=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        has_base=facts.is_servable,
    )
    try:
        left = write_capture(out, clean.tree, captured_yaml(captured))
    except CannotWrite as error:
        fail(str(error))
    _tell((*clean.tree.troubles, *left))
    click.echo(f"wrote {out / PROFILE_FILE}: {len(clean.tree.resources)} resources, {clean.replaced} values scrubbed")
    click.echo(f"  extends {extends.id}")
    if not facts.is_servable:
        click.echo("  the profile does not serve the resources: no system can be reached from the service root in them", err=True)
    report = lint(out)
    if not report.ok:
        for problem in report.problems:
            click.echo(f"  lint: {problem}", err=True)
    click.echo(f"  next: bmc-emulator profile lint {as_path(out)}; read it before you give it to others")


def _tell(troubles: tuple[MissingResource, ...]) -> None:
    for each in troubles[:SHOWN_TROUBLES]:
        click.echo(one_line(f"  not captured: {each}"), err=True)
    if len(troubles) > SHOWN_TROUBLES:
        click.echo(f"  ... and {len(troubles) - SHOWN_TROUBLES} more", err=True)
