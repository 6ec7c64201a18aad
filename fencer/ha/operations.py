"""What an operator can ask of a manager, as a table: the HTTP API and its OpenAPI document are made of it.

A request is a row in the store; the manager that owns the host answers it, or any manager if it is about a VM. The commands of
`fence-ha` write the same rows.

Rules
  1. `fields` are texts, in the request's `detail` under the same names. A text that must be given is never empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fencer.ha.vm_turn import CLUSTER


class OperationScope(StrEnum):
    """What a request is about. `pattern`: its path in the API, before the name of the operation."""

    HOST = "host"
    VM = "vm"

    @property
    def pattern(self) -> str:
        return "/v1/hosts/{name}" if self is OperationScope.HOST else "/v1/vms/{name}"


@dataclass(frozen=True, slots=True)
class TextField:
    """`pattern`: a regular expression that the whole text fits, where it is given and not empty."""

    summary: str
    required: bool = True
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """One kind of request. `name` is its word on the command line and in the API; `what` its word in the store.

    `wait_s`: how long an answer is waited for. `withdrawn`: a request without an answer by then is taken back, and never granted.
    """

    name: str
    what: str
    summary: str
    scope: OperationScope = OperationScope.HOST
    fields: Mapping[str, TextField] = field(default_factory=dict)
    wait_s: float = 10.0
    withdrawn: bool = False

    @property
    def pattern(self) -> str:
        return f"{self.scope.pattern}/{self.name}"

    def request(self, name: str, detail: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Under which host the request is stored, and its detail."""
        return (name, dict(detail)) if self.scope is OperationScope.HOST else (CLUSTER, {"vm": name, **detail})


def _fields(**fields: TextField) -> Mapping[str, TextField]:
    return MappingProxyType(fields)


NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
NAMES = f"{NAME}(,{NAME})*"
REASON = TextField("Why; it goes into the timeline. Not empty.")
WHO = TextField("Who signs for it.")

ACTIONS: tuple[OperatorAction, ...] = (
    OperatorAction(
        name="enable", what="enable", summary="Puts the host under HA; lets one in again that was Down and answers; ends a drain."
    ),
    OperatorAction(
        name="disable", what="disable", summary="Takes the host out of HA; cancels an open fence. No command leaves any more.",
        wait_s=20.0,
    ),
    OperatorAction(
        name="confirm",
        what="confirm",
        summary="Manual fence: somebody has seen that the host is off and signs for it. Refused while its BMC says On.",
        fields=_fields(fence_id=TextField("The fence that is open."), who=WHO, why=REASON),
        wait_s=30.0,
        withdrawn=True,
    ),
    OperatorAction(
        name="fence",
        what="fence",
        summary="Fences a silent host now, without activity samples or a recovery. Proof and limits are those of every fence.",
        fields=_fields(who=WHO, why=REASON),
        wait_s=30.0,
        withdrawn=True,
    ),
    OperatorAction(
        name="cancel",
        what="cancel",
        summary="Ends the fence that is open, without a proof. No power command leaves before the host is Available again.",
        fields=_fields(who=WHO, why=REASON, fence_id=TextField("Only this fence; without it whichever is open.", required=False)),
        wait_s=20.0,
    ),
    OperatorAction(
        name="override",
        what="override",
        summary="Lets power commands to a silent host pass the limits, until it is well again.",
        fields=_fields(who=WHO, why=REASON),
        wait_s=30.0,
        withdrawn=True,
    ),
    OperatorAction(
        name="pin",
        what="pin",
        summary="The machine or board was replaced: what its BMC shows next is pinned as its identity.",
        fields=_fields(who=WHO, why=REASON),
        wait_s=30.0,
        withdrawn=True,
    ),
    OperatorAction(name="drain", what="drain", summary="Moves the VMs of the host to other hosts, before maintenance."),
    OperatorAction(
        name="retry", what="vm-retry", scope=OperationScope.VM, summary="Tries a VM now that waits, failed or was given up."
    ),
    OperatorAction(
        name="move",
        what="vm-move",
        scope=OperationScope.VM,
        summary="Stops the VM and starts it on another host.",
        fields=_fields(to=TextField("The host.", pattern=NAME)),
    ),
    OperatorAction(
        name="remove", what="vm-remove", scope=OperationScope.VM, summary="Takes the VM out of HA; it goes on running."
    ),
    OperatorAction(
        name="add",
        what="vm-add",
        scope=OperationScope.VM,
        summary="Puts a VM under HA. Without `host` it is started.",
        fields=_fields(
            host=TextField("Where it runs already.", required=False, pattern=NAME),
            hosts=TextField("Where it may be started, best first: names and commas.", required=False, pattern=NAMES),
            priority=TextField("A whole number; greater ones start first.", required=False, pattern=r"-?[0-9]{1,9}"),
            system=TextField("true: a system VM; they start before all others.", required=False, pattern="true|false"),
            apart=TextField("VMs with the same word never share a host.", required=False, pattern=NAME),
        ),
    ),
)  # fmt: skip
_BY_WHAT: Mapping[str, OperatorAction] = MappingProxyType({action.what: action for action in ACTIONS})


def action_of(what: str) -> OperatorAction:
    """The action with this word in the store. Raises KeyError."""
    return _BY_WHAT[what]


class BadRequest(Exception):
    """The request lacks something or has too much; the text says what."""


def check_name(action: OperatorAction, name: str) -> None:
    """Raises BadRequest for what cannot be the name of a host or a VM."""
    if not re.fullmatch(NAME, name):
        raise BadRequest(f"{name!r} cannot be the name of a {'host' if action.scope is OperationScope.HOST else 'VM'}")


def checked(action: OperatorAction, given: Mapping[str, object]) -> dict[str, str]:
    """Returns the request's detail. Raises BadRequest: unknown or missing fields, other things than text, empty text."""
    for name, value in given.items():
        if name not in action.fields:
            known = ", ".join(action.fields) or "none"
            raise BadRequest(f"{action.name} has no field {name!r}; there are: {known}")
        if not isinstance(value, str) or not (value.strip() or not action.fields[name].required):
            raise BadRequest(f"{name} must be a text that is not empty")
        pattern = action.fields[name].pattern
        if value and pattern and not re.fullmatch(pattern, value):
            raise BadRequest(f"{name}: {value!r} is not what it can be: {action.fields[name].summary}")
    for name, text in action.fields.items():
        if text.required and name not in given:
            raise BadRequest(f"{action.name} needs {name}: {text.summary}")
    return {name: str(given.get(name, "")) for name in action.fields}
