"""`make demo`: runs the incidents on real sockets in less than a minute, prints what happened, and writes report.html.

With --retell DIR it runs nothing and reports on the journals of an earlier run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demo import matrix, text
from demo.acts import ACTS, Act, play, read
from demo.page import page
from demo.story import Story
from emulator import CannotBind
from lab.local import SiteFailed

FAILED = 5
USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="journals of the run (default: demo-out, made anew)")
    parser.add_argument("--report", type=Path, default=Path("report.html"), help="default: report.html")
    parser.add_argument("--retell", type=Path, metavar="DIR", help="tell the journals in DIR again; play nothing")
    chosen = parser.parse_args(argv)
    console = Console(highlight=False)
    try:
        if chosen.retell is not None:
            stories = {act.id: _retell(console, act, chosen.retell) for act in ACTS}
            grid = matrix.read(chosen.retell / "d" / "matrix.json")
        else:
            shutil.rmtree(chosen.out, ignore_errors=True)
            stories, grid = _perform(console, chosen.out)
        text.heading(console, "d", "fencers × scenarios", f"{grid.profile}; judged by the truth, not by the fencer's word")
        text.matrix(console, grid)
        chosen.report.write_text(page(stories, grid), encoding="utf-8")
    except (SiteFailed, matrix.MatrixFailed, CannotBind) as error:
        print(f"demo: {error}", file=sys.stderr)
        return FAILED
    except ValueError as error:
        print(f"demo: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"demo: {error.filename}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return USAGE
    console.print(f"\nThe same as pictures: {chosen.report}", soft_wrap=True)
    return 0


def _perform(console: Console, out: Path) -> tuple[dict[str, Story], matrix.Matrix]:
    suite, report = matrix.start(out / "d")
    try:
        stories = {}
        for act in ACTS:
            text.heading(console, act.id, act.title, f"{act.profile}, policy {act.policy}")
            with console.status("    playing on real sockets ..."):
                journal = play(act, out / act.id)
            stories[act.id] = read(journal)
            text.act(console, stories[act.id])
        with console.status("    the suite is still running ..."):
            suite.wait()
    finally:
        if suite.poll() is None:
            suite.terminate()
            suite.wait()
    return stories, matrix.read(report)


def _retell(console: Console, act: Act, directory: Path) -> Story:
    story = read(directory / act.id / "journal.jsonl")
    text.heading(console, act.id, story.title, f"{story.profile}, policy {story.policy}")
    text.act(console, story)
    return story


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
