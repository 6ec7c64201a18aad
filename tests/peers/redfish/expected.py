"""What the validators leave NOT TESTED and why, and which FAIL and WARN the real vendor would get too.

Rules
  1. Every NOT TESTED result has exactly one entry in `NOT_TESTED`; one that has none fails the run.
  2. FAIL and WARN are forgiven only by `deviations` of the profile, each with its source, and each of those must be met. In
     the name of an assertion, * stands for any part: some of what a BMC does shows in every resource.
  3. `floor.json` holds how many PASS a run must reach; `python -m tools.redfish_validators` raises it, nothing lowers it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from profiles.model import Profile, Tool
from tests.peers.redfish.validators import Outcome, Result, Row

FLOOR_FILE: Final = Path(__file__).with_name("floor.json")
ISSUE: Final = 4000
"""PASS lines of the service validator on dmtf-generic that make the tree a real server's."""


@dataclass(frozen=True, slots=True)
class Untested:
    """`assertion` and `text` are regular expressions for the whole name and for a part of what the tool says."""

    tool: Tool
    assertion: str
    text: str
    reason: str

    def covers(self, tool: Tool, row: Row) -> bool:
        return tool is self.tool and bool(re.fullmatch(self.assertion, row.name)) and bool(re.search(self.text, row.text))


_SSE: Final = (
    "The validator's event stream tests are switched off in its code (1.3.2: uri = None); tests/wire/test_redfish_sse.py is ours."
)
_SSDP: Final = "SSDP is off in every profile, and its multicast would leave this machine."

NOT_TESTED: Final = (
    Untested(
        Tool.SERVICE,
        r".*",
        r"^Skip: The property is not present\.$",
        "An optional property that this BMC does not have; where a required one is missing the result is FAIL.",
    ),
    Untested(Tool.PROTOCOL, r"SERV_SSE_.*|SEC_SESSION_TERMINATION_SIDE_EFFECTS", r"ServerSentEvent|EventDestination", _SSE),
    Untested(Tool.PROTOCOL, r"SERV_SSDP_.*", r"SSDP|Service UUID not found in Service Root", _SSDP),
    Untested(
        Tool.PROTOCOL,
        r"REQ_HEADERS_ACCEPT|RESP_HEADERS_CONTENT_TYPE",
        r"openapi\.yaml",
        "openapi.yaml is optional and no BMC of ours has it.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"RESP_STATUS_INTERNAL_SERVER_ERROR",
        r"No response with a 500",
        "Nothing that the validator sends makes the service fail.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"PROTO_REDIRECT_ENFORCES_TARGET_PRIVS",
        r"No response found with an HTTP redirect",
        "No resource redirects to another; the redirect from HTTP to HTTPS has tests of its own.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"REQ_QUERY_INVALID_VALUES",
        r"does not support either the 'only' or 'excerpt' query parameters",
        "This vendor's service root offers neither of the two.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"REQ_QUERY_PROTOCOL_FEATURES_SUPPORTED",
        r"No supported query parameters specified",
        "This vendor's service root advertises no query option; ProtocolFeaturesSupported came with ServiceRoot 1.3.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"SEC_DEFAULT_CERT_REPLACE",
        r"^No certificates found on the service",
        "Certificates came with ManagerNetworkProtocol 1.4, and this BMC's is older.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"SEC_PWD_CHANGE_REQ_.*",
        r"PasswordChangeRequired property not found|using account with PasswordChangeRequired set; unable to test",
        "PasswordChangeRequired came with ManagerAccount 1.3, and this BMC's is older.",
    ),
    Untested(
        Tool.PROTOCOL,
        r"REQ_DATA_MOD_ERRORS",
        r"No failed POST responses found",
        "It looks at ordinary POSTs only, and all of those succeed; "
        "SERV_EVENT_ERROR_ON_BAD_REQUEST and our checks see refused ones.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Account Management: (Enable User|Disable Password Change Required)",
        r"already enabled by the service|does not require a password change",
        "A new account is enabled and usable at once, so there is nothing to enable and no password to change.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Power Control: Reset Operation",
        r"does not support the reset action with reset type|failed the reset action with reset type",
        "A ResetType that this vendor does not offer, or whose refusal is among the profile's deviations.",
    ),
    Untested(
        Tool.USE_CASE,
        r"(Power Control|Boot Override): .*",
        r"does not support any actions|does not support the 'Reset' action|does not contain the 'Boot' property|"
        r"does not support boot override",
        "A ComputerSystem that is no host: the settings of one, or a board of accelerators. It has no Reset action, or no Boot.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Boot Override: One-Time Boot Override Check",
        r"was not set to 'one-time' in the previous test",
        "The test before could not set the override: one of the profile's deviations, or a ComputerSystem that is no host.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Manager Ethernet Interfaces: .*",
        r"does not contain an Ethernet interface collection|does not contain any Ethernet interfaces",
        "The Manager of a board or of a fabric, which has no network interface of its own.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Manager Ethernet Interfaces: .*",
        r"The '(VLANPriority|Tagged|StaticNameServers|IPv4StaticAddresses|IPv6StaticAddresses|IPv6DefaultGateway|"
        r"IPv6StaticDefaultGateways)' property is not present\.",
        "The BMC's interface has no VLAN and no IPv6 unless somebody sets them: these optional properties would be empty.",
    ),
    Untested(
        Tool.USE_CASE,
        r"Query Parameters: .*",
        r"Service does not support",
        "A query option that this vendor does not advertise.",
    ),
    Untested(
        Tool.INTEROP,
        r".*",
        r"^Skip: The property is not present; Profile: FencelabFencing",
        "A recommended property that this BMC does not have.",
    ),
)


def untested_reason(tool: Tool, row: Row) -> str | None:
    """Why `row` is not tested, or None where nobody has said so. The first entry that covers it counts."""
    return next((entry.reason for entry in NOT_TESTED if entry.covers(tool, row)), None)


def unexplained(outcome: Outcome) -> list[Row]:
    """NOT TESTED results that are on no list."""
    return [row for row in outcome.of(Result.NOT_TESTED) if untested_reason(outcome.tool, row) is None]


def surprises(outcome: Outcome, profile: Profile) -> list[str]:
    """FAIL and WARN that the profile does not predict, and predictions that did not come true."""
    predicted = [deviation for deviation in profile.deviations if deviation.tool is outcome.tool]
    met: set[int] = set()
    found = []
    for row in outcome.of(Result.FAIL, Result.WARN):
        told = f"{row.where}: {row.text}"
        matching = {
            number
            for number, deviation in enumerate(predicted)
            if deviation.result == row.result.value
            and fnmatchcase(row.name, deviation.assertion.replace("[", "[[]"))
            and deviation.where in told
        }
        met |= matching
        if not matching:
            found.append(f"not predicted: {row}")
    found += [f"predicted and not found: {d.result} {d.assertion} ({d.where})" for n, d in enumerate(predicted) if n not in met]
    return found


def floors() -> dict[str, dict[str, int]]:
    floor: dict[str, dict[str, int]] = json.loads(FLOOR_FILE.read_text(encoding="utf-8"))
    return floor


def raised(old: dict[str, dict[str, int]], measured: Iterable[tuple[str, Tool, int]]) -> dict[str, dict[str, int]]:
    """The floor after these runs: (profile, tool, PASS), rounded down to two digits. It never sinks."""
    new = {profile: dict(tools) for profile, tools in old.items()}
    for profile, tool, passed in measured:
        row = new.setdefault(profile, {})
        step: int = 10 ** max(0, len(str(passed)) - 2)
        row[tool.value] = max(row.get(tool.value, 0), passed - passed % step)
    return new
