"""Every route of the tree, every method, with bodies that nearly fit: always a Redfish answer, never a 500."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.bmc.view import SystemName
from emulator.redfish.service.tree import Tree
from profiles.loader import load
from tests.effort import examples
from tests.property.test_redfish_fuzz import METHODS, PROFILES, VALUES, bench, request

WORDS = (
    *("Boot", "BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode", "BootNext", "BootOrder"),
    *("UefiTargetBootSourceOverride", "AssetTag", "HostName", "FQDN", "LocationIndicatorActive", "IndicatorLED"),
    *("PowerRestorePolicy", "Attributes", "BootRetries", "QuietBoot", "SecureBootEnable", "ResetKeysType", "Image"),
    *("Inserted", "WriteProtected", "TransferMethod", "TransferProtocolType", "IPMI", "NTP", "NTPServers", "VLAN"),
    *("ProtocolEnabled", "VLANEnable", "VLANId", "Ethernet", "MTUSize", "DisplayName", "WriteCachePolicy", "DHCPv4"),
    *("BootOptionEnabled", "@odata.type", "@odata.id", "Oem", "Status", "Links"),
)
GOOD = st.sampled_from(
    [
        *("Pxe", "Once", "Continuous", "Disabled", "UefiTarget", "UefiBootNext", "Boot0001", "UEFI", "AlwaysOn", "DeletePK"),
        *("http://192.0.2.1/x.iso", "Stream", "HTTPS", "a.example", ["Boot0002", "Boot0001"], [None, {}, "b.example"]),
        *(True, False, 7, 1500, None, {}),
    ]
)
KEYS = st.sampled_from(WORDS)
BODIES = st.dictionaries(KEYS, GOOD | st.dictionaries(KEYS, GOOD | VALUES, max_size=3) | VALUES, max_size=4).map(
    lambda value: json.dumps(value).encode()
)
TAILS = st.sampled_from(["", "", "", "/", "/1", "/Entries/1", "/Members", "//"])
NEVER = ("/Actions/Manager.Reset",)
"""Takes the BMC away for a while, and with it everything else that is to be asked."""


@cache
def routes(profile):
    """Every fixed path of the profile's tree."""
    known = load(profile)
    name = SystemName(known.ids.system, known.ids.chassis, "", "", "n1")
    return tuple(sorted(node.path for node in Tree(known, (name,)) if not node.path.endswith(NEVER)))


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=examples(250), deadline=None)
@given(data=st.data(), method=METHODS, body=BODIES, tail=TAILS)
def test_no_route_of_the_tree_is_ever_brought_down(profile, data, method, body, tail):
    clock, app, credentials = bench(profile)
    clock.advance(61)
    path = data.draw(st.sampled_from(routes(profile))) + tail
    status, fields, answer = request(app, method, path, "", body, {"HTTP_AUTHORIZATION": credentials})
    assert status < 500 or status in (501, 503)
    assert "html" not in fields.get("Content-Type", "")
    if status >= 400 and answer:
        entry = json.loads(answer)["error"]["@Message.ExtendedInfo"][0]
        assert "%" not in str(entry.get("Message", "")), "a message with a hole in it"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_route_answers_every_method_without_a_body(profile):
    clock, app, credentials = bench(profile)
    assert len(routes(profile)) > 400
    for path in routes(profile):
        for method in ("GET", "HEAD", "PATCH", "PUT", "DELETE", "POST"):
            if method == "POST" and ("Actions" in path or "Sessions" in path):
                continue
            clock.advance(1)
            status, fields, _ = request(app, method, path, "", b"{}", {"HTTP_AUTHORIZATION": credentials})
            assert status < 500 or status == 503, f"{method} {path}: {status}"
            if status == 405:
                assert method not in fields["Allow"].split(", "), path
