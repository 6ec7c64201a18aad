"""What an operator can ask of a manager, as a table: the HTTP API and its OpenAPI document are made of it.

A request is a row in the store; the manager that owns the host answers it (`Manager`). The commands of `fence-ha` write the same
rows.

Rules
  1. `fields` are texts, in the request's `detail` under the same names. A reason is never empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TextField:
    summary: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOperation:
    """One request about one host. `name` is its word in the store, on the command line and in the API."""

    name: str
    summary: str
    fields: Mapping[str, TextField] = field(default_factory=dict)


REASON = TextField("Why; it goes into the timeline. Not empty.")
WHO = TextField("Who signs for it.")

OPERATIONS: tuple[HostOperation, ...] = (
    HostOperation(name="enable", summary="Puts the host under HA; lets a host in again that was Down and answers."),
    HostOperation(name="disable", summary="Takes the host out of HA; cancels an open fence. No command leaves after the answer."),
    HostOperation(
        name="drain",
        summary="Moves the VMs of the host to other hosts, and then takes it out of HA for maintenance; enable ends it.",
    ),
    HostOperation(
        name="confirm",
        summary="Manual fence: somebody has seen that the host is off and signs for it. Refused while its BMC says On.",
        fields=MappingProxyType({"fence_id": TextField("The fence that is open."), "who": WHO, "why": REASON}),
    ),
    HostOperation(
        name="override",
        summary="Lets power commands to a silent host pass the limits, until it is well again.",
        fields=MappingProxyType({"who": WHO, "why": REASON}),
    ),
    HostOperation(
        name="pin",
        summary="The machine or board was replaced: what its BMC shows next is pinned as its identity.",
        fields=MappingProxyType({"who": WHO, "why": REASON}),
    ),
)
BY_NAME: Mapping[str, HostOperation] = MappingProxyType({operation.name: operation for operation in OPERATIONS})


class BadRequest(Exception):
    """The request lacks something or has too much; the text says what."""


def checked(operation: HostOperation, given: Mapping[str, object]) -> dict[str, str]:
    """Returns the request's detail. Raises BadRequest: unknown or missing fields, other things than text, empty text."""
    for name, value in given.items():
        if name not in operation.fields:
            known = ", ".join(operation.fields) or "none"
            raise BadRequest(f"{operation.name} has no field {name!r}; there are: {known}")
        if not isinstance(value, str) or not value.strip():
            raise BadRequest(f"{name} must be a text that is not empty")
    for name, text in operation.fields.items():
        if text.required and name not in given:
            raise BadRequest(f"{operation.name} needs {name}: {text.summary}")
    return {name: str(value) for name, value in given.items()}
