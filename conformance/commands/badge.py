"""`fence-conformance badge`: a picture of a report, for a README."""

from __future__ import annotations

from pathlib import Path

import click

from conformance import report_file, report_options
from conformance.report.report import REGISTRY
from conformance.report_options import OneSentence

FORMAT = "badge"
EXAMPLES = """
\b
Examples:
  fence-conformance badge today.json --out fencing.svg
  fence-conformance badge today.json --out - > fencing.svg
"""


@click.command(epilog=EXAMPLES)
@click.argument("report", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.option("--out", "out", required=True, type=click.Path(), metavar="FILE.svg|-", help="Where to write it.")
def command(report: Path, out: str) -> None:
    """Draws the badge of a report of `run --json`, as `run --badge` does."""
    writer = REGISTRY.get(FORMAT)
    if writer is None:
        raise OneSentence(f"there is no report format {FORMAT!r} in this installation")
    try:
        read = report_file.read_report(report)
    except report_file.ReportUnreadable as error:
        raise OneSentence(str(error)) from None
    if out != report_options.STDOUT:
        report_options.check_writable(Path(out))
    report_options.write(writer, read.finished(), out)
