"""The BMC itself: its reset, its certificate, and the registries of what it says."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

import emulator.redfish
from emulator.redfish.certificates.keyring import StaticKeyring
from emulator.redfish.service.app import PRESENCE, create_app
from emulator.redfish.service.messages import BASE_MESSAGES
from emulator.wire.certs import CertificateSpec, CertificateStore
from profiles.model import Span

RESET = "/redfish/v1/Managers/BMC/Actions/Manager.Reset"
FOLDER = "/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates"
REPLACE = "/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate"
REGISTRIES = "/redfish/v1/Registries"


# -- resets -------------------------------------------------------------------------------------------------------------


def test_a_reset_is_answered_then_the_bmc_is_gone_then_not_ready_then_back(generic):
    held = {"X-Auth-Token": generic.log_in().headers["X-Auth-Token"]}
    assert generic.post(RESET, json={"ResetType": "GracefulRestart"}).status_code == 204
    generic.clock.advance(1)
    gone = generic.get("/redfish/v1/")
    assert (gone.status_code, gone.headers["Retry-After"]) == (503, "20")
    generic.clock.advance(20)
    starting = generic.get("/redfish/v1/")
    assert (starting.status_code, starting.headers["Retry-After"]) == (503, "10")
    generic.clock.advance(10)
    assert generic.get(generic.system).status_code == 200
    assert generic.get(generic.system, auth=None, headers=held).status_code == 401
    assert generic.get(generic.sessions).json["Members"] == []


def test_a_request_that_arrived_before_the_bmc_went_down_is_not_told_503(generic):
    arrived = generic.view().presence()
    assert generic.post(RESET, json={"ResetType": "GracefulRestart"}).status_code == 204
    generic.clock.advance(1)
    assert generic.get(generic.system, environ_overrides={PRESENCE: arrived}).status_code == 200
    assert generic.get(generic.system).status_code == 503


def test_whoever_asked_for_the_reset_can_still_log_out(generic):
    opened = generic.log_in()
    held = {"X-Auth-Token": opened.headers["X-Auth-Token"]}
    assert generic.post(RESET, json={"ResetType": "ForceRestart"}, auth=None, headers=held).status_code == 204
    generic.clock.advance(0.9)
    assert generic.ask("DELETE", opened.headers["Location"], auth=None, headers=held).status_code < 300
    generic.clock.advance(0.1)
    assert generic.get("/redfish/v1/").status_code == 503
    assert [event["what"] for event in generic.events("bmc")] == ["reset", "down"]


def test_a_reset_of_the_bmc_moves_no_rail(generic):
    generic.post(RESET, json={})
    generic.clock.advance(60)
    assert generic.power() == "On"
    assert len(generic.events("rail")) == 1


def test_openbmc_refuses_only_power_commands_while_it_starts(make_bmc):
    profile = make_bmc("openbmc-x86").profile
    bmc = make_bmc(replace(profile, bmc_reset=replace(profile.bmc_reset, outage_s=Span(5, 5))))
    bmc.post("/redfish/v1/Managers/bmc/Actions/Manager.Reset", json={"ResetType": "ForceRestart"})
    bmc.clock.advance(7)
    assert bmc.get(bmc.system).status_code == 200
    assert bmc.reset("PowerCycle").status_code == 503
    assert bmc.reset("ForceOff").status_code == 204


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"ResetType": "PushPowerButton"}, "ActionParameterValueNotInList"),
        ({"ResetType": 5}, "ActionParameterValueTypeError"),
        ({"Colour": "red"}, "ActionParameterUnknown"),
    ],
)
def test_a_reset_that_is_not_offered_is_400(generic, message, body, wanted):
    answer = generic.post(RESET, json=body)
    assert (answer.status_code, message(answer)[0]) == (400, wanted)
    assert generic.get(generic.system).status_code == 200


def test_the_manager_says_what_it_offers(generic, make_bmc):
    action = generic.get("/redfish/v1/Managers/BMC").json["Actions"]["#Manager.Reset"]
    assert (action["target"], action["ResetType@Redfish.AllowableValues"]) == (RESET, ["GracefulRestart", "ForceRestart"])
    info = generic.get(action["@Redfish.ActionInfo"]).json["Parameters"][0]
    assert (info["Name"], info["Required"]) == ("ResetType", False)
    none = make_bmc(replace(generic.profile, bmc_reset=replace(generic.profile.bmc_reset, reset_types=())))
    assert none.post(RESET, json={}).status_code == 404


def test_only_those_who_may_configure_the_manager_reset_it(generic):
    account = {"UserName": "op", "Password": "Op-5jk2.secret", "RoleId": "Operator"}
    generic.post("/redfish/v1/AccountService/Accounts", json=account)
    assert generic.post(RESET, json={}, auth=("op", account["Password"])).status_code == 403


# -- certificates -------------------------------------------------------------------------------------------------------


def certificate(subject):
    return CertificateStore().certificate(CertificateSpec(subject)).pem.decode()


@pytest.fixture
def secured(generic):
    app = create_app(generic.rack, keyring_of=lambda _: StaticKeyring(certificate("CN=bmc,O=Contoso")))
    app.testing = True
    generic.client = app.test_client()
    return generic


def replacing(pem, uri=f"{FOLDER}/1", kind="PEM"):
    return {"CertificateString": pem, "CertificateType": kind, "CertificateUri": {"@odata.id": uri}}


def test_the_certificate_is_shown(secured):
    (member,) = secured.get(FOLDER).json["Members"]
    shown = secured.get(member["@odata.id"]).json
    assert shown["Subject"] == {"CommonName": "bmc", "Organization": "Contoso"}
    assert shown["CertificateString"].startswith("-----BEGIN CERTIFICATE-----")
    assert secured.get("/redfish/v1/CertificateService/CertificateLocations").json["Links"]["Certificates"] == [member]


def test_a_certificate_can_be_replaced_and_is_then_really_shown(secured):
    new = certificate("CN=other")
    tag = secured.get(f"{FOLDER}/1").headers["ETag"]
    answer = secured.post(REPLACE, json=replacing(new))
    assert (answer.status_code, answer.headers["Location"]) == (204, f"{FOLDER}/1")
    shown = secured.get(f"{FOLDER}/1")
    assert (shown.json["CertificateString"], shown.headers["ETag"] == tag) == (new, False)


@pytest.mark.parametrize(
    "body",
    [
        replacing("nonsense"),
        replacing("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        replacing(certificate("CN=x"), kind="PKCS7"),
        replacing(certificate("CN=x"), uri=f"{FOLDER}/2"),
        replacing(certificate("CN=x")) | {"CertificateUri": "there"},
        {"CertificateString": "x"},
    ],
)
def test_what_cannot_be_parsed_changes_nothing(secured, body):
    before = secured.get(f"{FOLDER}/1").data
    assert secured.post(REPLACE, json=body).status_code == 400
    assert secured.get(f"{FOLDER}/1").data == before


def test_a_service_without_tls_has_no_certificate(generic):
    assert generic.get(FOLDER).json["Members"] == []
    assert generic.get(f"{FOLDER}/1").status_code == 404
    assert generic.post(REPLACE, json=replacing(certificate("CN=x"))).status_code == 400


# -- registries ---------------------------------------------------------------------------------------------------------


def spoken_names():
    """Every Base message that the code of the service can say: the literal arguments of whatever makes a complaint."""
    found = set()
    for path in Path(emulator.redfish.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("RegistryError", "RegistryMessage", "InvalidValue")
            ):
                found |= {
                    arg.value
                    for arg in ast.walk(ast.Tuple(elts=node.args[:2], ctx=ast.Load()))
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and arg.value[:1].isupper()
                }
    return {name for name in found if name.isidentifier() and any(other.islower() for other in name)}


def test_every_message_that_the_service_says_is_in_its_registry(generic):
    served = generic.get(f"{REGISTRIES}/Base.1.22/Base.1.22.0.json").json["Messages"]
    said = spoken_names() - {"SessionTimeout"}
    assert {"NoOperation", "ResourceAlreadyExists", "PropertyValueTypeError"} <= said
    properties = {"UserName", "Password", "CertificateUri", "CertificateString", "Accept", "Unauthorized", "ManagerAccount"}
    properties |= {"Locked", "AccountLockoutCounterResetAfter"}
    assert said - properties <= served.keys()
    assert served.keys() <= BASE_MESSAGES.keys() | {
        message.id.rpartition(".")[2] for message in generic.profile.messages.values()
    }


@pytest.mark.parametrize("name", ["ResourceEvent.1.3", "TaskEvent.1.0", "LogEvent.1.0"])
def test_the_registries_of_events_are_served(generic, name):
    where = generic.get(f"{REGISTRIES}/{name}").json["Location"][0]["Uri"]
    held = generic.get(where).json
    assert held["Messages"]
    for message in held["Messages"].values():
        assert message["NumberOfArgs"] == sum(f"%{n}" in message["Message"] for n in range(1, 5))


@pytest.mark.parametrize("profile", ["dmtf-generic", "dell-idrac9", "openbmc-x86"])
def test_every_event_of_a_busy_bmc_is_in_a_registry_that_it_serves(make_bmc, profile):
    bmc = make_bmc(profile)
    heard = []

    class RecordingDelivery:
        def allows(self, host):
            return True

        def deliver(self, delivery, done):
            heard.append(delivery.body)
            done(None)

    app = create_app(bmc.rack, event_delivery=RecordingDelivery())
    app.testing = True
    bmc.client = app.test_client()
    bmc.post("/redfish/v1/EventService/Subscriptions", json={"Destination": "http://h/", "Protocol": "Redfish"})
    for word in ("ForceOff", "On", "PowerCycle", "ForceRestart", "GracefulShutdown", "Nmi"):
        bmc.reset(word)
        bmc.clock.advance(300)
    bmc.get(bmc.system, auth=("nobody", "x"))
    body = {"UserName": "x", "Password": "Pw-3.unguessable", "RoleId": "ReadOnly"}
    path = bmc.post("/redfish/v1/AccountService/Accounts", json=body).headers["Location"]
    bmc.ask("PATCH", path, json={"Enabled": False})
    bmc.ask("DELETE", path)
    said = {json.loads(event)["Events"][0]["MessageId"] for event in heard}
    assert len(said) > 6
    for message_id in said:
        registry, _, name = message_id.rpartition(".")
        where = bmc.get(f"{REGISTRIES}/{registry}").json["Location"][0]["Uri"]
        assert name in bmc.get(where).json["Messages"]
