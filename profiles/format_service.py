"""The blocks of a profile about HTTP and users. `format` puts them together."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fencelab_yaml.values import UNIQUE, Choice, Flag, Number, OneOf, Text, known_keys
from profiles.format_values import ClaimValue, EvidenceForm, NameText, RedfishPath, RoleWord, UniqueWords, Words

PathPatterns = Annotated[list[RedfishPath], Field(min_length=1), UNIQUE]
"""`*` stands for one part of a path, `**` at the end for everything below."""
Writes = Annotated[list[Annotated[str, Choice("PATCH", "PUT", "POST", "DELETE")]], Field(min_length=1), UNIQUE]
TlsVersion = Annotated[str, Text(r"1\.[0-3]", 'a TLS version such as "1.2"')]


@known_keys
class FeaturesKeys(TypedDict):
    """ProtocolFeaturesSupported of the service root."""

    expand_all: NotRequired[Annotated[Flag, Field(description="ExpandQuery.ExpandAll: $expand=*")]]
    levels: NotRequired[Annotated[Flag, Field(description="ExpandQuery.Levels: $levels")]]
    links: NotRequired[Annotated[Flag, Field(description="ExpandQuery.Links: $expand=~")]]
    no_links: NotRequired[Annotated[Flag, Field(description="ExpandQuery.NoLinks: $expand=.")]]
    filter: NotRequired[Annotated[Flag, Field(description="FilterQuery: $filter")]]
    select: NotRequired[Annotated[Flag, Field(description="SelectQuery: $select")]]
    only: NotRequired[Annotated[Flag, Field(description="OnlyMemberQuery: only")]]
    excerpt: NotRequired[Annotated[Flag, Field(description="ExcerptQuery: not built, so it must be false")]]
    top_skip: NotRequired[Annotated[Flag, Field(description="TopSkipQuery: $top and $skip")]]
    max_levels: NotRequired[Annotated[int, Number(0, 20), Field(description="ExpandQuery.MaxLevels")]]


@known_keys
class IfMatchKeys(TypedDict):
    """What If-Match means for these methods on these paths."""

    required: Annotated[Flag, Field(description="whether a request without If-Match is refused")]
    applies_to: Annotated[Writes, Field(description="the methods")]
    paths: NotRequired[Annotated[PathPatterns, Field(description="patterns of paths, with * and **; without: all")]]
    mismatch: Annotated[NameText, Field(description="the answer to another tag: a name under `replies`")]
    missing: NotRequired[Annotated[NameText, Field(description="the answer without If-Match where it is required; without: 428")]]


@known_keys
class ODataVersionKeys(TypedDict):
    """The header OData-Version of requests."""

    only: Annotated[Words, Field(description="the version that is accepted")]
    otherwise: Annotated[NameText, Field(description="the answer to another one: a name under `replies`")]


@known_keys
class HttpKeys(TypedDict):
    """How the service speaks HTTP."""

    etag: Annotated[
        str,
        Choice("none", "strong-digits", "strong-hex", "weak-hex8", "weak-time", "bare-integer", "hash"),
        Field(description="the form of ETags"),
    ]
    redirect_http: Annotated[Flag, Field(description="whether plain HTTP is redirected to HTTPS")]
    tls_min: Annotated[TlsVersion, Field(description="the oldest TLS version")]
    tls_max: NotRequired[Annotated[TlsVersion, Field(description="the newest TLS version; without: the newest that there is")]]
    json: NotRequired[
        Annotated[
            str,
            Choice("compact", "spaced", "pretty", "escaped"),
            Field(description="how bodies are spaced; escaped: compact, and each slash as \\/"),
        ]
    ]
    etag_on: NotRequired[Annotated[PathPatterns, Field(description="patterns of the paths that have an ETag; without: all")]]
    slash: NotRequired[
        Annotated[
            str,
            Choice("either", "ids", "as_asked", "redirect_root", "redirect"),
            Field(
                description="a slash at the end of a path: makes no difference, ends every id, ends every id in the answer to "
                "a path with one, or is asked for with a redirect: of /redfish/v1 alone, or of every path (and ends every id)"
            ),
        ]
    ]
    slash_status: NotRequired[Annotated[int, Number(301, 308), Field(description="the status of that redirect; without: 308")]]
    not_found: NotRequired[Annotated[NameText, Field(description="the answer to unknown paths: a name under `replies`")]]
    served: NotRequired[Annotated[Flag, Field(description="false: there is no Redfish service; without: true")]]
    features: FeaturesKeys
    if_match: NotRequired[
        Annotated[
            IfMatchKeys | Annotated[list[IfMatchKeys], Field(min_length=1)],
            OneOf("a rule or a list of rules"),
            Field(description="a rule, or a list of rules of which the first that matches counts"),
        ]
    ]
    odata_version: NotRequired[ODataVersionKeys]
    server_header: NotRequired[Annotated[Words, Field(description="the header Server")]]
    evidence: NotRequired[EvidenceForm]


@known_keys
class AccountKeys(TypedDict):
    """A user."""

    name: Annotated[Words, Field(description="the user name")]
    password: Annotated[Words, Field(description="the password that is public as the vendor's default")]
    role: Annotated[RoleWord, Field(description="the role")]


@known_keys
class SessionsKeys(TypedDict):
    """Redfish sessions."""

    max: NotRequired[Annotated[int, Number(1, 10_000), Field(description="how many may be open; without: no limit of its own")]]
    timeout_s: Annotated[int, Number(1, 86_400), Field(description="seconds until an idle session ends")]
    on_full: NotRequired[Annotated[NameText, Field(description="the answer to one more: a name under `replies`")]]
    location: NotRequired[
        Annotated[str, Choice("path", "url"), Field(description="how Location names a new session; without: path")]
    ]


@known_keys
class LockoutKeys(TypedDict):
    """When wrong passwords lock somebody out."""

    by: Annotated[str, Choice("account", "address"), Field(description="who is locked out")]
    failures: Annotated[int, Number(0, 1000), Field(description="after how many failures; 0: never")]
    window_s: NotRequired[
        Annotated[float, Number(0, 86_400, fraction=True), Field(description="seconds in which the failures count")]
    ]
    penalty_s: NotRequired[Annotated[float, Number(0, 86_400, fraction=True), Field(description="how long, in seconds")]]
    delay_s: NotRequired[
        Annotated[
            float,
            Number(0, 600, fraction=True),
            Field(description="seconds by which the answer to wrong credentials is late; nobody is locked out by it"),
        ]
    ]
    delay_after: NotRequired[Annotated[int, Number(0, 1000), Field(description="so many failures in a row are answered at once")]]


@known_keys
class AuthKeys(TypedDict):
    """Who may do what."""

    basic: Annotated[Flag, Field(description="whether HTTP Basic is accepted")]
    accounts: Annotated[list[AccountKeys], Field(min_length=1, description="the users; the first is the one that is announced")]
    sessions: SessionsKeys
    lockout: LockoutKeys
    no_auth: NotRequired[Annotated[NameText, Field(description="the answer without valid credentials: a name under `replies`")]]
    bad_login: NotRequired[
        Annotated[NameText, Field(description="the answer to a log-in with wrong credentials: a name under `replies`")]
    ]
    password_change_required: NotRequired[
        Annotated[Flag, Field(description="whether the users must change their passwords before anything else")]
    ]
    evidence: NotRequired[EvidenceForm]


@known_keys
class RefusalKeys(TypedDict):
    """What this vendor refuses and others allow. All conditions that are given must hold."""

    methods: Annotated[
        list[Annotated[str, Choice("GET", "PATCH", "PUT", "POST", "DELETE")]],
        Field(min_length=1, description="the methods"),
        UNIQUE,
    ]
    paths: Annotated[PathPatterns, Field(description="patterns of paths, with * and **")]
    properties: NotRequired[Annotated[UniqueWords, Field(description="properties of the body; without: any body")]]
    roles: NotRequired[Annotated[list[RoleWord], Field(min_length=1, description="roles of the user; without: any role"), UNIQUE]]
    without_licence: NotRequired[Annotated[Words, Field(description="holds where `vars.licence` is another one")]]
    reply: Annotated[NameText, Field(description="the answer: a name under `replies`")]
    evidence: ClaimValue
