"""What is wrong with the metadata of a fence agent. Pure; `DescribesItself` asks.

The rules follow the structure that the grammar of fence-agents prescribes. Metadata comes from the fencer under test, so it is
read with a limit, and a document type (with which entities could be defined) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

LARGEST: Final = 256_000  # characters
ROOT: Final = "resource-agent"
CHILDREN: Final = ("longdesc", "vendor-url", "parameters", "actions")
ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    ROOT: ("name", "shortdesc"),
    "parameter": ("name", "unique", "required"),
    "getopt": ("mixed",),
    "content": ("type",),
    "shortdesc": ("lang",),
    "option": ("value",),
    "action": ("name",),
}
"""What each element must have."""
BOOLEANS: Final = ("unique", "required", "deprecated", "on_target", "automatic")
CONTENT_TYPES: Final = frozenset({"boolean", "string", "second", "integer", "select"})
REQUIRED_ACTIONS: Final = ("off", "status", "monitor", "metadata")


def problems_of(text: str) -> tuple[str, ...]:
    """Everything that is wrong, as sentences without a full stop; empty where nothing is."""
    if len(text) >= LARGEST:
        return (f"it has {LARGEST} characters or more",)
    if "<!DOCTYPE" in text:
        return ("it has a document type",)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        return (f"it is not well-formed XML: {error}",)
    if root.tag != ROOT:
        return (f"its root is <{root.tag[:40]}>, not <{ROOT}>",)
    return tuple(_problems(root))


def _problems(root: Element) -> Iterator[str]:
    yield from _lacks(root, "")
    for name in CHILDREN:
        if root.find(name) is None:
            yield f"<{ROOT}> has no <{name}>"
    parameters = root.findall("parameters/parameter")
    if not parameters:
        yield "it has no parameter"
    for parameter in parameters:
        yield from _parameter(parameter)
    actions = [action.get("name", "") for action in root.findall("actions/action")]
    for action in root.findall("actions/action"):
        yield from _lacks(action, "")
    for wanted in REQUIRED_ACTIONS:
        if wanted not in actions:
            yield f"the action {wanted} is not listed"


def _parameter(parameter: Element) -> Iterator[str]:
    where = f" of the parameter {parameter.get('name', '')[:40]!r}"
    yield from _lacks(parameter, "")
    for name in ("getopt", "content", "shortdesc"):
        child = parameter.find(name)
        if child is None:
            yield f"no <{name}>{where}"
        else:
            yield from _lacks(child, where)
    content = parameter.find("content")
    if content is not None and (kind := content.get("type")) is not None and kind not in CONTENT_TYPES:
        yield f"content type {kind[:40]!r}{where}"
    for option in parameter.findall("content/option"):
        yield from _lacks(option, where)


def _lacks(element: Element, where: str) -> Iterator[str]:
    for name in ATTRIBUTES[element.tag]:
        if element.get(name) is None:
            yield f"<{element.tag}>{where} has no {name}"
    for name in BOOLEANS:
        if element.get(name, "0") not in ("0", "1"):
            yield f"{name}={element.get(name, '')[:20]!r} of <{element.tag}>{where} is neither 0 nor 1"
