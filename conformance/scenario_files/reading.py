"""Scenario files: YAML to `Scenario`. All mistakes come at once, each as `file:line:column: path: message`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from conformance import capabilities, scenarios
from conformance.givens.bmc import BmcGiven
from conformance.givens.cluster import Cluster
from conformance.givens.fed_by import FedBy
from conformance.givens.given import Given
from conformance.scenario import Scenario
from conformance.scenario_files.kinds import fields_of
from conformance.scenario_files.values import UNREAD, ValuePlace, record
from fencelab_yaml.errors import Mark, Problem, Problems, YamlFileError, did_you_mean, listed
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, child, parse

FORMAT: Final = "scenario/1"
NAMES_A_BMC: Final = ("bmc", "to")
"""Fields of preconditions whose value is the name of a BMC."""


class ScenarioFileError(Exception):
    """The file cannot be used; whoever wrote it has to change it. `str()` is one line per problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return str(YamlFileError(self.problems))


def read_all(files: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios in these files, in their order. Raises ScenarioFileError with every mistake in all of them.

    An id of the catalogue is taken. A file that says just what the catalogue's scenario says stands for that one.
    """
    problems: list[Problem] = []
    read: dict[str, Scenario] = {}
    homes: dict[str, str] = {}
    for file in dict.fromkeys(files):
        try:
            found = read_file(file)
        except ScenarioFileError as error:
            problems += error.problems
            continue
        ours = scenarios.REGISTRY.get(found.id)
        other = homes.setdefault(found.id, file)
        read.setdefault(found.id, found if ours is None else ours)
        if ours is not None and ours != found:
            problems.append(Problem(Mark(file), "id", f"{found.id} is a scenario of the catalogue; give yours another id"))
        elif other != file:
            problems.append(Problem(Mark(file), "id", f"{found.id} is the scenario in {other}; give this one another id"))
    if problems:
        raise ScenarioFileError(problems)
    return tuple(read.values())


def read_file(file: str) -> Scenario:
    """The scenario in a file. Raises ScenarioFileError with every mistake in it."""
    try:
        data = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ScenarioFileError((Problem(Mark(file), "", f"cannot be read: {why}"),)) from None
    return read(data, file)


def read(data: bytes, file: str) -> Scenario:
    """The scenario in the text of a file. Raises ScenarioFileError with every mistake in it."""
    problems = Problems("scenario file")
    try:
        root = parse(data, file, problems)
        made = _scenario(ValuePlace(root, "", problems), root)
        problems.raise_any()
    except YamlFileError as error:
        raise ScenarioFileError(error.problems) from None
    assert isinstance(made, Scenario)  # whatever leaves none behind is a problem
    return dataclasses.replace(made, file=file)


def _scenario(here: ValuePlace, root: YamlMap) -> object:
    schema = root.entries.get("schema")
    if schema is None:
        here.bad(f"'schema' is missing: write `schema: {FORMAT}`")
    elif not isinstance(schema, YamlScalar) or schema.value != FORMAT:
        here.inside("schema", schema).bad(f"must be {FORMAT}: this version reads no other form")
    made = record(Scenario, here, besides=("schema",))
    if isinstance(made, Scenario):
        _check_names(made, here, root)
        _check_needs(here, root)
        for number in range(len(made.steps)):
            _check_needs(ask := _item(here, root, "asks", number), ask.node)
        if not made.steps:
            here.inside("asks", root.entries["asks"]).bad("nothing is asked: at least one ask")
        return made
    return UNREAD


def _check_names(made: Scenario, here: ValuePlace, root: YamlMap) -> None:
    """Notes BMCs that are named and not given. A precondition stands behind the BMC that it changes."""
    given: list[str] = []
    for number, each in enumerate(made.given):
        place = _item(here, root, "given", number)
        if isinstance(each, BmcGiven):
            if each.name in given:
                place.bad(f"two BMCs are called '{each.name}'")
            if not each.hosts:
                place.bad("a BMC has at least one host")
            given.append(each.name)
        given += each.hosts if isinstance(each, Cluster) else ()
        given += [each.pdu] if isinstance(each, FedBy) and each.pdu not in given else []
    seen: list[str] = []
    for number, each in enumerate(made.given):
        if isinstance(each, BmcGiven):
            seen.append(each.name)
        seen += each.hosts if isinstance(each, Cluster) else ()
        seen += [each.pdu] if isinstance(each, FedBy) else []
        for name in _named(each):
            if name not in seen:
                why = "stands before its BMC; put it behind" if name in given else "names a BMC that is not given"
                _item(here, root, "given", number).bad(f"'{name}': {why}{_there(name, given)}")
    for number, step in enumerate(made.steps):
        place = _item(here, root, "asks", number)
        for name in (step.bmc, *(name for each in step.told for name in _named(each))):
            if name not in given:
                place.bad(f"'{name}': names a BMC that is not given{_there(name, given)}")


def _check_needs(here: ValuePlace, owner: YamlNode) -> None:
    """Notes capabilities that no fencer can declare, since their names are slips."""
    needs = child(owner, "needs")
    if not isinstance(needs, YamlList):
        return  # none, or `record` has said what is wrong
    for number, item in enumerate(needs.items):
        if isinstance(item, YamlScalar) and (why := capabilities.slip(item.raw)) is not None:
            here.inside("needs", needs).inside(number, item).bad(why)


def _there(name: str, given: Sequence[str]) -> str:
    return "" if name in given else f"{did_you_mean(name, given)}; there are: {listed(given) or 'none'}"


def _named(given: Given) -> Iterator[str]:
    yield from (str(getattr(given, field.name)) for field in fields_of(type(given)) if field.name in NAMES_A_BMC)


def _item(here: ValuePlace, root: YamlMap, key: str, number: int) -> ValuePlace:
    node: YamlNode | None = child(root, key)
    assert node is not None  # it was read
    return here.inside(key, node).inside(number, node.items[number] if isinstance(node, YamlList) else node)
