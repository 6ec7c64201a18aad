"""The message registries that the answers and events of a BMC name. Each holds only the messages that this BMC can send.

`service.tree` calls `registries` when a tree is built.
"""

from __future__ import annotations

import re
from typing import Final

from emulator.core.bmc.view import BmcView
from emulator.redfish.events.event_messages import EVENT_MESSAGES
from emulator.redfish.inventory.bios_attributes import FILE as BIOS_FILE
from emulator.redfish.service.error_shapes import DEFAULT_BASE
from emulator.redfish.service.messages import BASE_MESSAGES, available_message
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import Resource, collection, fixed_content, head_of, version_of
from emulator.redfish.service.shapes import Json
from profiles import registries as known_registries
from profiles.model import MessageTemplate, Profile

REGISTRIES: Final = f"{ROOT}/Registries"
FILE_TYPE: Final = "#MessageRegistryFile.v1_1_0.MessageRegistryFile"
REGISTRY_TYPE: Final = "#MessageRegistry.v1_4_0.MessageRegistry"
OWNERS: Final = {"Base": "DMTF", "ResourceEvent": "DMTF", "TaskEvent": "DMTF", "LogEvent": "fencelab"}
_ARGUMENT = re.compile(r"\{arg(\d)\}")
_NO_TEXT: Final = "The vendor sends this message without a text."
_MESSAGE_SEVERITY: Final = (1, 4, 0)
"""The MessageRegistry version in which MessageSeverity took the place of Severity."""
_SEVERITIES: Final = frozenset({"OK", "Warning", "Critical"})


def registries(profile: Profile) -> tuple[Resource, ...]:
    definitions = messages_of(profile)
    bios = (BIOS_FILE,) if profile.feeder is None else ()
    paths = (*(f"{REGISTRIES}/{name}" for name in definitions), *bios)
    listing = collection(REGISTRIES, "MessageRegistryFileCollection", "Registry File Collection", lambda view: paths)
    resources = [listing]
    for name, messages in definitions.items():
        resources += [_file(name), _registry(name, messages, profile)]
    return tuple(resources)


def messages_of(profile: Profile) -> dict[str, dict[str, Json]]:
    """Definitions of messages, by registry ("Base.1.22") and message name."""
    base = f"Base.{profile.vars.get('base', DEFAULT_BASE)}"
    definitions: dict[str, dict[str, Json]] = {base: {}}
    for name, message in BASE_MESSAGES.items():
        if available_message(name, profile.vars.get("base", DEFAULT_BASE)) == name:
            definitions[base][name] = _definition(message.text, message.arguments, message.severity, message.resolution)
    for registry, messages in EVENT_MESSAGES.items():
        definitions[registry] = {
            name: _definition(message.text, message.arguments, message.severity, message.resolution)
            for name, message in messages.items()
        }
    used = {reply.message for reply in profile.replies.values()}
    used |= {reply.task.get("message") for reply in profile.replies.values() if reply.task is not None}
    for key, vendor in profile.messages.items():
        registry, _, name = vendor.id.rpartition(".")
        if key in used and registry and name not in definitions.setdefault(registry, {}):
            definitions[registry][name] = _vendor_definition(vendor)
    return definitions


def _vendor_definition(message: MessageTemplate) -> Json:
    text = _ARGUMENT.sub(lambda hole: f"%{int(hole[1]) + 1}", message.text or "") or _published_text(message.id)
    severity = message.severity if message.severity in _SEVERITIES else "OK"
    return _definition(text, len(message.args), severity or "OK", message.resolution or "None.")


def _published_text(message_id: str) -> str:
    """What the vendor's registry says, where answers show the id alone: the nearest version that is known of it."""
    name = known_registries.parsed(message_id)
    if name is None:
        return _NO_TEXT
    for registry in known_registries.known().get(name.prefix, ()):
        message = registry.message(registry.nearest(name.version), name.name)
        if message is not None and message.text:
            return message.text
    return _NO_TEXT


def _definition(text: str, arguments: int, severity: str, resolution: str) -> Json:
    definition: Json = {
        "Description": text,
        "Message": text,
        "MessageSeverity": severity,
        "NumberOfArgs": arguments,
    }
    if arguments:
        definition["ParamTypes"] = ["string"] * arguments
    return definition | {"Resolution": resolution}


def _with_severity(message: Json) -> Json:
    return {("Severity" if key == "MessageSeverity" else key): value for key, value in message.items()}


def _version(name: str) -> str:
    """ "1.22.0" for "Base.1.22": RegistryVersion always has three parts."""
    parts = name.split(".")[1:]
    return ".".join([*parts, "0", "0", "0"][:3]) if parts else "1.0.0"


def _uri(name: str) -> str:
    return f"{REGISTRIES}/{name}/{name.partition('.')[0]}.{_version(name)}.json"


def _file(name: str) -> Resource:
    path = f"{REGISTRIES}/{name}"

    def body(view: BmcView) -> Json:
        return head_of(path, FILE_TYPE, name, f"{name.partition('.')[0]} Message Registry File") | {
            "Languages": ["en"],
            "Registry": ".".join([name.partition(".")[0], *_version(name).split(".")[:2]]),
            "Location": [{"Language": "en", "Uri": _uri(name)}],
        }

    return Resource(path=path, type=FILE_TYPE, content=fixed_content(body))


def _registry(name: str, messages: dict[str, Json], profile: Profile) -> Resource:
    path = _uri(name)
    prefix, version = name.partition(".")[0], _version(name)
    owner = OWNERS.get(prefix, profile.identity.vendor)
    schema = f"#MessageRegistry.{profile.versions.get('MessageRegistry', '')}.MessageRegistry"
    if "MessageRegistry" in profile.versions and version_of(schema) < _MESSAGE_SEVERITY:
        messages = {key: _with_severity(message) for key, message in messages.items()}

    def body(view: BmcView) -> Json:
        return {
            "@odata.type": REGISTRY_TYPE,
            "Id": f"{prefix}.{version}",
            "Name": f"{prefix} Message Registry",
            "Language": "en",
            "Description": "The messages of this registry that the service can emit",
            "RegistryPrefix": prefix,
            "RegistryVersion": version,
            "OwningEntity": owner,
            "Messages": messages,
        }

    return Resource(path=path, type=REGISTRY_TYPE, content=fixed_content(body))
