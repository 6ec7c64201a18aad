"""Builds report.html: the timelines of the acts and the matrix, in one file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.act_facts import facts
from demo.matrix import KEY, Matrix
from demo.story import Story
from demo.timeline import draw

TEMPLATES = Path(__file__).with_name("templates")


def page(stories: Mapping[str, Story], matrix: Matrix) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    acts = [{"id": act, "story": story, "svg": draw(story), "lines": facts(story)} for act, story in stories.items()]
    scale = next(iter(stories.values())).scale
    return environment.get_template("report.html.j2").render(acts=acts, matrix=matrix, key=KEY, scale=scale)
