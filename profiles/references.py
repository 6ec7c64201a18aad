"""Checks the references inside a merged profile, and that every value has evidence. `loader` calls it.

The tree may still have values of a wrong form. `shapes` reports those; they are skipped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fencelab_yaml.errors import Mark, Problems, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, child, text_of
from profiles import template
from profiles.blocks import CHASSIS_COMMANDS, EVIDENCE_BY_KEY, EVIDENCE_IN, STATES
from profiles.merge import claimed_keys, evidence_for

if TYPE_CHECKING:
    from fencelab_yaml.form import Form

_IDS: Final = ("system_id", "manager_id", "chassis_id")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MAC: Final = re.compile("[0-9A-Fa-f]{12}")
_TEMPLATED: Final = ("identity", "replies", "messages", "errors", "tasks", "faults", "resources")


def check_layer(layer: YamlMap, problems: Problems, form: Form) -> None:
    """Checks one file: every value that it sets must have evidence in it. Keys that the form does not know are skipped."""
    for name in (*EVIDENCE_BY_KEY, *EVIDENCE_IN):
        block = layer.entries.get(name)
        if not isinstance(block, YamlMap) or not isinstance(block.entries.get("evidence", block), YamlMap):
            continue  # the form is wrong, and that is said
        known = form.keys_of(name)
        for key in claimed_keys(name, block):
            if known is not None and key not in known:
                continue
            if evidence_for(name, block, key) is None and not _all_parts(block, key):
                problems.add(
                    block.keys[key],
                    f"{name}.{key}",
                    f"no evidence: add evidence: {{{key}: [confidence, source...]}} to {name}",
                )


def _all_parts(block: YamlMap, key: str) -> bool:
    said, value = child(block, "evidence"), block.entries[key]
    if not isinstance(said, YamlMap) or not isinstance(value, YamlMap) or not value.entries:
        return False
    return all(f"{key}.{part}" in said.entries for part in value.entries)


def check_parents(parent: YamlMap, layer: YamlMap, problems: Problems) -> None:
    """Checks that a child does not redefine a source id of a parent: that would change the parent's evidence."""
    theirs, ours = child(parent, "sources"), child(layer, "sources")
    if not isinstance(theirs, YamlMap) or not isinstance(ours, YamlMap):
        return
    for name, source in ours.entries.items():
        known = text_of(child(theirs, name, "ref"))
        if known is not None and text_of(child(source, "ref")) not in (None, known):
            problems.add(ours.keys[name], f"sources.{name}", f"a parent uses this id for '{known}': choose another one")


def check(root: YamlMap, file: str, problems: Problems) -> None:
    """Checks the merged profile: names exist, tables are complete, templates can be filled. `file`: the file being loaded."""
    if "pdu" in root.entries and "enclosure" in root.entries:
        said = "a profile is that of a PDU or of an enclosure, not of both: leave pdu or enclosure out"
        problems.add(root.keys["enclosure"], "enclosure", said)
    _References(root, file, problems).run()


def filled(root: YamlMap, overrides: Mapping[str, str]) -> Iterator[tuple[str, str, Mark, str]]:
    """Returns the mistakes after `vars` are filled in, as (block, key, place, message). Ids become parts of URLs."""
    variables, identity = child(root, "vars"), child(root, "identity")
    if not isinstance(variables, YamlMap):
        return
    texts = {name: text for name, node in variables.entries.items() if (text := text_of(node)) is not None}
    values = template.filled_vars(texts, overrides)
    if "mac" in overrides and not _MAC.fullmatch(overrides["mac"]):
        yield "vars", "mac", variables.entries["mac"].mark, f"'{overrides['mac']}' is not twelve hexadecimal digits"
    for name in _IDS:
        node = variables.entries.get(name)
        if node is not None and name in values and not _SEGMENT.fullmatch(values[name]):
            yield "vars", name, node.mark, f"'{values[name]}' cannot be part of a URL: letters, digits and -._~ only"
    for name in ("root_uuid", "system_uuid"):
        node = child(identity, name)
        text = text_of(node)
        if node is None or text is None or "{" not in text:
            continue
        for var, used in template.octets_used(text).items():
            if (length := len(values.get(var, "").encode())) > used:
                said = f"'{values[var]}' has {length} octets, and identity.{name} has room for {used}: the rest would be lost"
                yield "vars", var, variables.entries[var].mark if var in variables.entries else node.mark, said
        uuid = template.fill(text, values)
        if not _UUID.fullmatch(uuid):
            yield "identity", name, node.mark, f"becomes '{uuid}', which is not a UUID"


_NAMED_IN: Final = ("power", "replies", "messages", "vars")
_RESET_TYPE: Final = re.compile("[A-Z][A-Za-z0-9]*")


class _References:
    def __init__(self, root: YamlMap, file: str, problems: Problems) -> None:
        self._root = root
        self._file = file
        self._problems = problems
        self._is_whole = all(isinstance(root.entries.get(block), YamlMap) for block in _NAMED_IN)
        """Else what parents say of names in such a block is no mistake of theirs, and says nothing to the reader."""

    def run(self) -> None:
        self._table()
        self._outcomes()
        self._effects()
        self._windows()
        self._oem_actions()
        self._replies()
        self._chassis()
        self._faults()
        self._features()
        self._tls()
        self._deviations()
        self._evidence()
        self._templates()

    def _tls(self) -> None:
        oldest, newest = child(self._root, "http", "tls_min"), child(self._root, "http", "tls_max")
        least, most = text_of(oldest), text_of(newest)
        if newest is not None and least is not None and most is not None and most < least:
            self._add_problem(newest.mark, "http.tls_max", f"no version is left: tls_min is {least}")

    def _names(self, *path: str) -> tuple[str, ...]:
        node = child(self._root, *path)
        return tuple(key for key in node.entries if key != "evidence") if isinstance(node, YamlMap) else ()

    def _each(self, *path: str) -> Iterator[tuple[str, str, YamlMap, YamlNode]]:
        """Returns every entry of a map as (key, path, map, value)."""
        node = child(self._root, *path)
        if isinstance(node, YamlMap):
            for key, value in node.entries.items():
                if key != "evidence":
                    yield key, ".".join((*path, key)), node, value

    def _items(self, *path: str) -> Iterator[tuple[str, YamlNode]]:
        """Returns the items of a list with their paths; a map that stands in place of a list is its only item."""
        node, where = child(self._root, *path), ".".join(path)
        if isinstance(node, YamlList):
            yield from ((f"{where}[{index}]", item) for index, item in enumerate(node.items))
        elif node is not None:
            yield where, node

    def _refer(self, node: YamlNode | None, path: str, what: str, known: tuple[str, ...], also: tuple[str, ...] = ()) -> None:
        """Checks that `node` is the name of a `what`."""
        name = text_of(node)
        if node is None or name is None or name in known or name in also:
            return
        there = did_you_mean(name, known) or (f"; there are: {listed(known)}" if known else "; there are none")
        self._add_problem(node.mark, path, f"there is no {what} '{name}'{there}")

    def _add_problem(self, mark: Mark, path: str, message: str) -> None:
        """Adds a problem at a place in the loaded file. If the value is inherited, the message names the parent's place."""
        if mark.file == self._file:
            self._problems.add(mark, path, message)
        elif self._is_whole:
            self._problems.add(Mark(self._file), path, f"{message} (needed by {Path(mark.file).name}:{mark.line})")

    def _cell(self, node: YamlNode, path: str, outcome: int, confidence: int) -> None:
        if not isinstance(node, YamlList) or len(node.items) <= confidence:
            return
        if path.startswith("ipmi."):
            self._refer(node.items[outcome], f"{path}[{outcome}]", "effect", self._names("power", "effects"), ("none",))
        else:
            self._refer(node.items[outcome], f"{path}[{outcome}]", "outcome", self._names("power", "outcomes"))
        self._claim(YamlList(node.items[confidence:], node.mark, node.size), path)

    def _claim(self, node: YamlNode | None, path: str) -> None:
        if isinstance(node, YamlList):
            for source in node.items[1:]:
                self._refer(source, path, "source", self._names("sources"))

    def _table(self) -> None:
        offered = child(self._root, "power", "reset_types")
        types = [word for item in offered.items if (word := text_of(item))] if isinstance(offered, YamlList) else []
        for state in STATES:
            for reset_type, path, cells, cell in self._each("power", "table", state):
                self._cell(cell, path, 0, 1)
                if reset_type not in (*types, *self._oem_types()) and types and cells.keys[reset_type].file == self._file:
                    hint = did_you_mean(reset_type, types)
                    self._add_problem(
                        cells.keys[reset_type],
                        path,
                        f"'{reset_type}' is not in power.reset_types, so unlisted_type answers it{hint}",
                    )
            present = self._names("power", "table", state)
            missing = [word for word in types if word not in present and _RESET_TYPE.fullmatch(word)]
            if missing and isinstance(offered, YamlList) and isinstance(child(self._root, "power", "table"), YamlMap):
                self._add_problem(
                    offered.mark,
                    f"power.table.{state}",
                    f"no cell for {', '.join(missing)}, which power.reset_types offers",
                )
        unlisted = child(self._root, "power", "unlisted_type")
        if unlisted is not None:
            self._cell(unlisted, "power.unlisted_type", 0, 1)

    def _oem_types(self) -> set[str]:
        """ResetTypes that only actions of the vendor ask for."""
        return {
            word for _, action in self._items("power", "oem_actions") for _, node in _asked(action) if (word := text_of(node))
        }

    def _outcomes(self) -> None:
        for _, path, _, outcome in self._each("power", "outcomes"):
            self._refer(child(outcome, "reply"), f"{path}.reply", "reply", self._names("replies"))
            self._refer(child(outcome, "effect"), f"{path}.effect", "effect", self._names("power", "effects"), ("none",))

    def _effects(self) -> None:
        for name, path, effects, steps in self._each("power", "effects"):
            if name == "none":
                self._add_problem(effects.keys[name], path, "'none' means that nothing happens; it cannot be given steps")
            self._forward(steps, path)
        self._forward(child(self._root, "power", "on_os_down"), "power.on_os_down")

    def _forward(self, steps: YamlNode | None, path: str) -> None:
        """Checks that steps are in the order of their times, for both ends of their spans."""
        before = (0.0, 0.0)
        for index, step in enumerate(steps.items if isinstance(steps, YamlList) else ()):
            at = _span(child(step, "at"))
            if at is None:
                return
            if at[0] < before[0] or at[1] < before[1]:
                self._add_problem(step.mark, f"{path}[{index}].at", "comes before the step above it: steps go forward in time")
            before = at

    def _windows(self) -> None:
        windows = child(self._root, "power", "windows")
        for index, window in enumerate(windows.items if isinstance(windows, YamlList) else ()):
            path = f"power.windows[{index}]"
            self._refer(child(window, "after"), f"{path}.after", "effect", self._names("power", "effects"))
            self._refer(child(window, "outcome"), f"{path}.outcome", "outcome", self._names("power", "outcomes"))
            self._reset_types(child(window, "reset"), f"{path}.reset")
            self._claim(child(window, "evidence"), f"{path}.evidence")

    def _oem_actions(self) -> None:
        cells = tuple(word for word in self._names("power", "table", "On") if word in self._names("power", "table", "Off"))
        chassis = child(self._root, "power", "chassis", "reset_types")
        for index, item in enumerate(chassis.items if isinstance(chassis, YamlList) else ()):
            self._refer(item, f"power.chassis.reset_types[{index}]", "ResetType in power.table", cells)
        for path, action in self._items("power", "oem_actions"):
            for key, node in _asked(action):
                self._refer(node, f"{path}.{key}", "ResetType in power.table", cells)
        for path, action in self._items("power", "oem_actions"):
            self._claim(child(action, "evidence"), f"{path}.evidence")
            has_values, has_body = (child(action, key) is not None for key in ("values", "body"))
            if has_values == has_body or (child(action, "parameter") is not None) != has_values:
                self._add_problem(
                    action.mark,
                    path,
                    "needs parameter and values, or body: the ResetType of an action without parameter",
                )

    def _reset_types(self, node: YamlNode | None, path: str) -> None:
        offered = child(self._root, "power", "reset_types")
        known = tuple(word for item in offered.items if (word := text_of(item))) if isinstance(offered, YamlList) else ()
        for index, item in enumerate(node.items if isinstance(node, YamlList) else ()):
            self._refer(item, f"{path}[{index}]", "ResetType in power.reset_types", known)

    def _replies(self) -> None:
        replies, messages = self._names("replies"), self._names("messages")
        for _, path, _, reply in self._each("replies"):
            self._refer(child(reply, "message"), f"{path}.message", "message", messages)
            self._refer(child(reply, "task", "message"), f"{path}.task.message", "message", messages)
            self._claim(child(reply, "evidence"), f"{path}.evidence")
        for users in (
            ("auth", "no_auth"),
            ("auth", "bad_login"),
            ("auth", "sessions", "on_full"),
            ("bmc_reset", "reply"),
            ("bmc_reset", "unlisted"),
            ("bmc_reset", "after", "reply"),
            ("http", "not_found"),
            ("http", "odata_version", "otherwise"),
        ):
            self._refer(child(self._root, *users), ".".join(users), "reply", replies)
        for path, rule in self._items("http", "if_match"):
            for key in ("mismatch", "missing"):
                self._refer(child(rule, key), f"{path}.{key}", "reply", replies)
        for path, command in self._items("ipmi", "oem"):
            self._claim(child(command, "evidence"), f"{path}.evidence")
        for path, refusal in self._items("refusals"):
            self._refer(child(refusal, "reply"), f"{path}.reply", "reply", replies)
            self._claim(child(refusal, "evidence"), f"{path}.evidence")
        self._reset_types(child(self._root, "bmc_reset", "after", "reset"), "bmc_reset.after.reset")

    def _chassis(self) -> None:
        table = child(self._root, "ipmi", "chassis")
        for state in STATES:
            for _, path, _, cell in self._each("ipmi", "chassis", state):
                self._cell(cell, path, 1, 2)
            missing = [command for command in CHASSIS_COMMANDS if command not in self._names("ipmi", "chassis", state)]
            if missing and isinstance(table, YamlMap):
                self._add_problem(table.mark, f"ipmi.chassis.{state}", f"no cell for {', '.join(missing)}")

    def _faults(self) -> None:
        for _, path, _, fault in self._each("faults"):
            self._refer(child(fault, "params", "reply"), f"{path}.params.reply", "reply", self._names("replies"))
            self._reset_types(child(fault, "when", "reset"), f"{path}.when.reset")
            self._claim(child(fault, "evidence"), f"{path}.evidence")

    def _features(self) -> None:
        features = child(self._root, "http", "features")
        node = child(features, "excerpt")
        if isinstance(features, YamlMap) and isinstance(node, YamlScalar) and node.value is True:
            self._add_problem(node.mark, "http.features.excerpt", "the query parameter excerpt is not built: say false")

    def _deviations(self) -> None:
        deviations = child(self._root, "deviations")
        for index, deviation in enumerate(deviations.items if isinstance(deviations, YamlList) else ()):
            self._claim(child(deviation, "evidence"), f"deviations[{index}].evidence")

    def _evidence(self) -> None:
        for name in (*EVIDENCE_BY_KEY, *EVIDENCE_IN):
            block = child(self._root, name)
            for key, path, said, claim in self._each(name, "evidence"):
                self._claim(claim, path)
                if child(block, *key.split(".", 1)) is None:
                    known = self._names(name)
                    there = did_you_mean(key, known) or f"; {name} has: {listed(known)}"
                    self._add_problem(said.keys[key], path, f"evidence for something that is not there{there}")

    def _templates(self) -> None:
        words, identity = self._names("vars"), self._names("identity")
        for name, path, declared, _ in self._each("vars"):
            if template.is_reserved(name) or name in identity:
                self._add_problem(declared.keys[name], path, f"'{name}' is filled by something else: choose another name")
        for block, key, mark, message in filled(self._root, {}):
            self._add_problem(mark, f"{block}.{key}", message)
        for needed in _IDS:
            declared_vars = child(self._root, "vars")
            if needed not in words and isinstance(declared_vars, YamlMap):
                self._add_problem(declared_vars.mark, f"vars.{needed}", f"'{needed}' is missing: it is part of every path")
        for block in _TEMPLATED:
            known = frozenset(words) if block == "identity" else frozenset((*words, *identity))
            for scalar, path in _texts(child(self._root, block), block):
                for hole, name in template.mistakes(str(scalar.value), known):
                    hint = did_you_mean(name, known | template.REQUEST) or f"; known: {listed(sorted(known | template.REQUEST))}"
                    self._add_problem(scalar.mark, path, f"nothing fills {hole}{hint}")


def _texts(node: YamlNode | None, path: str) -> Iterator[tuple[YamlScalar, str]]:
    match node:
        case YamlScalar(value=str()):
            yield node, path
        case YamlList(items=items):
            for index, item in enumerate(items):
                yield from _texts(item, f"{path}[{index}]")
        case YamlMap(entries=entries):
            for key, value in entries.items():
                if key != "evidence":
                    yield from _texts(value, f"{path}.{key}")
        case _:
            return


def _asked(action: YamlNode) -> Iterator[tuple[str, YamlNode]]:
    """The ResetTypes that an action of the vendor asks for, each with its key."""
    values, body = child(action, "values"), child(action, "body")
    if isinstance(values, YamlMap):
        yield from ((f"values.{name}", node) for name, node in values.entries.items())
    if body is not None:
        yield "body", body


def _span(node: YamlNode | None) -> tuple[float, float] | None:
    match node:
        case YamlScalar(value=int() | float() as at):
            return float(at), float(at)
        case YamlList(items=(YamlScalar(value=int() | float() as low), YamlScalar(value=int() | float() as high))):
            return float(low), float(high)
        case _:
            return None
