"""The Redfish transport and `fencer.fence` against a small server of the test's own, over real sockets."""

from __future__ import annotations

import base64
import json

import pytest

from fencer import (
    Cause,
    ChassisCheck,
    FenceError,
    FenceVerdict,
    Power,
    fence,
    power_on,
    read,
)
from fencer.run import list_hosts
from tests.redfish_service import (
    CHASSIS,
    LIMITS,
    PASSWORD,
    QUICK,
    RESET,
    SYSTEM,
    Handler,
    Service,
    cause,
    error,
    on,
    target,
)

# --- the way it should be -------------------------------------------------------------------------------------------


def test_a_running_host_is_forced_off(service: Service) -> None:
    outcome = fence(target(service), LIMITS)
    assert (outcome.verdict, service.up) == (FenceVerdict.CONFIRMED, False)
    assert [json.loads(body) for method, _, _, body in service.log if method == "POST"] == [{"ResetType": "ForceOff"}]


def test_a_host_that_is_off_gets_no_post(service: Service) -> None:
    service.up = False
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert service.seen("POST") == []


def test_the_exact_bytes_of_the_password_arrive_with_the_proper_headers(service: Service) -> None:
    read(target(service), 2)
    headers = service.seen("GET", SYSTEM)[0]
    assert base64.b64decode(headers["Authorization"].split()[1]) == f"admin:{PASSWORD}".encode()
    assert (headers["Accept"], headers["OData-Version"], headers["Cache-Control"]) == ("application/json", "4.0", "no-cache")


def test_a_linked_chassis_that_says_on_contradicts_and_ignore_does_not_ask_it(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On"}
    assert read(target(service), 2).power is Power.UNKNOWN
    assert read(target(service), 2, chassis_check=ChassisCheck.IGNORE).power is Power.OFF
    assert len(service.seen("GET", CHASSIS)) == 1


def test_a_shared_chassis_is_left_out_on_request(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On", "Links": {"ComputerSystems": [{}, {}]}}
    assert read(target(service), 2, chassis_check=ChassisCheck.OWN).power is Power.OFF


def test_a_chassis_that_cannot_be_read_is_no_consent(service: Service) -> None:
    service.up = False
    del service.documents[CHASSIS]
    reading = read(target(service), 2)
    assert (reading.power, reading.chassis_word, reading.witnesses[0].why) == (Power.UNKNOWN, "unknown", "HTTP 404")
    service.special = on("GET", CHASSIS, lambda it: it.reply(503, Retry_After="1"))
    with pytest.raises(FenceError) as caught:
        read(target(service), 2)
    assert caught.value.failure.cause is Cause.BUSY


def test_on_and_list(service: Service) -> None:
    service.up = False
    assert power_on(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert [(member.plug, member.word) for member in list_hosts(target(service), LIMITS)] == [("1", "On")]


# --- which system ---------------------------------------------------------------------------------------------------


def two_systems(service: Service) -> None:
    other = "/redfish/v1/Systems/2"
    service.documents["/redfish/v1/Systems"] = {"Members": [{"@odata.id": SYSTEM}, {"@odata.id": other}]}
    service.documents[other] = {"Id": "2", "UUID": "99999999-2222-3333-4444-555555555555", "PowerState": "Off"}


def test_two_systems_and_no_selector_are_refused(service: Service) -> None:
    two_systems(service)
    outcome = fence(target(service), LIMITS)
    assert cause(outcome) is Cause.CONFIG
    assert "Systems/1, /redfish/v1/Systems/2" in str(outcome.failure)
    assert service.seen("POST") == []


@pytest.mark.parametrize("selector", [SYSTEM, "1", "11111111-2222-3333-4444-555555555555", SYSTEM + "/"])
def test_a_system_is_selected_by_uri_id_or_uuid(service: Service, selector: str) -> None:
    two_systems(service)
    if selector.endswith("/"):
        service.special = on("GET", SYSTEM + "/", lambda it: it.reply(308, Location=SYSTEM))
    assert read(target(service, system=selector), 2).source.rstrip("/") == SYSTEM


@pytest.mark.parametrize("selector", ["/redfish/v1/Systems/9", "9"])
def test_a_selector_that_fits_nothing_is_not_found(service: Service, selector: str) -> None:
    assert cause(fence(target(service, system=selector), QUICK)) is Cause.NOT_FOUND


@pytest.mark.parametrize("members", [[], {"@odata.id": SYSTEM}])
def test_no_members_is_not_found(service: Service, members: object) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": members}
    assert cause(fence(target(service), QUICK)) is Cause.NOT_FOUND


def test_a_chassis_given_as_the_system_is_refused(service: Service) -> None:
    service.documents[CHASSIS] = {"@odata.type": "#Chassis.v1_20_0.Chassis", "PowerState": "Off"}
    assert cause(fence(target(service, system=CHASSIS), QUICK)) is Cause.CONFIG


def test_another_identity_than_expected_is_refused(service: Service) -> None:
    assert cause(fence(target(service, identity="other"), QUICK)) is Cause.CONFIG
    assert service.seen("POST") == []


def test_the_second_page_is_read(service: Service) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": [], "Members@odata.nextLink": "/redfish/v1/Systems?$skip=1"}
    service.documents["/redfish/v1/Systems?$skip=1"] = {"Members": [{"@odata.id": SYSTEM}]}
    assert read(target(service), 2).power is Power.ON


# --- answers to the reset -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message_id", "expected"),
    [
        (400, "Base.1.0.InvalidOperationForSystemState", Cause.CONFLICT),
        (400, "Base.1.0.ActionParameterNotSupported", Cause.UNSUPPORTED),
        (401, "Base.1.0.NoValidSession", Cause.AUTH),
        (403, "Base.1.0.InsufficientPrivilege", Cause.PRIVILEGE),
        (403, "Base.1.0.PasswordChangeRequired", Cause.AUTH),
        (403, "Vendor.1.0.AccountLocked", Cause.LOCKED),
        (405, "Base.1.0.ActionNotSupported", Cause.UNSUPPORTED),
        (409, "IDRAC.2.8.PSU501", Cause.CONFLICT),
        (500, "Base.1.0.InternalError", Cause.BAD_RESPONSE),
        (503, "Base.1.0.ServiceTemporarilyUnavailable", Cause.BUSY),
    ],
)
def test_a_refusal_keeps_its_class_and_the_bmcs_own_words(
    service: Service, status: int, message_id: str, expected: Cause
) -> None:
    answer = error(message_id, f"the BMC says no to {PASSWORD}")
    service.special = on("POST", RESET, lambda it: it.reply(status, answer, WWW_Authenticate="Basic"))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is expected
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.message_id) == (f"HTTP {status}", message_id)
    assert "[hidden]" in (outcome.failure.bmc_text or "")


@pytest.mark.parametrize("status", [409, 400, 500])
def test_refused_but_off_is_off(service: Service, status: int) -> None:
    def switch_off_and_refuse(it: Handler) -> None:
        service.up = False
        it.reply(status)

    service.special = on("POST", RESET, switch_off_and_refuse)
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(service.seen("POST")) == 1


def test_a_dropped_answer_is_followed_by_a_read(service: Service) -> None:
    def switch_off_and_drop(it: Handler) -> None:
        service.up = False
        it.drop()

    service.special = on("POST", RESET, switch_off_and_drop)
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(service.seen("POST")) == 1


def test_a_dropped_request_is_sent_again(service: Service) -> None:
    def drop_the_first(it: Handler, body: bytes) -> bool:
        if it.command == "POST" and len(service.seen("POST")) == 1:
            it.drop()
            return True
        return False

    service.special = drop_the_first
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(service.seen("POST")) == 2


def test_if_match_is_sent_only_after_the_bmc_asked_for_it(service: Service) -> None:
    def want_etag(it: Handler, body: bytes) -> bool:
        missing = it.command == "POST" and it.headers.get("If-Match") != '"7"'
        if missing:
            it.reply(428)
        return missing

    service.special = want_etag
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert ["If-Match" in headers for headers in service.seen("POST")] == [False, True]


def test_a_failed_task_is_named(service: Service) -> None:
    service.documents["/t/1"] = {"TaskState": "Exception", "TaskStatus": "Critical", "Messages": [{"Message": "no"}]}
    service.special = on("POST", RESET, lambda it: it.reply(202, Location="/t/1"))
    assert cause(fence(target(service), LIMITS)) is Cause.TASK_FAILED


def test_a_monitor_that_answers_with_the_error_of_the_command_names_the_task(service: Service) -> None:
    def special(it: Handler, body: bytes) -> bool:
        if it.command == "POST":
            it.reply(202, Location="/monitors/1")
        elif it.path == "/monitors/1":
            it.reply(500, error("Base.1.8.GeneralError", "the power supply did not obey"))
        return it.command == "POST" or it.path == "/monitors/1"

    service.special = special
    outcome = fence(target(service), LIMITS)
    assert cause(outcome) is Cause.TASK_FAILED
    assert outcome.failure is not None
    assert outcome.failure.bmc_text == "the power supply did not obey"


def test_allowable_values_through_action_info(service: Service) -> None:
    info = "/redfish/v1/Systems/1/ResetActionInfo"
    service.documents["system"] = {"Actions": {"#ComputerSystem.Reset": {"target": RESET, "@Redfish.ActionInfo": info}}}
    service.documents[info] = {"Parameters": [{"Name": "ResetType", "AllowableValues": ["On", "GracefulShutdown"]}]}
    fence(target(service), LIMITS)
    assert json.loads(next(body for method, _, _, body in service.log if method == "POST")) == {"ResetType": "GracefulShutdown"}


def test_no_reset_action_is_unsupported(service: Service) -> None:
    service.documents["system"] = {"Actions": {}}
    assert cause(fence(target(service), QUICK)) is Cause.UNSUPPORTED
