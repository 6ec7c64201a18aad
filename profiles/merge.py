"""Merges a profile with its parents (`extends`). Every value keeps its place in its file, for error messages.

Rules
  1. Maps merge by key, tables by cell, lists and reply bodies replace, `null` deletes.
  2. A cell with `"?"` has the parent's outcome and is marked assumed. Where that outcome would switch a host on that is off, and
     the request does not ask for On, nothing happens instead: the outcome is `unknown`, and the effect of an IPMI cell is none.
     It is `unknown` too where no parent has such a cell, as for a ResetType of the vendor's own.
  3. Evidence belongs to the file that sets the value. A value that a child sets loses the evidence of the parent.
  4. `*` in evidence is for the keys of its own file, and not for inherited keys.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from functools import partial, reduce
from types import MappingProxyType
from typing import Final

from fencelab_yaml.errors import Mark
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, child, text_of
from profiles.blocks import EVIDENCE_ALSO, EVIDENCE_BY_KEY, EVIDENCE_IN, STATES

OWN: Final = frozenset({"schema", "id", "title", "abstract", "extends", "firmware", "maintainers"})
"""Keys of one file that children do not inherit."""

UNKNOWN: Final = "unknown"
"""The outcome of a `"?"` cell that has none of a parent, or whose parent's outcome would switch a host on that is off."""

_CELLS: Final = frozenset({("power", "table"), ("ipmi", "chassis")})
_ASKS_FOR_ON: Final = frozenset({"On", "ForceOn", "up"})
_INLINE: Final = frozenset({"messages", "replies", "faults"})

Path = tuple[str, ...]


def merged(layers: Iterable[YamlMap]) -> YamlMap:
    """Merges the layers into one tree. The first layer is the most distant parent."""
    return _no_silent_on(_without_parent(reduce(_over, (with_evidence(layer) for layer in layers), fields({}, {}, Mark("")))))


def fields(entries: Mapping[str, YamlNode], keys: Mapping[str, Mark], mark: Mark) -> YamlMap:
    """Makes a new map with a place for every key."""
    size = 1 + sum(node.size for node in entries.values())
    return YamlMap(MappingProxyType(dict(entries)), MappingProxyType(dict(keys)), mark, size)


def is_null(node: YamlNode) -> bool:
    return isinstance(node, YamlScalar) and node.value is None


def _over(parent: YamlMap, child: YamlMap) -> YamlMap:
    kept = {key: node for key, node in parent.entries.items() if key not in OWN}
    base = fields(kept, {key: parent.keys[key] for key in kept}, parent.mark)
    return _merge_fields(base, child, ())


def _merge(parent: YamlNode | None, child: YamlNode, path: Path) -> YamlNode:
    if path[:-2] in _CELLS and isinstance(child, YamlScalar) and child.value == "?" and isinstance(parent, YamlList):
        return replace(parent, mark=child.mark, assumed=True)
    if not isinstance(child, YamlMap) or _is_body(path):
        return child
    base = parent if isinstance(parent, YamlMap) else fields({}, {}, child.mark)
    return _merge_fields(base, child, path)


def _is_body(path: Path) -> bool:
    return len(path) == 3 and path[0] == "replies" and path[2] == "body"


def _merge_fields(parent: YamlMap, child: YamlMap, path: Path) -> YamlMap:
    entries = dict(_inherited(parent, child, path))
    keys = dict(parent.keys)
    nulls_stay = path[:2] == ("resources", "merge") and len(path) > 2
    for key, node in child.entries.items():
        if is_null(node) and not nulls_stay:
            entries.pop(key, None)
            continue
        entries[key] = _merge(entries.get(key), node, (*path, key))
        keys[key] = child.keys[key]
    return fields(entries, {key: keys[key] for key in entries}, child.mark)


def _without_parent(root: YamlMap) -> YamlMap:
    """Gives the cells `"?"` that no parent has the outcome `unknown`, if there is one."""
    if child(root, "power", "outcomes", UNKNOWN) is None:
        return root
    for state in STATES:
        root = _in_cells(root, ("power", "table", state), lambda name, cell: _unknown(cell) if _is_asked(cell) else cell)
    return root


def _is_asked(cell: YamlNode) -> bool:
    return isinstance(cell, YamlScalar) and cell.value == "?"


def _unknown(cell: YamlNode) -> YamlNode:
    words = tuple(YamlScalar(word, word, cell.mark) for word in (UNKNOWN, "inferred"))
    return YamlList(words, cell.mark, 3, assumed=True)


def _no_silent_on(root: YamlMap) -> YamlMap:
    """Replaces what would switch a host on that is off, in cells that nobody knows."""
    effects = child(root, "power", "effects")
    on = {name for name, steps in effects.entries.items() if _switches_on(steps)} if isinstance(effects, YamlMap) else set()
    outcomes = child(root, "power", "outcomes")
    entries = outcomes.entries if isinstance(outcomes, YamlMap) else {}
    starting = {name for name, outcome in entries.items() if text_of(child(outcome, "effect")) in on}
    power = partial(_settled, place=0, switching=starting, instead=UNKNOWN)
    chassis = partial(_settled, place=1, switching=on, instead="none")
    return _in_cells(_in_cells(root, ("power", "table", "Off"), power), ("ipmi", "chassis", "Off"), chassis)


def _switches_on(steps: YamlNode) -> bool:
    return isinstance(steps, YamlList) and any(text_of(child(step, "real")) == "On" for step in steps.items)


def _in_cells(node: YamlMap, path: Path, change: Callable[[str, YamlNode], YamlNode]) -> YamlMap:
    """Returns the tree with the cells of the row `path` changed."""
    if not path:
        return fields({name: change(name, cell) for name, cell in node.entries.items()}, node.keys, node.mark)
    inner = node.entries.get(path[0])
    if not isinstance(inner, YamlMap):
        return node
    return fields({**node.entries, path[0]: _in_cells(inner, path[1:], change)}, node.keys, node.mark)


def _settled(name: str, cell: YamlNode, *, place: int, switching: Container[str | None], instead: str) -> YamlNode:
    """The assumed cell without the word at index `place` that would switch a host on."""
    if name in _ASKS_FOR_ON or not isinstance(cell, YamlList) or not cell.assumed or len(cell.items) <= place:
        return cell
    if text_of(cell.items[place]) not in switching:
        return cell
    words = (YamlScalar(word, word, cell.mark) for word in (instead, "inferred"))
    return replace(cell, items=(*cell.items[:place], *words))


def _inherited(parent: YamlMap, child: YamlMap, path: Path) -> Mapping[str, YamlNode]:
    """Returns the parent's entries, without the evidence of values that the child changes."""
    evidence = parent.entries.get("evidence")
    if len(path) == 2 and path[0] in _INLINE:
        return {key: node for key, node in parent.entries.items() if key != "evidence"}
    if len(path) != 1 or not isinstance(evidence, YamlMap):
        return parent.entries
    changed = child.entries.keys() - {"evidence"}
    kept = {name: node for name, node in evidence.entries.items() if name.split(".")[0] not in changed}
    stripped = fields(kept, {name: evidence.keys[name] for name in kept}, evidence.mark)
    return {**parent.entries, "evidence": stripped}


def one_shape_of_evidence(layer: YamlMap) -> YamlMap:
    """Returns the file with every block's evidence as a map by key: a list is that of all keys of the block, as `*` is."""
    blocks = dict(layer.entries)
    for name in (*EVIDENCE_BY_KEY, *EVIDENCE_IN):
        evidence = child(layer, name, "evidence")
        block = layer.entries.get(name)
        if isinstance(block, YamlMap) and isinstance(evidence, YamlList):
            spread = fields({"*": evidence}, {"*": evidence.mark}, evidence.mark)
            blocks[name] = fields({**block.entries, "evidence": spread}, block.keys, block.mark)
    return fields(blocks, layer.keys, layer.mark)


def with_evidence(layer: YamlMap) -> YamlMap:
    """Returns the layer with its evidence (`*`, neighbours, inline) written out for each key that it sets."""
    blocks = dict(layer.entries)
    for name in (*EVIDENCE_BY_KEY, *EVIDENCE_IN):
        block = layer.entries.get(name)
        if isinstance(block, YamlMap):
            blocks[name] = _spread(name, block)
    return fields(blocks, layer.keys, layer.mark)


def evidence_for(name: str, block: YamlMap, key: str) -> YamlNode | None:
    """Returns the evidence of one file for `name.key`: its own, a neighbour's, inline, or `*`."""
    table = block.entries.get("evidence")
    said = table.entries if isinstance(table, YamlMap) else {}
    value = block.entries.get(key)
    inline = value.entries.get("evidence") if isinstance(value, YamlMap) and name in _INLINE else None
    return said.get(key) or inline or said.get(EVIDENCE_ALSO.get(f"{name}.{key}", "")) or said.get("*")


def claimed_keys(name: str, block: YamlMap) -> list[str]:
    """Returns the keys of a block that this file sets and that need evidence."""
    wanted = EVIDENCE_IN.get(name, tuple(block.entries))
    return [key for key in wanted if key != "evidence" and key in block.entries and not is_null(block.entries[key])]


def _spread(name: str, block: YamlMap) -> YamlMap:
    table = block.entries.get("evidence")
    said = dict(table.entries) if isinstance(table, YamlMap) else {}
    places = dict(table.keys) if isinstance(table, YamlMap) else {}
    for key in claimed_keys(name, block):
        if (evidence := evidence_for(name, block, key)) is not None:
            said[key] = evidence
            places.setdefault(key, evidence.mark)
    said.pop("*", None)
    if not said and table is None:
        return block
    mark = table.mark if table is not None else block.mark
    spread = fields(said, {key: places[key] for key in said}, mark)
    keys = {**block.keys, "evidence": block.keys.get("evidence", mark)}
    return fields({**block.entries, "evidence": spread}, keys, block.mark)
