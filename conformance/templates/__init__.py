"""What `fence-conformance init` writes: a fencer file for each adapter, and files for CI.

To add one for an adapter, put `<adapter>.yaml` beside this module; for a CI system, a file and its row in `CI`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.adapters.registry import REGISTRY

HERE: Final = Path(__file__).resolve().parent
FENCER_FILE: Final = "fencer.yaml"


@dataclass(frozen=True, slots=True)
class CiFile:
    """`file` is where it belongs in a repository, `source` where its text stands here."""

    file: str
    source: str


CI: Final = {
    "github": CiFile(".github/workflows/fencing.yml", "github.yml"),
    "gitlab": CiFile("fencing.gitlab-ci.yml", "gitlab.yml"),
    "jenkins": CiFile("Jenkinsfile.fencing", "Jenkinsfile"),
}


def names() -> tuple[str, ...]:
    """The adapters that have a sample."""
    return tuple(name for name in sorted(file.stem for file in HERE.glob("*.yaml")) if name in REGISTRY.shipped)


def fencer_file(adapter: str) -> str:
    """The text of a fencer file for an adapter of `names()`."""
    return (HERE / f"{adapter}.yaml").read_text(encoding="utf-8")


def ci_file(system: str, fencer: str) -> str:
    """The text for a CI system of `CI`; `fencer` is the path of the fencer file in the repository."""
    return (HERE / CI[system].source).read_text(encoding="utf-8").replace("@FENCER@", fencer)
