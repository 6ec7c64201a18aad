"""Checks single values of a fencer file, for adapters that name their keys and have no form: `Section` calls it."""

from typing import Final, cast

from conformance.fencer_forms.values import AskKey, FencerLine, FencerPattern, FencerText, FencerTexts
from fencelab_yaml.errors import Problems
from fencelab_yaml.form import Form
from fencelab_yaml.source import YamlNode

PIECES: Final = {
    name: Form(name, name, cast(type, hint))
    for name, hint in {
        "text": FencerText,
        "texts": FencerTexts,
        "line": FencerLine,
        "pattern": FencerPattern,
        "map": dict[str, object],
        "actions": dict[AskKey, object],
    }.items()
}


def fits(piece: str, node: YamlNode, path: str, problems: Problems) -> bool:
    """Whether a value has the form of a piece; what is wrong with it goes to `problems`."""
    found = Problems()
    PIECES[piece].check(node, found, path)
    problems.found |= found.found
    return not found.found
