"""The HTML page and the badge in a browser: a script in the page does what a person does, and says what it sees.

Chromium prints the document when the script has ended; nothing is loaded from a network.
"""

from __future__ import annotations

import json
import re
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

from conformance.report import badge, html
from conformance.scenarios import ALL
from tests.report_samples import many

pytestmark = pytest.mark.timeout(240)
BROWSER = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=60000"]
DARK = "--blink-settings=preferredColorScheme=0"
NARROWEST = 500
"""Pixels of a window; what is narrower stands in a frame."""
CONTRASTS = """
function part(x) { x /= 255; return x <= 0.03928 ? x / 12.92 : Math.pow((x + 0.055) / 1.055, 2.4); }
function light(c) {
  var n = c.match(/[0-9.]+/g).map(Number).slice(0, 3).map(part);
  return 0.2126 * n[0] + 0.7152 * n[1] + 0.0722 * n[2];
}
function back(e) {
  for (; e; e = e.parentElement) { var c = getComputedStyle(e).backgroundColor; if (!/^rgba.*, 0\\)$/.test(c)) return c; }
  return "rgb(255, 255, 255)";
}
var poor = [];
document.querySelectorAll("body *").forEach(function (e) {
  var own = Array.from(e.childNodes).some(function (n) { return n.nodeType === 3 && n.textContent.trim(); });
  var style = getComputedStyle(e);
  if (!own || e.tagName === "SCRIPT" || e.namespaceURI.endsWith("svg") || style.opacity < 1) return;
  var pair = [light(style.color), light(back(e))].sort(function (a, b) { return a - b; });
  if ((pair[1] + 0.05) / (pair[0] + 0.05) < 4.5) poor.push(e.tagName + "." + e.className + " " + style.color + " on " + back(e));
});
"""


def browse(tmp_path: Path, page: str, *options: str, width: int = 1024) -> str:
    """The document as it is in the end. Options that begin with # are the place in the page."""
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    where = next((option for option in options if option.startswith("#")), "")
    flags = [option for option in options if not option.startswith("#")]
    command = [*BROWSER, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run([*command, f"{file.as_uri()}{where}"], capture_output=True, text=True, timeout=200, check=True)
    return done.stdout


def probed(page: str, script: str) -> str:
    """The page with a script that assigns `said` when the page's own script has run, and writes it down."""
    probe = (
        f'<pre id="probe"></pre><script>addEventListener("load",function(){{setTimeout(function(){{var said;{script}'
        'document.getElementById("probe").textContent=JSON.stringify(said)},50)})</script></body>'
    )
    return page.replace("</body>", probe)


def framed(page: str, width: int, *, scripts: bool = True) -> str:
    """The page in a frame: narrower than a window can be, or without scripts."""
    sandbox = "" if scripts else ' sandbox="allow-same-origin"'
    frame = f'<iframe{sandbox} style="width:{width}px;height:900px;border:0" srcdoc="{escape(page)}"></iframe>'
    return f"<!doctype html><body>{frame}</body>"


def seen(tmp_path: Path, page: str, script: str, *options: str, width: int = 1024) -> object:
    """What the script says."""
    whole = probed(page, script)
    if width < NARROWEST:
        own, its = 'document.getElementById("probe")', 'frames[0].document.getElementById("probe")'
        inside = f"setTimeout(function(){{{own}.textContent={its}.textContent}},500);"
        whole = probed(framed(whole, width), f"{inside}return;")
    document = browse(tmp_path, whole, *options, width=width)
    found = re.search(r'<pre id="probe">(.*?)</pre></?(?:body|script)', document, re.DOTALL)
    assert found is not None
    assert found[1], "the script in the page failed"
    return json.loads(unescape(found[1]))


@pytest.fixture(scope="module")
def small() -> str:
    """Three fencers on three profiles, twelve scenarios of two groups."""
    return html.page(many(["careful", "careless", "failing"], 3, (*ALL[:6], *[s for s in ALL if s.group == "AUTH"][:6])))


VISIBLE = """
function visible(selector) {
  return Array.from(document.querySelectorAll(selector)).filter(function (e) { return e.offsetParent; });
}
function set(name, value) {
  var form = document.getElementById("filter");
  form[name].value = value;
  form.dispatchEvent(new Event("input", {bubbles: true}));
}
function look() {
  return {columns: visible("#m thead tr:nth-child(2) th[data-p]").length, rows: visible("#m tbody th[scope=row]").length,
          groups: visible("#m tbody .g").length, cells: visible("#m tbody td").length, sums: visible("#sums tbody tr").length,
          findings: visible("#f details").length, told: document.querySelector("output").textContent};
}
"""


def test_the_filter_narrows_matrix_totals_and_findings(tmp_path: Path, small: str) -> None:
    steps = {
        "all": "",
        "fencer": 'set("f", "careless");',
        "profile": 'set("p", "vendor01-model1");',
        "group": 'set("g", "AUTH");',
        "verdict": 'set("v", "UNSAFE");',
        "none": 'set("w", "no such words");',
    }
    script = VISIBLE + "said = {};" + "".join(f"{step} said.{name} = look();" for name, step in steps.items())
    found = seen(tmp_path, small, script)
    assert isinstance(found, dict)
    everything = found["all"]
    assert (everything["columns"], everything["rows"], everything["groups"], everything["sums"]) == (9, 12, 2, 9)
    assert everything["cells"] == 9 * 12
    assert everything["told"] == f"{everything['findings']} of {everything['findings']} findings"
    assert (found["fencer"]["columns"], found["fencer"]["sums"], found["fencer"]["rows"]) == (3, 3, 12)
    assert (found["profile"]["columns"], found["profile"]["cells"]) == (1, 12)
    assert (found["group"]["rows"], found["group"]["groups"]) == (6, 1)
    assert 0 < found["verdict"]["findings"] == found["verdict"]["rows"] < found["group"]["findings"] < everything["findings"]
    assert (found["none"]["rows"], found["none"]["findings"], found["none"]["groups"]) == (0, 0, 0)


def test_show_all_takes_every_filter_back(tmp_path: Path, small: str) -> None:
    script = VISIBLE + 'var before = look(); set("f", "careful"); document.querySelector("#filter [type=reset]").click();'
    script += (
        'said = 0; setTimeout(function(){document.getElementById("probe").textContent=JSON.stringify([before, look()])}, 50);'
    )
    before, after = seen(tmp_path, small, script)  # type: ignore[misc]
    assert after == before


def test_a_link_of_the_matrix_opens_its_finding(tmp_path: Path, small: str) -> None:
    script = 'said = Array.from(document.querySelectorAll("#f details[open]")).map(function (e) { return e.id; });'
    assert seen(tmp_path, small, script, "#f5") == ["f5"]
    assert seen(tmp_path, small, script) == []


def test_arrow_keys_go_from_finding_to_finding(tmp_path: Path, small: str) -> None:
    script = """
    var link = document.querySelector("#m td a"); link.focus(); said = [link.hash];
    ["ArrowDown", "ArrowUp", "ArrowRight"].forEach(function (key) {
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: key, bubbles: true}));
      said.push(document.activeElement.hash + " " + document.activeElement.tagName);
    });"""
    first, down, up, right = seen(tmp_path, small, script)  # type: ignore[misc]
    assert up == f"{first} A"
    assert len({first, down.split()[0], right.split()[0]}) == 3


def test_everything_that_scrolls_or_opens_can_be_reached_with_the_keyboard(tmp_path: Path, small: str) -> None:
    script = """
    said = Array.from(document.querySelectorAll("body *")).filter(function (e) {
      var s = getComputedStyle(e);
      return e.offsetParent && (s.overflowX === "auto" || s.overflowY === "auto") && e.tabIndex < 0;
    }).map(function (e) { return e.tagName + "." + e.className; });"""
    assert seen(tmp_path, small, script) == []


@pytest.mark.parametrize("width", [390, 1024, 1600])
def test_the_page_of_three_fencers_on_25_profiles_is_as_wide_as_the_window(tmp_path: Path, width: int) -> None:
    page = html.page(many(["careful", "careless", "failing"], 25, ALL[:40]))
    script = """
    var m = document.getElementById("m"), first = m.tBodies[0].rows[1].cells[0];
    m.parentNode.scrollLeft = 1e6; m.parentNode.scrollTop = 500;
    said = {window: innerWidth, page: document.documentElement.scrollWidth, table: m.scrollWidth,
            name: first.getBoundingClientRect().left >= 0,
            head: m.tHead.rows[1].cells[3].getBoundingClientRect().top >= m.parentNode.getBoundingClientRect().top,
            font: parseFloat(getComputedStyle(document.body).fontSize)};"""
    found = seen(tmp_path, page, script, width=width)
    assert isinstance(found, dict)
    assert found["window"] == width
    assert found["page"] <= width
    assert found["table"] > width  # it scrolls inside of its own box, with the names in sight
    assert found["name"]
    assert found["head"]
    assert found["font"] >= 14


@pytest.mark.parametrize("options", [(), (DARK,)], ids=["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(tmp_path: Path, small: str, options: tuple[str, ...]) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1; the whole page is dark, not half of it."""
    script = f"""document.querySelectorAll("details").forEach(function (e) {{ e.open = true; }});{CONTRASTS}
    var html = getComputedStyle(document.documentElement);
    said = {{poor: Array.from(new Set(poor)), ground: [html.backgroundColor, back(document.body)]}};"""
    found = seen(tmp_path, small, script, *options)
    assert isinstance(found, dict)
    assert found["poor"] == []
    assert found["ground"] == (["rgb(13, 17, 23)"] * 2 if options else ["rgb(255, 255, 255)"] * 2)


def test_a_text_that_cannot_be_read_would_be_found(tmp_path: Path, small: str) -> None:
    page = small.replace("--dim:#57606a", "--dim:#b0b0b0")
    found = seen(tmp_path, page, f"{CONTRASTS}said = poor.length;")
    assert isinstance(found, int)
    assert found > 10


def test_without_scripts_everything_but_the_filter_is_there(tmp_path: Path, small: str) -> None:
    script = (
        VISIBLE.replace("document.", "frames[0].document.")
        + """
    said = {form: visible("#filter").length, findings: visible("#f details").length, cells: visible("#m tbody td").length};
    frames[0].document.querySelector("#f summary").click();
    said.open = frames[0].document.querySelectorAll("#f details[open]").length;"""
    )
    found = seen(tmp_path, framed(small, 1000, scripts=False), script)
    findings = small.count('<details id="f')
    assert found == {"form": 0, "findings": findings, "cells": 9 * 12, "open": 1}


def test_the_largest_page_opens_and_filters(tmp_path: Path) -> None:
    found = seen(tmp_path, html.page(many(["failing"], 25)), VISIBLE + 'set("v", "STUCK"); set("g", "TRUTH"); said = look();')
    assert isinstance(found, dict)
    assert found["columns"] == 25
    assert found["findings"] > 50
    assert 10 < found["rows"] <= sum(scenario.group == "TRUTH" for scenario in ALL)


def test_the_text_of_a_badge_has_the_width_that_its_box_was_made_for(tmp_path: Path) -> None:
    script = """
    said = Array.from(document.querySelectorAll("svg text")).map(function (t) {
      var given = parseFloat(t.getAttribute("textLength"));
      t.removeAttribute("textLength");
      return [given, t.getComputedTextLength()];
    });"""
    pairs = seen(tmp_path, f"<!doctype html><body>{badge.to_svg(many(['careless'], 3))}</body>", script)
    assert isinstance(pairs, list)
    assert len(pairs) == 2
    for given, drawn in pairs:
        assert drawn == pytest.approx(given, rel=0.04)
