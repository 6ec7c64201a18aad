"""Fencer files: YAML to `Definition`. All mistakes come at once, each as `file:line:column: path: message`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from conformance.adapters.definition import (
    ADAPTERS,
    BMC_KEYS,
    KEYS,
    SPEAKS,
    Definition,
    FencerWay,
    Item,
    ProgramAction,
    Sign,
    placeholders,
)
from conformance.vocabulary import Ask, Cause, Claim, Protocol
from profiles.errors import Mark, Problem, Problems, ProfileError, did_you_mean, listed
from profiles.yaml_source import YamlList, YamlMap, YamlNode, YamlScalar, parse

TOP: Final = ("fencer", "adapter", "command", "actions", "params", "limits", "capabilities", "causes", "over", "recorders")
OVER: Final = ("command", "actions", "params")
ACTION: Final = ("argv", "stdin", "env", "claim", "claims")
SIGN: Final = ("exit", "stdout", "stderr")
LIMITS: Final = ("deadline", "power_timeout")
OTHER_CAPABILITIES: Final = ("basic-auth", "sessions", "ca-file", "validate-all", "list")
FOREIGN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""A capability of which the suite knows nothing asks nothing of it; one that looks like a known one is a slip."""
FUNCTION: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
DEFAULT_DEADLINE: Final = 60.0
PLAIN_CLAIM: Final[Mapping[Ask, Claim]] = {
    Ask.OFF: Claim.OFF, Ask.ON: Claim.ON, Ask.REBOOT: Claim.REBOOTED, Ask.MONITOR: Claim.OK, Ask.METADATA: Claim.OK,
}  # fmt: skip


class FencerFileError(Exception):
    """The file cannot be used; whoever wrote it has to change it. `str()` is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def read(file: Path, *, built_in: bool = False) -> Definition:
    """The fencer in a file. Raises FencerFileError with every mistake in it."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FencerFileError((Problem(Mark(str(file)), "", f"cannot be read: {error.strerror}"),)) from None
    problems = Problems()
    try:
        root = parse(data, str(file), problems)
        definition = _Reader(file, problems).definition(root, hashlib.sha256(data).hexdigest()[:16], built_in)
        problems.raise_any()
    except ProfileError as error:
        raise FencerFileError(tuple(_reworded(p) for p in error.problems)) from None
    return definition


def _reworded(problem: Problem) -> Problem:
    # The YAML reader is shared with profiles and calls every file one.
    words = problem.message.replace("a profile is a map", "a fencer file is a map").replace(
        "one profile per file", "one fencer per file"
    )
    return Problem(problem.mark, problem.path, words.replace("not a profile", "not a fencer file"))


@dataclass(slots=True)
class _Parts:
    """What `command`, `params` and `actions` say in one place of the file."""

    command: tuple[Item, ...] | None
    params: dict[str, str | None]
    actions: dict[Ask, ProgramAction]
    functions: dict[Ask, str]


class _Reader:
    def __init__(self, file: Path, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._adapter = ""

    # -- the file as a whole -------------------------------------------------------------------------------------------

    def definition(self, root: YamlMap, digest: str, built_in: bool) -> Definition:
        self._known(root, "", TOP)
        name = self._word(root, "fencer") or self._file.stem
        adapter = self._word(root, "adapter")
        if adapter is not None and adapter not in ADAPTERS:
            self._bad(
                root.entries["adapter"],
                "adapter",
                f"no such adapter{did_you_mean(adapter, ADAPTERS)}; there are: {listed(ADAPTERS)}",
            )
        self._adapter = adapter or ""
        base = self._parts(root, "")
        wanted = "actions" if adapter == "exec" else "command"
        if not (base.actions if adapter == "exec" else base.command or base.functions):
            self._bad(root, wanted, f"missing: the adapter {adapter or '(none)'} needs it")
        capabilities = self._capabilities(root)
        ways = self._ways(root, base, capabilities)
        limits = self._limits(root)
        return Definition(
            name=name,
            adapter=self._adapter,
            file=self._file,
            ways=ways,
            asks=self._asks(base, capabilities),
            capabilities=capabilities,
            deadline=limits.get("deadline", DEFAULT_DEADLINE),
            limits=MappingProxyType(limits),
            causes=self._causes(root),
            recorders=MappingProxyType({k: v for k, v in self._texts(root, "recorders", "").items() if v is not None}),
            digest=digest,
            built_in=built_in,
        )

    def _ways(self, root: YamlMap, base: _Parts, capabilities: frozenset[str] | None) -> Mapping[Protocol, FencerWay]:
        over = root.entries.get("over")
        changes = dict(self._over(over)) if over is not None else {}
        plain = _merged(base, _Parts(None, {}, {}, {}))
        spoken = {SPEAKS[name] for name in plain.placeholders() if name in SPEAKS}
        named = {p for p in Protocol if capabilities is not None and p in capabilities}
        protocols = named or spoken | set(changes)
        if not protocols and self._adapter == "python":
            protocols = {Protocol.REDFISH}  # it is handed all names of the BMC, whatever it uses
        if not protocols:
            self._bad(root, "", "names no port: use {bmc.url}, {bmc.port} or {bmc.ipmi_port}, or it cannot reach an emulated BMC")
        return MappingProxyType({p: _merged(base, changes[p]) if p in changes else plain for p in sorted(protocols)})

    def _over(self, node: YamlNode) -> list[tuple[Protocol, _Parts]]:
        found: list[tuple[Protocol, _Parts]] = []
        for key, value in self._map(node, "over").items():
            if key not in list(Protocol):
                self._bad(value, f"over.{key}", f"no such protocol; there are: {listed(Protocol)}")
            elif isinstance(value, YamlMap):
                self._known(value, f"over.{key}", OVER)
                found.append((Protocol(key), self._parts(value, f"over.{key}.")))
            else:
                self._bad(value, f"over.{key}", "must be a map")
        return found

    def _parts(self, node: YamlMap, path: str) -> _Parts:
        command = node.entries.get("command")
        actions: dict[Ask, ProgramAction] = {}
        functions: dict[Ask, str] = {}
        if (listed_actions := node.entries.get("actions")) is not None:
            for key, value in self._map(listed_actions, f"{path}actions").items():
                if key not in list(Ask):
                    self._bad(value, f"{path}actions.{key}", f"no such action{did_you_mean(key, Ask)}; there are: {listed(Ask)}")
                elif self._adapter == "python":
                    functions[Ask(key)] = self._function(value, f"{path}actions.{key}", self._line(value, f"{path}actions.{key}"))
                elif (action := self._action(value, f"{path}actions.{key}", Ask(key))) is not None:
                    actions[Ask(key)] = action
        line = None if command is None else self._line(command, f"{path}command")
        if command is not None and self._adapter == "python":
            self._function(command, f"{path}command", line or ())
        return _Parts(line, self._texts(node, "params", path), actions, functions)

    def _asks(self, base: _Parts, capabilities: frozenset[str] | None) -> frozenset[Ask]:
        possible = frozenset(Ask) if base.command and self._adapter != "exec" else frozenset({*base.actions, *base.functions})
        named = frozenset(ask for ask in Ask if capabilities is not None and ask in capabilities)
        return possible & named if named else possible

    # -- actions -------------------------------------------------------------------------------------------------------

    def _action(self, node: YamlNode, path: str, ask: Ask) -> ProgramAction | None:
        if not isinstance(node, YamlMap):
            self._bad(node, path, "must be a map with argv")
            return None
        self._known(node, path, ACTION)
        argv = node.entries.get("argv")
        if argv is None:
            self._bad(node, f"{path}.argv", "missing")
            return None
        stdin = node.entries.get("stdin")
        env = self._texts(node, "env", f"{path}.")
        return ProgramAction(
            argv=self._line(argv, f"{path}.argv"),
            stdin="" if stdin is None else self._text(stdin, f"{path}.stdin") or "",
            env=MappingProxyType({key: text for key, text in env.items() if text is not None}),
            signs=self._signs(node, path, ask),
        )

    def _function(self, node: YamlNode, path: str, line: tuple[Item, ...]) -> str:
        if len(line) != 1 or not isinstance(line[0], str) or not FUNCTION.fullmatch(line[0]):
            self._bad(node, path, "must name a function as module:function")
            return ""
        return line[0]

    def _signs(self, node: YamlMap, path: str, ask: Ask) -> tuple[tuple[Claim, Sign], ...]:
        signs: list[tuple[Claim, Sign]] = []
        if (claim := node.entries.get("claim")) is not None:
            if ask is Ask.STATUS:
                self._bad(claim, f"{path}.claim", "status has two answers: use claims: {on: ..., off: ...}")
            else:
                signs.append((PLAIN_CLAIM[ask], self._sign(claim, f"{path}.claim")))
        if (claims := node.entries.get("claims")) is not None:
            for key, value in self._map(claims, f"{path}.claims").items():
                if key not in list(Claim):
                    self._bad(value, f"{path}.claims.{key}", f"no such claim; there are: {listed(Claim)}")
                else:
                    signs.append((Claim(key), self._sign(value, f"{path}.claims.{key}")))
        if not signs and ask is Ask.STATUS:
            self._bad(node, f"{path}.claims", "missing: by what are on and off told apart?")
        return tuple(signs) or ((PLAIN_CLAIM.get(ask, Claim.FAILED), Sign(exits=(0,))),)

    def _sign(self, node: YamlNode, path: str) -> Sign:
        if not isinstance(node, YamlMap):
            self._bad(node, path, "must be a map of exit, stdout, stderr")
            return Sign()
        self._known(node, path, SIGN)
        exits = node.entries.get("exit")
        values = exits.items if isinstance(exits, YamlList) else () if exits is None else (exits,)
        numbers: list[int] = []
        for value in values:
            if isinstance(value, YamlScalar) and type(value.value) is int:
                numbers.append(value.value)
            else:
                self._bad(value, f"{path}.exit", "must be a number or a list of numbers")
        return Sign(
            exits=tuple(numbers),
            stdout=self._pattern(node.entries.get("stdout"), f"{path}.stdout"),
            stderr=self._pattern(node.entries.get("stderr"), f"{path}.stderr"),
        )

    # -- smaller things ------------------------------------------------------------------------------------------------

    def _capabilities(self, root: YamlMap) -> frozenset[str] | None:
        node = root.entries.get("capabilities")
        if node is None:
            return None
        known = (*Ask, *Protocol, *OTHER_CAPABILITIES)
        if not isinstance(node, YamlList):
            self._bad(node, "capabilities", "must be a list")
            return frozenset()
        words: set[str] = set()
        for number, item in enumerate(node.items):
            word = self._text(item, f"capabilities[{number}]")
            if word is not None and word not in known and (not FOREIGN.fullmatch(word) or did_you_mean(word, known)):
                self._bad(
                    item, f"capabilities[{number}]", f"no such capability{did_you_mean(word, known)}; there are: {listed(known)}"
                )
            elif word is not None:
                words.add(word)
        return frozenset(words)

    def _limits(self, root: YamlMap) -> dict[str, float]:
        node = root.entries.get("limits")
        if node is None:
            return {}
        limits: dict[str, float] = {}
        for key, value in self._map(node, "limits").items():
            if key not in LIMITS:
                self._bad(value, f"limits.{key}", f"no such limit{did_you_mean(key, LIMITS)}; there are: {listed(LIMITS)}")
            elif not isinstance(value, YamlScalar) or type(value.value) not in (int, float) or not 0 < float(value.raw) <= 3600:
                self._bad(value, f"limits.{key}", "must be a number of seconds, more than 0 and at most 3600")
            else:
                limits[key] = float(value.raw)
        return limits

    def _causes(self, root: YamlMap) -> Mapping[Cause, re.Pattern[str]] | None:
        node = root.entries.get("causes")
        if node is None:
            return None
        causes: dict[Cause, re.Pattern[str]] = {}
        for key, value in self._map(node, "causes").items():
            if key not in list(Cause):
                self._bad(value, f"causes.{key}", f"no such cause{did_you_mean(key, Cause)}; there are: {listed(Cause)}")
            elif (pattern := self._pattern(value, f"causes.{key}")) is not None:
                causes[Cause(key)] = pattern
        return MappingProxyType(causes)

    def _pattern(self, node: YamlNode | None, path: str) -> re.Pattern[str] | None:
        if node is None or (text := self._text(node, path)) is None:
            return None
        try:
            return re.compile(text, re.MULTILINE)
        except re.error as error:
            self._bad(node, path, f"not a regular expression: {error}")
            return None

    def _line(self, node: YamlNode, path: str) -> tuple[Item, ...]:
        if isinstance(node, YamlScalar):
            text = self._text(node, path)
            return () if text is None else (text,)
        items: list[Item] = []
        for number, item in enumerate(node.items if isinstance(node, YamlList) else ()):
            where = f"{path}[{number}]"
            if isinstance(item, YamlList):
                group = [self._text(part, f"{where}[{n}]") for n, part in enumerate(item.items)]
                items.append(tuple(part for part in group if part is not None))
            elif (text := self._text(item, where)) is not None:
                items.append(text)
        if not items:
            self._bad(node, path, "must be a list of arguments; a group that stands or falls together is a list in the list")
        return tuple(items)

    def _texts(self, root: YamlMap, key: str, path: str) -> dict[str, str | None]:
        node = root.entries.get(key)
        if node is None:
            return {}
        return {
            name: None
            if isinstance(value, YamlScalar) and value.value is None and value.raw != ""
            else self._text(value, f"{path}{key}.{name}")
            for name, value in self._map(node, f"{path}{key}").items()
        }

    def _text(self, node: YamlNode, path: str) -> str | None:
        if not isinstance(node, YamlScalar) or isinstance(node.value, bool) or node.value is None:
            self._bad(
                node, path, "must be text" + (f': quote it ("{node.raw}")' if isinstance(node, YamlScalar) and node.raw else "")
            )
            return None
        for name in sorted(placeholders(node.raw) - KEYS):
            self._bad(node, path, f"no such placeholder {{{name}}}; there are: {listed('{bmc.' + key + '}' for key in BMC_KEYS)}")
        return node.raw

    def _word(self, root: YamlMap, key: str) -> str | None:
        node = root.entries.get(key)
        if node is None:
            self._bad(root, key, "missing")
            return None
        return self._text(node, key)

    def _map(self, node: YamlNode, path: str) -> Mapping[str, YamlNode]:
        if not isinstance(node, YamlMap):
            self._bad(node, path, "must be a map")
            return {}
        return node.entries

    def _known(self, node: YamlMap, path: str, known: tuple[str, ...]) -> None:
        for key, mark in node.keys.items():
            if key not in known:
                where = f"{path}.{key}" if path else key
                self._problems.add(mark, where, f"no such key{did_you_mean(key, known)}; there are: {listed(known)}")

    def _bad(self, node: YamlNode, path: str, message: str) -> None:
        self._problems.add(node.mark, path, message)


def _merged(base: _Parts, over: _Parts) -> FencerWay:
    params = {**base.params, **over.params}
    return FencerWay(
        command=base.command or () if over.command is None else over.command,
        params=MappingProxyType({key: text for key, text in params.items() if text is not None}),
        actions=MappingProxyType({**base.actions, **over.actions}),
        functions=MappingProxyType({**base.functions, **over.functions}),
    )
