"""The part of a profile that is about HTTP: replies, error shapes, headers, log-ins, refusals, resources. `model` uses it.

The rules of `model` hold here too. Code outside of this package imports these names from `model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from profiles.model_evidence import ABSENT, FactEvidence, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTemplate:
    """An HTTP answer. `message` names a key of Profile.messages.

    `body` is "empty", a JSON object, or None for the usual shape.
    `task` has start, end, after_s (a Span) and maybe message.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    message: str | None = None
    body: Any = None
    text: str | None = None  # sent as it is, in place of JSON; its Content-Type is among the headers
    task: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A registry message; `text` None means the vendor sends the id and arguments only."""

    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str | None = None
    resolution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorShape:
    code: str
    summary: str
    fields: tuple[str, ...]
    entry_type: str = "#Message.v1_1_1.Message"  # @odata.type of an entry of @Message.ExtendedInfo
    top_level: Mapping[str, str] | None = None  # type and name: the messages are repeated at the top of the body


@dataclass(frozen=True, slots=True, kw_only=True)
class IfMatchRule:
    """What If-Match means for these methods on these paths. `mismatch` and `missing` are replies; None: 428."""

    required: bool
    applies_to: tuple[str, ...]
    mismatch: str
    missing: str | None = None
    paths: tuple[str, ...] = ("/redfish/**",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    etag: Literal["none", "strong-digits", "strong-hex", "weak-hex8", "weak-time", "bare-integer", "hash"]
    redirect_http: bool
    tls_min: str
    features: Mapping[str, bool | int]
    if_match: tuple[IfMatchRule, ...] = ()  # the first that matches method and path counts
    odata_version: Mapping[str, str] | None = None
    server_header: str | None = None
    tls_max: str | None = None  # None: the newest that there is
    json: Literal["compact", "spaced", "pretty", "escaped"] = "spaced"  # escaped: compact, and each slash as \\/
    etag_on: tuple[str, ...] | None = None  # patterns of the paths that have an ETag; None: all
    slash: Literal["either", "ids", "as_asked", "redirect_root", "redirect"] = "either"
    """either: a slash at the end of a path changes nothing. ids: @odata.id of resources ends with one. as_asked: it does in the
    answer to a path that ends with one. redirect_root: /redfish/v1 alone is redirected to the path with one. redirect: as ids,
    and every path without one is redirected."""
    slash_status: int = 308  # of that redirect
    served: bool = True  # False: a BMC without Redfish; its TCP ports refuse connections
    not_found: str | None = None  # a reply for paths that do not exist; None: 404 in the profile's error shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    password: str
    role: Literal["Administrator", "Operator", "ReadOnly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    max: int | None
    timeout_s: float
    on_full: str | None = None  # a reply
    location: Literal["path", "url"] = "path"  # how the answer to a log-in names the session


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """Account lockout after failed log-ins. `failures` 0: no lockout."""

    by: Literal["account", "address"]
    failures: int
    window_s: float = 0.0
    penalty_s: float = 0.0
    delay_s: float = 0.0  # by which the answer to wrong credentials is late
    delay_after: int = 0  # so many failures in a row are answered at once


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRules:
    basic: bool
    accounts: tuple[Account, ...]
    sessions: Sessions
    lockout: Lockout
    no_auth: str | None = None  # a reply for a request without valid credentials; None: 401 in the profile's error shape
    bad_login: str | None = None  # a reply for a log-in with wrong credentials; None: 401 in the profile's error shape
    password_change_required: bool = False  # the accounts of `accounts` must change their passwords before anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcReset:
    reset_types: tuple[str, ...]
    reply: str
    grace_s: Span  # from the answer to the reset until the BMC stops answering
    outage_s: Span
    after: Mapping[str, Any] | None = None
    """The answers after a BMC reset: `reply` for `for_s` seconds, to all requests or only to these `reset`; `ipmi` is the IPMI
    completion code (None: no answer)."""
    advertise: Literal["inline", "action_info", "both", "none"] | None = None  # of the reset types; None: as power.advertise
    unlisted: str | None = None  # a reply for a type that is not in the list; None: 400 in the profile's error shape
    restore_policy: bool = False  # whether a BMC that has started again does to its hosts what their restore policy says


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherManager:
    """A Manager beside the BMC itself, such as that of a GPU board. It has no actions."""

    id: str
    type: str = "Service"  # ManagerType
    model: str = ABSENT
    firmware: str = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A request that this vendor refuses and others allow. All conditions that are given must hold."""

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    reply: str
    evidence: FactEvidence
    properties: tuple[str, ...] = ()  # of the body; none: any body
    roles: tuple[str, ...] = ()  # of the requester; none: any role
    without_licence: str | None = None  # holds where `vars.licence` is another one


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRules:
    """The resources that a profile adds to the built-in tree, or its own tree. Bodies are JSON objects by path."""

    base: Mapping[str, Mapping[str, Any]] | None = None  # a captured tree; None: the built-in one
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    merge: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # path -> JSON merge patch
    remove: tuple[str, ...] = ()  # paths; what is below goes with them
    boot: Literal["system", "settings"] = "system"  # where the boot override is written
    systems: str = "/redfish/v1/Systems"  # the path of the collection of Systems
