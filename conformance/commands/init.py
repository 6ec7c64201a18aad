"""`fence-conformance init`: a fencer file to start from, and a file for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from conformance import templates
from conformance.adapters.registry import REGISTRY
from conformance.completion import ADAPTERS
from conformance.report_options import OneSentence
from fencelab_yaml.errors import did_you_mean, listed

EXAMPLES: Final = """
\b
Examples:
  fence-conformance init --adapter exec > fencer.yaml
  fence-conformance init --adapter fence-agent --out .
  fence-conformance init --adapter python --out . --ci gitlab

\b
What --out DIR writes, and never over a file that is there:
  DIR/fencer.yaml
  DIR/.github/workflows/fencing.yml    or fencing.gitlab-ci.yml, or Jenkinsfile.fencing
"""


@click.command(epilog=EXAMPLES)
@click.option("--adapter", required=True, type=ADAPTERS, metavar="NAME", help="How your fencer is called: see list.")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write it there, and a file for CI."
)
@click.option("--ci", "system", type=click.Choice(tuple(templates.CI)), help="For which CI; with --out only, else github.")
def command(adapter: str, folder: Path | None, system: str | None) -> None:
    """Prints a fencer file with comments, ready to be changed."""
    if adapter not in templates.names():
        raise OneSentence(_unknown(adapter))
    text = templates.fencer_file(adapter)
    if folder is None:
        if system is not None:
            raise OneSentence("--ci needs --out DIR: two files cannot go to standard output")
        click.echo(text, nl=False)
        return
    ci = templates.CI[system or "github"]
    written = {
        folder / templates.FENCER_FILE: text,
        folder / ci.file: templates.ci_file(system or "github", f"./{templates.FENCER_FILE}"),
    }
    for file in written:
        if file.exists() or file.is_symlink():
            raise OneSentence(f"{file} is there already, and nothing has been written: remove it, or choose another --out")
    for file, content in written.items():
        _write(file, content)
        click.echo(f"{file}")
    if folder.resolve() != Path.cwd():
        click.echo(f"move {folder / ci.file} to where your CI looks for it, and correct --fencer in it")
    click.echo(f"next: edit {folder / templates.FENCER_FILE}, then")
    click.echo(f"  fence-conformance run --fencer {folder / templates.FENCER_FILE} --profile dell-idrac9 --tier 0")


def _unknown(adapter: str) -> str:
    if REGISTRY.get(adapter) is not None:
        return f"there is no sample for the adapter {adapter!r}; those with one are: {listed(templates.names())}"
    return f"no adapter {adapter!r}{did_you_mean(adapter, templates.names())}; there are: {listed(templates.names())}"


def _write(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except OSError as error:
        raise OneSentence(f"cannot write {file}: {error.strerror}") from None
