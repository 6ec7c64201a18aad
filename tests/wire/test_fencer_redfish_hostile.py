"""`fencer.fence` over real sockets against a Redfish service that misleads, dawdles or breaks once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer import Cause, ChassisCheck, FenceVerdict, IdentityCheck, Power, fence, read
from tests.redfish_service import (
    CHASSIS,
    LIMITS,
    LONGER,
    OTHER,
    QUICK,
    RESET,
    SYSTEM,
    Handler,
    Service,
    cause,
    eager,
    from_the,
    on,
    system,
    target,
)

# --- witnesses ----------------------------------------------------------------------------------------------------------

NO_WORDS: dict[str, Callable[[Handler], None]] = {
    "404": lambda it: it.reply(404),
    "410": lambda it: it.reply(410),
    "500": lambda it: it.reply(500),
    "null": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": None}),
    "no property": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1"}),
    "a number": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": 0}),
    "a list": lambda it: it.reply(200, []),
    "absent": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": "Off", "Status": {"State": "Absent"}}),
    "another chassis": lambda it: it.reply(200, {"@odata.id": CHASSIS + "0", "Id": "10", "PowerState": "Off"}),
    "a System": lambda it: it.reply(
        200, {"@odata.id": CHASSIS, "Id": "1", "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "PowerState": "Off"}
    ),
    "a bare word": lambda it: it.reply(200, {"PowerState": "Off"}),
    "two words": lambda it: it.reply(200, b'{"@odata.id": "/redfish/v1/Chassis/1", "PowerState": "On", "PowerState": "Off"}'),
    "elsewhere": lambda it: it.reply(307, Location=CHASSIS + "0"),
}


@pytest.mark.parametrize("what", NO_WORDS)
def test_a_chassis_that_said_on_and_loses_its_word_is_no_consent(service: Service, what: str) -> None:
    eager(service)
    service.documents[CHASSIS + "0"] = {"PowerState": "Off"}
    service.special = from_the(2, "GET", CHASSIS, NO_WORDS[what])
    outcome = fence(target(service), QUICK)
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert outcome.failure is not None
    assert CHASSIS in outcome.failure.text
    assert "chassis_check" in outcome.failure.text


def test_a_chassis_whose_link_vanishes_is_asked_all_the_same(service: Service) -> None:
    eager(service)
    service.special = from_the(2, "GET", SYSTEM, lambda it: it.reply(200, {**system(service), "Links": {}}))
    outcome = fence(target(service), QUICK)
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert len(service.seen("GET", CHASSIS)) > 2


def test_the_failing_fence_names_the_chassis_its_word_and_the_knob(service: Service) -> None:
    eager(service)
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is Cause.TIMEOUT
    assert outcome.failure is not None
    for words in (f"says On: {CHASSIS}", "ForceOff", "chassis_check to own"):
        assert words in outcome.failure.text


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"PowerState": "Off"}, "ok"), ({"Name": "x"}, "silent"), (None, "not-linked")],
)
def test_the_evidence_says_what_the_chassis_said(service: Service, document: object, expected: str) -> None:
    service.up = False
    service.documents[CHASSIS] = document
    if document is None:
        service.documents["system"] = {"Links": {}}
    outcome = fence(target(service), LIMITS)
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == expected


def test_a_shared_chassis_is_said_to_be_left_out(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On", "Links": {"ComputerSystems": [{}, {}]}}
    outcome = fence(target(service), replace(LIMITS, chassis_check=ChassisCheck.OWN))
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == "shared"


def test_listed_chassis_are_asked_in_place_of_the_linked_ones(service: Service) -> None:
    service.up = False
    service.documents |= {CHASSIS: {"PowerState": "On"}, "/redfish/v1/Chassis/own": {"PowerState": "Off"}}
    limits = replace(LIMITS, chassis_check=ChassisCheck.LISTED, chassis=("/redfish/v1/Chassis/own",))
    assert fence(target(service), limits).verdict is FenceVerdict.CONFIRMED
    service.documents["/redfish/v1/Chassis/own"] = {"Name": "no word"}
    assert fence(target(service), replace(limits, deadline=1)).verdict is not FenceVerdict.CONFIRMED


def test_thirty_chassis_are_read_over_several_connections(service: Service) -> None:
    service.up = False
    uris = [f"/redfish/v1/Chassis/{number}" for number in range(30)]
    service.documents["system"] = {"Links": {"Chassis": [{"@odata.id": uri} for uri in uris]}}
    together, most = 0, 0
    lock = threading.Lock()

    def slow(it: Handler, body: bytes) -> bool:
        nonlocal together, most
        if "/Chassis/" not in it.path:
            return False
        with lock:
            together += 1
            most = max(most, together)
        service.released.wait(0.02)
        with lock:
            together -= 1
        it.reply(200, {"PowerState": "Off"})
        return True

    service.special = slow
    outcome = fence(target(service), LONGER)
    assert outcome.evidence is not None
    assert len(outcome.evidence.readings[-1].witnesses) == 30
    assert 2 <= most <= 4


# --- every body belongs to what was asked -------------------------------------------------------------------------------


def off(service: Service, **changes: object) -> dict[str, object]:
    return {**system(service), "PowerState": "Off", **changes}


FOREIGN: dict[str, Callable[[Service, Handler], None]] = {
    "another @odata.id": lambda service, it: it.reply(200, off(service, **{"@odata.id": OTHER})),
    "a redirect to another System": lambda service, it: it.reply(307, Location=OTHER),
    "a bare word": lambda service, it: it.reply(200, {"PowerState": "Off"}),
    "absent": lambda service, it: it.reply(200, off(service, Status={"State": "Absent"})),
    "two words": lambda service, it: it.reply(200, json.dumps(off(service))[:-1].encode() + b', "PowerState": "On"}'),
    "a chassis": lambda service, it: it.reply(200, off(service, **{"@odata.type": "#Chassis.v1_20_0.Chassis"})),
    "202": lambda service, it: it.reply(202, off(service)),
    "another UUID": lambda service, it: it.reply(200, off(service, UUID="99999999-2222-3333-4444-555555555555")),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_body_that_is_not_the_system_that_was_read_first_is_no_evidence(service: Service, what: str) -> None:
    service.documents[OTHER] = {"@odata.id": OTHER, "PowerState": "Off"}
    reply = FOREIGN[what]
    service.special = from_the(2, "GET", SYSTEM, lambda it: reply(service, it))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) in (Cause.BAD_RESPONSE, Cause.CONFIG)
    assert service.seen("GET", OTHER) == []


def test_a_bare_power_word_is_no_system_even_at_the_first_read(service: Service) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {"PowerState": "Off"}))
    assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE


@pytest.mark.parametrize("odata_id", [SYSTEM + "/", "http://bmc.example" + SYSTEM, "/redfish/v1/Systems/%31", None])
def test_other_spellings_of_the_same_resource_are_accepted(service: Service, odata_id: str | None) -> None:
    service.up = False
    body = off(service, **{"@odata.id": odata_id})
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {key: value for key, value in body.items() if value}))
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED


@pytest.mark.parametrize("location", ["http://[::1", "http://[", "///", "http://elsewhere.invalid/x"])
def test_an_unusable_location_is_a_bad_answer_and_no_exception(service: Service, location: str) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(302, Location=location))
    assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE


def test_a_reset_that_is_redirected_to_another_resource_is_not_sent_there(service: Service) -> None:
    elsewhere = f"{OTHER}/Actions/ComputerSystem.Reset"
    service.special = on("POST", RESET, lambda it: it.reply(307, Location=elsewhere))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is Cause.BAD_RESPONSE
    assert "redirected" in str(outcome.failure)
    assert service.seen("POST", elsewhere) == []


@pytest.mark.parametrize("count", [2, 7])
def test_a_list_that_hides_a_system_is_ambiguous(service: Service, count: int) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": [{"@odata.id": SYSTEM}], "Members@odata.count": count}
    assert cause(fence(target(service), QUICK)) is Cause.CONFIG
    assert service.seen("POST") == []
    assert read(target(service, system=SYSTEM), 2).power is Power.ON


# --- identity -----------------------------------------------------------------------------------------------------------

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("identity", [UUID, UUID.upper(), UUID.replace("-", ""), "SER-1"])
def test_uuid_and_serial_number_name_the_machine(service: Service, identity: str) -> None:
    service.documents["system"] = {"SerialNumber": "SER-1"}
    outcome = fence(target(service, identity=identity), LIMITS)
    assert outcome.verdict is FenceVerdict.CONFIRMED
    assert outcome.readings[0].identity == identity


@pytest.mark.parametrize("shown", [{"UUID": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, {"UUID": None}])
def test_an_identity_that_was_never_shown_is_no_proof_and_names_the_knob(service: Service, shown: dict[str, object]) -> None:
    service.up = False
    service.documents["system"] = shown
    outcome = fence(target(service, identity=UUID), LIMITS)
    assert cause(outcome) is Cause.CONFIG
    assert "identity_check=when-shown" in str(outcome.failure)
    relaxed = target(service, identity=UUID, identity_check=IdentityCheck.WHEN_SHOWN)
    assert fence(relaxed, LIMITS).verdict is FenceVerdict.CONFIRMED


def test_an_identity_that_is_hidden_while_off_was_shown_before(service: Service) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {**system(service), "UUID": UUID if service.up else "0" * 32}))
    assert fence(target(service, identity=UUID), LIMITS).verdict is FenceVerdict.CONFIRMED


def test_nothing_is_sent_to_a_machine_that_never_showed_its_identity(service: Service) -> None:
    service.documents["system"] = {"UUID": None}
    assert cause(fence(target(service, identity=UUID), LIMITS)) is Cause.CONFIG
    assert service.seen("POST") == []
