"""Compares the messages of a profile with the registries that they name. `lint` calls it.

Rules
  1. A message whose registry and version are known must exist there, with that severity, number of arguments and text.
     Where several registries have this prefix and version, one of them must agree in everything.
  2. Where only other versions are known, the nearest one is compared, and what differs is a warning. So is all that differs in a
     message that a parent wrote for another version and this profile only inherits; of these, messages that no reply in use
     sends are not compared.
  3. Where the registry is known only by its name, or in part and the name lies outside, nothing is said.
  4. A prefix that no known registry has is a warning, unless a second message has it too and it is not nearly a known one.
  5. Messages that a profile writes out in bodies are compared in the same way, with their arguments filled in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from fencelab_yaml.errors import Mark, Problem, did_you_mean
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, child, text_of
from profiles import registries, template
from profiles.registries import KnownMessage, KnownRegistry, Version

_HOLE: Final = re.compile(r"\{arg([0-9])\}")
_VAR: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_CODED: Final = re.compile(r"[A-Z]+[0-9]+")  # a number says nothing about its neighbours
_PLACE: Final = re.compile(r"%([0-9])")
_SLIP: Final = 0.75  # prefixes as similar as this differ by a slip of the hand
_CODE: Final = "errors.code"
_ID_ONLY: Final = "none"  # as the text of a message: the vendor sends the id and the arguments only
_ID_KEYS: Final = ("MessageId", "MessageID")
_MESSAGE_OF_REPLY: Final = (("message",), ("task", "message"))
_BODIES: Final = ("replies", "faults", "resources")


class Findings(NamedTuple):
    """`problems` contradict a registry in the version that the profile names; `warnings` the nearest version of it."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """What a profile says of one message, each with its place. None: it does not say this, and it is not compared.

    `text` has `%1` ... where arguments stand, or is a text with its arguments filled in (`filled`).
    """

    path: str
    message_id: str
    place: Mark
    arguments: int | None = None
    severity: str | None = None
    severities: frozenset[str] = frozenset(("Severity", "MessageSeverity"))  # the properties that the severity is sent as
    text: str | None = None
    filled: bool = False
    places: tuple[tuple[str, Mark], ...] = ()
    newest: str = ""  # the file that was checked, not one of its parents
    inherited: tuple[str, Mark] | None = None  # the var that gives the version, where another file writes the message

    def problem(self, key: str, said: str) -> Problem:
        if self.inherited is None:
            places = dict(self.places)
            if "id" in places and key in places and places["id"].file == self.newest != places[key].file:
                key = "id"  # the id is this file's, and what it does not fit is inherited
            written = self.key(key)
            return Problem(places.get(key, self.place), f"{self.path}.{written}" if written else self.path, said)
        var, mark = self.inherited
        here = Path(self.place.file).name
        return Problem(mark, f"vars.{var}", f"{said}; {self.path} at {here}:{self.place.line} is inherited with this version")

    def key(self, key: str) -> str:
        """The key as the profile writes it: in bodies those of Redfish, and none where the path is that of the id itself."""
        if self.path == _CODE:
            return ""
        redfish = {"id": "MessageId", "text": "Message", "severity": "Severity", "args": "MessageArgs"}
        return redfish[key] if self.filled else key


def check(root: YamlMap) -> Findings:
    """Compares all messages of a merged profile. Reads the registries on its first call."""
    problems: list[Problem] = []
    every = tuple(_told(root))
    warnings = list(_unknown_prefixes(every))
    for told in every:
        name = registries.parsed(told.message_id)
        candidates = [known for known in registries.known().get(name.prefix, ()) if known.may_have(name.name)] if name else []
        if name is None or not candidates:
            continue
        exact = [(known, version) for known in candidates for version in known.versions_like(name.version)]
        near = [(known, known.nearest(name.version)) for known in candidates]
        compared = [_against(told, name.name, known, version) for known, version in exact or near]
        wrong, weak = min(compared, key=lambda found: (len(found[0]), len(found[1])))
        problems.extend(wrong if exact else ())
        warnings.extend(weak if exact else (*wrong, *weak))
    return Findings(tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(warnings)))


def _unknown_prefixes(every: Iterable[ToldMessage]) -> Iterator[Problem]:
    """A problem for each place that gives a prefix which no registry has."""
    unknown: dict[str, list[ToldMessage]] = {}
    for told in every:
        name = registries.parsed(told.message_id)
        if name is not None and name.prefix not in registries.prefixes():
            unknown.setdefault(name.prefix, []).append(told)
    for prefix, those in unknown.items():
        slip = _is_slip(prefix)
        if len({told.message_id for told in those}) > 1 and not slip:
            continue
        said = f"no registry '{prefix}' is known{did_you_mean(prefix, registries.prefixes()) if slip else ''}"
        found = {problem.mark: problem for problem in (told.problem("id", said) for told in reversed(those))}
        yield from reversed(found.values())


def _is_slip(prefix: str) -> bool:
    spelt = [known.lower() for known in registries.prefixes()]
    return bool(difflib.get_close_matches(prefix.lower(), spelt, n=1, cutoff=_SLIP))


def _against(told: ToldMessage, name: str, registry: KnownRegistry, version: Version) -> Findings:
    """What the registry says otherwise."""
    where = f"{registry.prefix} {'.'.join(map(str, version))} of {registry.owner}"
    message = registry.message(version, name)
    if message is None:
        hint = "" if _CODED.fullmatch(name) else did_you_mean(name, registry.names(version))
        found: tuple[Problem, ...] = (told.problem("id", f"{where} has no message '{name}'{hint}"),)
    else:
        found = tuple(told.problem(key, f"{where} {said}") for key, said in _differences(told, name, message))
    return Findings((), found) if told.inherited is not None else Findings(found, ())


def _differences(told: ToldMessage, name: str, message: KnownMessage) -> Iterator[tuple[str, str]]:
    if told.text is not None and not _same_text(told, message):
        yield "text", f"says {name}: {message.text}"
    allowed = _severities(told, message)
    if told.severity is not None and told.severity not in allowed:
        yield "severity", f"gives {name} the severity {' or '.join(sorted(allowed))}, not {told.severity}"
    if told.arguments is not None and told.arguments != message.arguments:
        yield "args", f"gives {name} {message.arguments} arguments, not {told.arguments}"


def _same_text(told: ToldMessage, message: KnownMessage) -> bool:
    if not told.filled or told.text is None:
        return told.text == message.text
    parts = _PLACE.split(message.text)[::2]
    return re.fullmatch("(.*)".join(map(re.escape, parts)), told.text, re.DOTALL) is not None


def _severities(told: ToldMessage, message: KnownMessage) -> frozenset[str]:
    by_property = {"Severity": message.severity, "MessageSeverity": message.message_severity}
    return frozenset(by_property[name] for name in told.severities)


def _told(root: YamlMap) -> Iterator[ToldMessage]:
    words = child(root, "vars")
    filled = {name: text for name, node in words.entries.items() if (text := text_of(node))} if isinstance(words, YamlMap) else {}
    messages = child(root, "messages")
    sent_as, used = _sent_severities(root), _used(root)
    for key, node in messages.entries.items() if isinstance(messages, YamlMap) else ():
        if key != "evidence" and isinstance(node, YamlMap):
            told = _of_message(key, node, filled, sent_as)
            inherited = _inherited(child(node, "id"), words)
            if told is not None and (inherited is None or key in used):
                yield replace(told, inherited=inherited, newest=root.mark.file)
    code = child(root, "errors", "code")
    if isinstance(code, YamlScalar) and (text := text_of(code)) is not None:
        yield ToldMessage(_CODE, template.fill(text, filled), code.mark)
    for block in _BODIES:
        for path, body in _maps(child(root, block), block):
            yield from _of_body(path, body, filled)


def _used(root: YamlMap) -> frozenset[str]:
    """The messages of replies that something in the profile names."""
    named = {
        node.value
        for block, top in root.entries.items()
        if block not in ("replies", "messages", "sources")
        for node in _scalars(top)
    }
    replies = child(root, "replies")
    entries = replies.entries if isinstance(replies, YamlMap) else {}
    sent = (text_of(child(node, *path)) for key, node in entries.items() if key in named for path in _MESSAGE_OF_REPLY)
    return frozenset(text for text in sent if text is not None)


def _scalars(node: YamlNode) -> Iterator[YamlScalar]:
    if isinstance(node, YamlScalar):
        yield node
    for inner in node.entries.values() if isinstance(node, YamlMap) else node.items if isinstance(node, YamlList) else ():
        yield from _scalars(inner)


def _inherited(message_id: YamlNode | None, words: YamlNode | None) -> tuple[str, Mark] | None:
    """The var in a MessageId that another file sets than the one that writes the message."""
    text = text_of(message_id)
    if message_id is None or text is None or not isinstance(words, YamlMap):
        return None
    for name in _VAR.findall(text):
        node = words.entries.get(name)
        if node is not None and node.mark.file != message_id.mark.file:
            return name, node.mark
    return None


def _sent_severities(root: YamlMap) -> frozenset[str]:
    fields = child(root, "errors", "fields")
    names = {text_of(item) for item in fields.items} if isinstance(fields, YamlList) else set()
    both = frozenset(("Severity", "MessageSeverity"))
    return both & names or both


def _of_message(key: str, node: YamlMap, words: dict[str, str], severities: frozenset[str]) -> ToldMessage | None:
    message_id = text_of(child(node, "id"))
    if message_id is None:
        return None
    text, args = text_of(child(node, "text")), child(node, "args")
    return ToldMessage(
        f"messages.{key}",
        template.fill(message_id, words),
        node.mark,
        arguments=len(args.items) if isinstance(args, YamlList) else 0,
        severity=text_of(child(node, "severity")),
        severities=severities,
        text=None
        if text in (None, _ID_ONLY)
        else _HOLE.sub(lambda hole: f"%{int(hole.group(1)) + 1}", template.fill(text, words)),
        places=tuple((name, value.mark) for name, value in node.entries.items()),
    )


def _of_body(path: str, body: YamlMap, words: dict[str, str]) -> Iterator[ToldMessage]:
    """A message that is written out in JSON."""
    for key in _ID_KEYS:
        message_id = text_of(child(body, key))
        if message_id is None:
            continue
        args = child(body, "MessageArgs")
        severity = next((name for name in ("Severity", "MessageSeverity") if name in body.entries), None)
        text = text_of(child(body, "Message"))
        ours = {"id": key, "text": "Message", "args": "MessageArgs", "severity": severity or ""}
        yield ToldMessage(
            path,
            template.fill(message_id, words),
            body.entries[key].mark,
            arguments=len(args.items) if isinstance(args, YamlList) else None,
            severity=text_of(child(body, severity)) if severity is not None else None,
            severities=frozenset((severity,)) if severity is not None else frozenset(),
            text=None if text is None else template.fill(text, words),
            filled=True,
            places=tuple((name, body.entries[theirs].mark) for name, theirs in ours.items() if theirs in body.entries),
        )


def _maps(node: YamlNode | None, path: str) -> Iterator[tuple[str, YamlMap]]:
    if isinstance(node, YamlMap):
        yield path, node
        for key, inner in node.entries.items():
            yield from _maps(inner, f"{path}.{key}")
    elif isinstance(node, YamlList):
        for index, inner in enumerate(node.items):
            yield from _maps(inner, f"{path}[{index}]")
