"""The pages with all keys of our YAML files are those of the descriptions."""

from __future__ import annotations

import pytest

from tools.print_key_reference import FOLDER, PAGES, page


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    assert (FOLDER / f"{name}.md").read_text(encoding="utf-8") == page(name), "run python -m tools.print_key_reference"


def test_there_is_no_other_page() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} == set(PAGES)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("profile", "| **`http.etag`** | `none`, `strong-digits`,"),
        ("profile", "| **`power.windows[].for_s`** | number, 0 to 86400 or list of numbers | how long, in seconds |"),
        ("rack", "| `bmcs[].hosts[].argv` | list of texts | the command; process only |"),
        ("waivers", "| **`waivers[].expires`** | text |"),
        ("fencer", "| **`actions.*.argv`** | text or number or list | its command line; what a scenario has no value for"),
        ("fencer", "| `limits.deadline` | number, more than 0, at most 3600 |"),
        ("scenario", "| **`asks[].expect`** | list of expectations or expectation | what must hold, besides the invariants |"),
        ("scenario", "| `bmc` | map | A BMC and its hosts."),
        ("fault", "| `params.outage_s` | number, at least 0 | how long it answers nothing |"),
        ("fence-ha", "| **`hosts[].health[].kind`** | `tcp` |"),
    ],
)
def test_a_key_stands_with_what_may_be_there(name: str, line: str) -> None:
    assert line in page(name)
