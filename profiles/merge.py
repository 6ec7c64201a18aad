"""`extends`: a child over its parents, with every value keeping its place in its file.

Rules
  1. Maps merge by key, tables by cell, lists and reply bodies replace, `null` deletes.
  2. A cell that says `"?"` takes the parent's outcome and is marked assumed.
  3. Evidence belongs to the file that sets the value. What a child sets loses the evidence of the parent's value.
  4. `*` in evidence speaks for the keys of its own file and for nothing that is inherited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType
from typing import Final

from profiles.errors import Mark
from profiles.format import EVIDENCE_ALSO, EVIDENCE_BY_KEY, EVIDENCE_IN
from profiles.yaml_source import Fields, Items, Node, Scalar

OWN: Final = frozenset({"schema", "id", "title", "abstract", "extends", "firmware", "maintainers"})
"""Keys of one file that children do not inherit."""

_CELLS: Final = frozenset({("power", "table"), ("ipmi", "chassis")})
_INLINE: Final = frozenset({"messages", "replies", "faults"})

Path = tuple[str, ...]


def merged(layers: Iterable[Fields]) -> Fields:
    """The layers folded into one tree, the first being the most distant parent."""
    return reduce(_over, (with_evidence(layer) for layer in layers), fields({}, {}, Mark("")))


def fields(entries: Mapping[str, Node], keys: Mapping[str, Mark], mark: Mark) -> Fields:
    """A map made here; every key needs a place."""
    size = 1 + sum(node.size for node in entries.values())
    return Fields(MappingProxyType(dict(entries)), MappingProxyType(dict(keys)), mark, size)


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _over(parent: Fields, child: Fields) -> Fields:
    kept = {key: node for key, node in parent.entries.items() if key not in OWN}
    base = fields(kept, {key: parent.keys[key] for key in kept}, parent.mark)
    return _merge_fields(base, child, ())


def _merge(parent: Node | None, child: Node, path: Path) -> Node:
    if path[:-2] in _CELLS and isinstance(child, Scalar) and child.value == "?" and isinstance(parent, Items):
        return replace(parent, mark=child.mark, assumed=True)
    if not isinstance(child, Fields) or _is_body(path):
        return child
    base = parent if isinstance(parent, Fields) else fields({}, {}, child.mark)
    return _merge_fields(base, child, path)


def _is_body(path: Path) -> bool:
    return len(path) == 3 and path[0] == "replies" and path[2] == "body"


def _merge_fields(parent: Fields, child: Fields, path: Path) -> Fields:
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


def _inherited(parent: Fields, child: Fields, path: Path) -> Mapping[str, Node]:
    """What the child leaves of the parent before its own keys are put in: the evidence of changed values goes."""
    evidence = parent.entries.get("evidence")
    if len(path) == 2 and path[0] in _INLINE:
        return {key: node for key, node in parent.entries.items() if key != "evidence"}
    if len(path) != 1 or not isinstance(evidence, Fields):
        return parent.entries
    changed = child.entries.keys() - {"evidence"}
    kept = {name: node for name, node in evidence.entries.items() if name.split(".")[0] not in changed}
    stripped = fields(kept, {name: evidence.keys[name] for name in kept}, evidence.mark)
    return {**parent.entries, "evidence": stripped}


def with_evidence(layer: Fields) -> Fields:
    """The layer with `*`, neighbours and inline evidence written out for each key that it sets."""
    blocks = dict(layer.entries)
    for name in (*EVIDENCE_BY_KEY, *EVIDENCE_IN):
        block = layer.entries.get(name)
        if isinstance(block, Fields):
            blocks[name] = _spread(name, block)
    return fields(blocks, layer.keys, layer.mark)


def evidence_for(name: str, block: Fields, key: str) -> Node | None:
    """The evidence that one file gives for `name.key`: its own, a neighbour's, inline, or `*`."""
    table = block.entries.get("evidence")
    said = table.entries if isinstance(table, Fields) else {}
    value = block.entries.get(key)
    inline = value.entries.get("evidence") if isinstance(value, Fields) and name in _INLINE else None
    return said.get(key) or inline or said.get(EVIDENCE_ALSO.get(f"{name}.{key}", "")) or said.get("*")


def claimed_keys(name: str, block: Fields) -> list[str]:
    """The keys of a block that need evidence, as far as this file sets them."""
    wanted = EVIDENCE_IN.get(name, tuple(block.entries))
    return [key for key in wanted if key != "evidence" and key in block.entries and not is_null(block.entries[key])]


def _spread(name: str, block: Fields) -> Fields:
    table = block.entries.get("evidence")
    said = dict(table.entries) if isinstance(table, Fields) else {}
    places = dict(table.keys) if isinstance(table, Fields) else {}
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
