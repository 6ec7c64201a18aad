"""Takes out of a ResourceTree what names one machine or its owner, and puts values of the same form there. Pure.

Theory
  Two passes. The first finds the values: by the key that they stand at (SerialNumber, HostName, Password ...) and by their form
  (MAC addresses, UUIDs, IP and mail addresses). The second replaces them wherever they occur, in keys, texts and paths too: a
  serial number is often a part of an id, and a log entry names hosts and users. Equal values get equal replacements.

  What stays: versions and part numbers, which name a product; the user names that makers ship; loopback, link-local and empty
  addresses; the maker's part of a MAC address; message registries, which say the same on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from emulator.profile_tools.json_values import Json, JsonObject, pairs, text_at
from emulator.profile_tools.resource_tree import MissingResource, ResourceTree
from emulator.profile_tools.same_shape import Shapes

SHIPPED_USERS: Final = frozenset(
    {
        "root",
        "admin",
        "administrator",
        "userid",
        "sysadmin",
        "anonymous",
        "ipmi",
        "service",
        "operator",
        "user",
        "readonly",
        "superuser",
    }
)
"""User names that makers ship, in small letters: facts of the vendor."""

SERIAL_KEY: Final = re.compile(r"(?i)(serial_?number|serial_?no|servicetag|asset_?tag|expressservicecode|svctag|barcode)$")
SECRET_KEY: Final = re.compile(
    r"(?i)((?<!policy)(?<!#Manager.Reset)password|passwd|pwd|passcode|passphrase|secret|token|cookie|authorization|sessionkey|api_?key"
    r"|private_?key|license_?key|licensenumber|community(?:string|name)?|presharedkey|psk|encryptionkey|auth(?:entication)?key"
    r"|access_?key|publickey|certificatestring|keystring|sshkey|oidkey|activationkey|bind_?dn|distinguishedname|^key)s?$"
)
HOST_KEY: Final = re.compile(r"(?i)(hostname|fqdn|dnsracname|dnsname|domainname|systemname|servername|dnsbmcname|racname)$")
ACCOUNT_KEY: Final = re.compile(r"(?i)(user_?name|account_?name|login_?name)$")
WWN_KEY: Final = re.compile(r"(?i)(wwn|wwpn|wwnn|worldwidename|guid)$")
USER_KEY: Final = re.compile(r"(?i)(username|accountname|createdby|emailaddress|contactname|contact|(?<!signature)owner)$")
PLACE_KEY: Final = re.compile(
    r"(?i)(phone|phonenumber)$|^(street|city|territory|postalcode|building|room|row|rackname|contactinfo|datacenter|roomname|aisle|rack)$"
)
VERSION_KEY: Final = re.compile(r"(?i)(version|revision|firmware)")

MAC: Final = re.compile(r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4,18}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])")
UUID: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
IPV4: Final = re.compile(
    r"(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w-]|\.\d)"
)
IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){0,7}(?![\w:])|(?<![\w:.])[0-9A-Fa-f]{1,4}::(?:[0-9A-Fa-f]{1,4}:?){1,6}(?![\w:])"
)
PRIVATE_NAME: Final = re.compile(r"(?<![\w.-])(?:[\w-]+\.)+(?:local|lan|internal|intra|corp|home)(?![\w-])")
PRODUCT_KEY: Final = re.compile(r"(?i)^(uefisignatureowner|deviceclass|targets|softwareid|eventid)$")
"""UUIDs at these keys name products and kinds, not machines."""
TOLD_KEY: Final = re.compile(r"(?i)^(message|messageargs|description)$")
MAIL: Final = re.compile(r"[\w.+-]+@(?!odata|Redfish|Message|openssh|libssh)[\w-]+\.[\w.-]*\w")
RUN: Final = re.compile(r"[A-Za-z0-9]+")
NAME: Final = re.compile(r"[\w.-]*\w")
BARE_MAC: Final = re.compile(r"[0-9A-Fa-f]{12}")
BARE_WWN: Final = re.compile(r"(0x)?[0-9A-Fa-f]{16}")
DOTTED_MAC: Final = re.compile(r"(?<![\w.])[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![\w.])")
IQN: Final = re.compile(r"(?<=iqn\.)(\d{4}-\d{2}\.)([\w.:-]*\w)")
ENUMERATED: Final = re.compile(r"(?:[A-Z][a-z]+)+")
SENTENCE: Final = re.compile(r"[\s=@]|://|/Accounts/")
"""Marks of a text in which the name of an account may stand; in a single word it is more likely another thing of that name."""

_IPV4_THAT_STAYS: Final = re.compile(r"0\.0\.0\.0|127\.|255\.|169\.254\.|2(?:2[4-9]|3\d)\.")
_NO_VALUE: Final = frozenset(
    (
        *("", "n/a", "na", "no", "none", "null", "unknown", "empty", "default", "localhost", "not available", "not specified"),
        *("not present", "not provided", "default string", "no asset tag", "system serial number", "chassis serial number"),
        *("enabled", "disabled", "true", "false", "yes", "system", "srv:system", "to be filled by o.e.m."),
    )
)
_MOST_COMPOSITE: Final = 2000
_MOST_KNOWN: Final = 100_000


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The tree without secrets, and how many different values were replaced."""

    tree: ResourceTree
    replaced: int


def scrubbed(tree: ResourceTree, seed: bytes, secrets: Iterable[str] = ()) -> Scrubbed:
    """The scrubbed tree. `secrets` are replaced wherever they occur, whatever their form: the credentials of this capture."""
    scrubber = Scrubber(seed, secrets)
    for body in tree.resources.values():
        scrubber.learn(body)
    resources: dict[str, JsonObject] = {}
    for path, body in tree.resources.items():
        resources[scrubber.text(path)] = scrubber.body(body)
    headers = {name: scrubber.text(value) for name, value in tree.headers.items()}
    troubles = tuple(MissingResource(scrubber.text(each.path), scrubber.text(each.why)) for each in tree.troubles)
    clean = replace(tree, resources=resources, troubles=troubles, headers=headers)
    return Scrubbed(clean, scrubber.replaced)


class Scrubber:
    """Learns values first, then replaces them. One for all that comes from one BMC."""

    def __init__(self, seed: bytes, secrets: Iterable[str] = ()) -> None:
        self._shapes = Shapes(seed)
        self._versions: set[str] = set()
        self._runs: dict[str, str] = {}
        self._composites: dict[str, str] = {}
        self._hosts: dict[str, None] = {}
        self._users: dict[str, str] = {}
        self._accounts: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._finder: re.Pattern[str] | None = None
        self._found: set[str] = set()
        self._known: dict[str, str] = {}
        for secret in secrets:
            if secret:
                self._secrets[secret] = self._shapes.secret(secret)

    @property
    def replaced(self) -> int:
        return len(self._found)

    @property
    def is_full(self) -> bool:
        """Whether so many values are known that no more should be learnt: a client of a proxy can send new ones for ever."""
        return self._shapes.count > _MOST_KNOWN

    def learn(self, body: Json) -> None:
        """Notes the values in a body that stand at telling keys."""
        for key, value in pairs(body):
            if isinstance(value, str):
                self._learn(key, value)
        self._finder = None
        self._known.clear()

    def _learn(self, key: str, value: str) -> None:
        word = value.strip()
        if VERSION_KEY.search(key):
            self._versions.update(match.group() for match in IPV4.finditer(word))
        elif word.lower() in _NO_VALUE or set(word) <= set("0xX-*. "):
            return
        elif SECRET_KEY.search(key):
            self._note(word, self._shapes.secret(word), is_secret=True)
        elif SERIAL_KEY.search(key):
            self._note(word, self._shapes.serial(word))
        elif key.lower().endswith("macaddress") and (BARE_MAC.fullmatch(word) or MAC.fullmatch(word)):
            self._note_mac(word)
        elif WWN_KEY.search(key) and BARE_WWN.fullmatch(word):
            self._note(word, self._shapes.mac(word))
        elif HOST_KEY.search(key) and not IPV4.fullmatch(word):
            self._hosts[word] = None
        elif USER_KEY.search(key) and self._is_private_user(word):
            self._users[word] = self._shapes.word(word, "user")
            self._note(word, self._shapes.word(word, "user"))
            if ACCOUNT_KEY.search(key):
                self._accounts[word] = self._users[word]

    def _note(self, word: str, new: str, *, is_secret: bool = False) -> None:
        """A value that is replaced in other places too, if it cannot be taken for an ordinary word."""
        is_telling = any(sign.isdigit() or sign in "-._=,@:/+" for sign in word) or (is_secret and len(word) > 7)
        if len(word) < 6 or not is_telling or word in self._versions or ENUMERATED.fullmatch(word):
            return
        if word.isalnum() and word.isascii():
            self._runs.setdefault(word, new)
        elif len(self._composites) < _MOST_COMPOSITE:
            self._composites.setdefault(word, new)

    def _note_mac(self, word: str) -> None:
        """A MAC address, which may be a part of ids without its colons."""
        bare = re.sub(r"[:-]", "", word)
        if len(bare) == 12 and set(bare) - set("0fF"):
            for each in (bare.upper(), bare.lower()):
                self._runs.setdefault(each, self._shapes.mac(each))

    def body(self, body: JsonObject) -> JsonObject:
        """A copy of a body without what was learned and without what its form gives away."""
        if "#MessageRegistry." in (text_at(body, "@odata.type") or ""):
            return self._without_secrets(body)
        if "#ManagerAccount." in (text_at(body, "@odata.type") or ""):  # its Id is often the name
            named = {key: self._account(name) for key in ("Id", "Name") if (name := text_at(body, key)) is not None}
            body = {**body, **named}
        return {self.text(name): self.value(each, name) for name, each in body.items()}

    def value(self, value: Json, key: str = "") -> Json:
        """As `body`, for the value of a key."""
        if isinstance(value, dict):
            return self.body(value)
        if isinstance(value, list):
            return [self.value(each, key) for each in value]
        return self._at_key(key, value) if isinstance(value, str) else value

    def _at_key(self, key: str, value: str) -> str:
        word = value.strip()
        if word.lower() in _NO_VALUE or set(word) <= set("0xX-*. "):
            return value
        if SECRET_KEY.search(key):
            return self._replaced(value, self._shapes.secret(value))
        if SERIAL_KEY.search(key):
            clean = self.text(value)
            return clean if clean != value else self._replaced(value, self._shapes.serial(value))
        if HOST_KEY.search(key) and not IPV4.fullmatch(word):
            clean = self.text(value)
            return clean if clean != value else self._replaced(value, self._shapes.word(word, "host"))
        if USER_KEY.search(key) and self._is_private_user(word):
            clean = self.text(value)
            return clean if clean != value else self._replaced(value, self._shapes.word(word, "user"))
        if PLACE_KEY.search(key):
            return self._replaced(value, self._shapes.word(word, "place"))
        if PRODUCT_KEY.search(key):
            return self._known_values(value)
        if TOLD_KEY.search(key) and self._users:
            value = NAME.sub(lambda match: self._user(match.group()), value)
        return self.text(value)

    def text(self, text: str) -> str:
        """A text without what was learned and without MAC, IP and mail addresses and UUIDs."""
        if len(text) < 4 or text.startswith("#"):
            return text
        known = self._known.get(text)
        if known is None:
            known = self._clean(text)
            if len(self._known) < _MOST_KNOWN:
                self._known[text] = known
        return known

    @staticmethod
    def _is_private_user(word: str) -> bool:
        return word.lower() not in SHIPPED_USERS and not word.startswith(("/", "%")) and "@" not in word

    def _user(self, name: str) -> str:
        new = self._users.get(name)
        return name if new is None else self._replaced(name, new)

    def _account(self, name: str) -> str:
        new = self._accounts.get(name)
        return name if new is None else self._replaced(name, new)

    def known(self, text: str) -> str:
        """A text without what was learned; what only its form gives away stays."""
        return self._known_values(text)

    def _known_values(self, text: str) -> str:
        pattern = self._pattern()
        if pattern is not None:
            text = pattern.sub(lambda match: self._replaced(match.group(), self._composites[match.group()]), text)
        if self._runs:
            text = RUN.sub(lambda match: self._run(match.group()), text)
        if self._accounts and SENTENCE.search(text):
            text = NAME.sub(lambda match: self._account(match.group()), text)
        return text

    def _clean(self, text: str) -> str:
        text = self._known_values(text)
        if "-" in text or ":" in text:
            text = UUID.sub(lambda match: self._replaced(match.group(), self._shapes.uuid(match.group())), text)
            text = MAC.sub(lambda match: self._replaced(match.group(), self._shapes.mac(match.group())), text)
        if ":" in text:
            text = IPV6.sub(lambda match: match.group() if MAC.fullmatch(match.group()) else self._ipv6(match.group()), text)
        if "." in text:
            text = IQN.sub(lambda match: match[1] + self._replaced(match[2], self._shapes.secret(match[2])), text)
            text = DOTTED_MAC.sub(lambda match: self._dotted(match.group()), text)
            text = IPV4.sub(lambda match: self._ipv4(match.group()), text)
            text = PRIVATE_NAME.sub(lambda match: self._replaced(match.group(), self._shapes.word(match.group(), "host")), text)
            text = MAIL.sub(self._mail, text) if "@" in text else text
        return text

    def _pattern(self) -> re.Pattern[str] | None:
        """Finds secrets, host names and other values that are more than one run of letters and digits; None without any."""
        if self._finder is None:
            self._composites |= self._secrets
            for host in self._hosts:
                label, dot, domain = host.partition(".")
                named = RUN.sub(lambda match: self._runs.get(match.group(), match.group()), label)
                new = named if named != label else self._shapes.word(label, "host")
                if dot and "." in domain:
                    elsewhere = f"{self._shapes.word(domain, 'domain')}.example"
                    self._note(domain, elsewhere)
                    self._note(host, f"{new}.{elsewhere}")
                else:
                    self._note(host, new if not dot else f"{new}.{domain}")
            words = sorted(self._composites, key=len, reverse=True)
            self._finder = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" for word in words))
        return self._finder if self._composites else None

    def _without_secrets(self, body: JsonObject) -> JsonObject:
        written = json.dumps(body)
        if not any(json.dumps(secret)[1:-1] in written for secret in self._secrets):
            return body
        for secret, other in self._secrets.items():
            written = written.replace(json.dumps(secret)[1:-1], json.dumps(other)[1:-1])
        clean = json.loads(written)
        assert isinstance(clean, dict)
        return clean

    def _run(self, run: str) -> str:
        new = self._runs.get(run)
        return run if new is None else self._replaced(run, new)

    def _dotted(self, address: str) -> str:
        """`3cec.ef12.3456`, if it is a MAC address that was seen in another spelling; else it may be a version."""
        bare = address.replace(".", "")
        new = self._runs.get(bare)
        return address if new is None else self._replaced(address, ".".join((new[:4], new[4:8], new[8:])))

    def _ipv4(self, address: str) -> str:
        if address in self._versions or _IPV4_THAT_STAYS.match(address):
            return address
        return self._replaced(address, self._shapes.ipv4(address))

    def _ipv6(self, address: str) -> str:
        digits = address.replace(":", "")
        if (
            set(digits) <= {"0", "1"}
            or len(digits) < 5
            or address.count(":") < 3
            or ("::" not in address and address.count(":") != 7)
        ):
            return address
        return self._replaced(address, self._shapes.ipv6(address))

    def _mail(self, match: re.Match[str]) -> str:
        return self._replaced(match.group(), f"{self._shapes.word(match.group(), 'user')}@example.com")

    def _replaced(self, old: str, new: str) -> str:
        if old != new:
            self._found.add(old)
        return new
