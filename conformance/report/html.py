"""The matrix as one self-contained page: no script from elsewhere, no font, no picture to load.

Rules
  1. Everything on it comes from results; the text of a fencer is escaped like any stranger's.
  2. A cell has a colour *and* a letter; a finding opens with its chain of causes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import jinja2
from markupsafe import Markup

from conformance.report.model import last_line
from conformance.report.terminal import SHOWN_IN_FULL
from conformance.result import Result
from conformance.scenario import Scenario
from conformance.vocabulary import Verdict

# Okabe and Ito's palette, which survives every common colour blindness.
COLOURS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.UNSAFE: ("#d55e00", "#fff"), Verdict.ERROR: ("#000", "#fff"), Verdict.HANG: ("#cc79a7", "#000"),
    Verdict.STUCK: ("#e69f00", "#000"), Verdict.MISLEADING: ("#f0e442", "#000"), Verdict.HYGIENE: ("#56b4e9", "#000"),
    Verdict.XPASS: ("#000", "#fff"), Verdict.WAIVED: ("#bbb", "#000"), Verdict.SKIP: ("#eee", "#555"), Verdict.NA: ("#eee", "#555"),
    Verdict.PASS: ("#009e73", "#fff"),
}  # fmt: skip

_ENVIRONMENT: Final = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
_FRAGMENT: Final = """
<style>
.fc{font:14px/1.4 system-ui,sans-serif;color:#111}.fc table{border-collapse:collapse}.fc th,.fc td{padding:.2em .5em;text-align:left}
.fc thead th{vertical-align:bottom}.fc td.v{text-align:center;min-width:2.2em}.fc .c{display:inline-block;min-width:1.6em;
padding:0 .3em;border-radius:3px;font-weight:600;text-align:center;text-decoration:none}.fc .legend span{margin-right:1em}
.fc details{border:1px solid #ccc;border-radius:4px;margin:.5em 0;padding:.4em .8em}.fc summary{cursor:pointer}
.fc pre{background:#f6f6f6;padding:.6em;overflow-x:auto;font-size:12px}.fc dt{font-weight:600}.fc dd{margin:0 0 .3em 1.2em}
{% for verdict, (back, fore) in colours.items() %}
.fc .{{ 'v' ~ verdict.name }}{background:{{ back }};color:{{ fore }}}
{% endfor %}
@media (prefers-color-scheme:dark){.fc{color:#eee;background:#111}.fc pre{background:#222}}
</style>
<div class="fc">
<p><code>{{ last_line }}</code></p>
<table>
<thead><tr><th>scenario</th>{% for fencer, profile in columns %}<th>{{ fencer }}<br><small>{{ profile }}</small></th>{% endfor %}<th></th></tr></thead>
<tbody>
{% for scenario in scenarios %}
<tr><th title="{{ scenario.requirement.sentence }}">{{ scenario.id }}</th>
{% for column in columns %}
{% set r = cells.get((scenario.id, column)) %}
<td class="v">
{% if r is none %}
{% elif r.verdict in shown %}
<a class="c v{{ r.verdict.name }}" href="#{{ anchor(r) }}" title="{{ r.verdict }}{{ ' ' ~ r.kind if r.kind else '' }}: {{ r.why }}">{{ r.verdict.letter }}</a>
{% else %}
<span class="c v{{ r.verdict.name }}" title="{{ r.verdict }}: {{ r.why or 'all musts hold' }}">{{ r.verdict.letter }}</span>
{% endif %}
</td>
{% endfor %}
<td>{{ scenario.title }}</td></tr>
{% endfor %}
</tbody></table>
<p class="legend">{% for verdict in present %}<span><span class="c v{{ verdict.name }}">{{ verdict.letter }}</span> {{ verdict }}</span>{% endfor %}</p>
{% for r in results if r.verdict in shown %}
<details id="{{ anchor(r) }}"><summary><span class="c v{{ r.verdict.name }}">{{ r.verdict }}{{ ' ' ~ r.kind if r.kind else '' }}</span>
{{ r.scenario.id }} {{ r.fencer }} x {{ r.profile }}: {{ r.scenario.title }}</summary>
<dl><dt>given</dt>{% for origin, sentence in r.preconditions %}<dd>{{ sentence }} <small>[{{ origin }}]</small></dd>{% endfor %}
{% if not r.findings %}<dt>why</dt><dd>{{ r.why }}</dd>{% endif %}</dl>
{% for finding in r.findings %}
<dl><dt>requirement</dt><dd>{{ finding.requirement.id }} ({{ finding.rule }}): {{ finding.requirement.sentence }} <small>{{ finding.requirement.source }}</small></dd>
<dt>expected</dt><dd>{{ finding.expected }}</dd><dt>actual</dt><dd>{{ finding.actual }}</dd></dl>
<pre>{% for line in r.stories[loop.index0] %}{{ line }}
{% endfor %}</pre>
{% endfor %}
<p>repeat: <code>{{ r.repeat }}</code></p></details>
{% endfor %}
<script>
function fcOpen(){var e=document.getElementById(decodeURIComponent(location.hash.slice(1)));if(e&&e.tagName==="DETAILS")e.open=true}
addEventListener("hashchange",fcOpen);fcOpen()
</script>
</div>
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Fencing conformance</title></head>
<body><h1>Fencing conformance</h1>{{ fragment }}<p><small>fencelab {{ version }}</small></p></body></html>
"""


def fragment(results: Sequence[Result]) -> str:
    """The matrix and its findings, to be put into a page."""
    every = tuple(results)
    return _ENVIRONMENT.from_string(_FRAGMENT).render(
        results=every,
        columns=list(dict.fromkeys((r.fencer, r.profile) for r in every)),
        scenarios=list(_scenarios(every)),
        cells={(r.scenario.id, (r.fencer, r.profile)): r for r in every},
        colours=COLOURS,
        present=[v for v in Verdict if any(r.verdict is v for r in every)],
        shown=SHOWN_IN_FULL,
        anchor=anchor,
        last_line=last_line(every),
    )


def page(results: Sequence[Result], version: str) -> str:
    """A whole page, self-contained."""
    inside = Markup(fragment(results))
    return _ENVIRONMENT.from_string(_PAGE).render(fragment=inside, version=version)


def anchor(result: Result) -> str:
    return f"{result.scenario.id}-{result.fencer}-{result.profile}".replace(" ", "_")


def _scenarios(results: Sequence[Result]) -> tuple[Scenario, ...]:
    return tuple({r.scenario.id: r.scenario for r in results}.values())
