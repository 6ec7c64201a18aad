"""Certificate signing requests: what is asked for is in them, and what cannot be is refused by name."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID

from emulator.redfish.certificates.keyring import StaticKeyring
from emulator.redfish.certificates.signing_requests import CURVES, PARAMETERS, REQUIRED
from emulator.redfish.service.app import create_app
from emulator.wire.certs import CertificateSpec, CertificateStore

SERVICE = "/redfish/v1/CertificateService"
GENERATE = f"{SERVICE}/Actions/CertificateService.GenerateCSR"
FOLDER = "/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates"
WISH = {
    "CommonName": "bmc7.example",
    "Organization": "Contoso",
    "City": "Bern",
    "State": "BE",
    "Country": "CH",
    "CertificateCollection": {"@odata.id": FOLDER},
}


@pytest.fixture
def secured(generic):
    pem = CertificateStore().certificate(CertificateSpec("CN=bmc,O=Contoso", names=("bmc",))).pem.decode()
    app = create_app(generic.rack, keyring_of=lambda name: StaticKeyring(pem))
    app.testing = True
    generic.client = app.test_client()
    return generic


def request_of(answer):
    assert answer.status_code == 200, answer.json
    return x509.load_pem_x509_csr(answer.json["CSRString"].encode())


def test_a_request_says_what_was_wished(secured):
    more = {
        "OrganizationalUnit": "Lab",
        "Email": "ops@contoso.example",
        "AlternativeNames": ["bmc7.example", "*.contoso.example", "192.0.2.7", "2001:db8::7"],
        "KeyUsage": ["KeyEncipherment", "ServerAuthentication", "ClientAuthentication"],
        "ChallengePassword": "open sesame",
        "ContactPerson": "Ann",
    }
    answer = secured.post(GENERATE, json=WISH | more)
    assert answer.json["CertificateCollection"] == {"@odata.id": FOLDER}
    request = request_of(answer)
    assert request.is_signature_valid
    assert [part.value for part in request.subject] == [
        *("bmc7.example", "Contoso", "Lab", "Bern", "BE", "CH", "ops@contoso.example", "Ann")
    ]
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == more["AlternativeNames"]
    usage = request.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_encipherment, usage.digital_signature) == (True, False)
    purposes = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert request.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value == b"open sesame"


def test_without_a_word_about_it_the_key_is_for_a_server(secured):
    request = request_of(secured.post(GENERATE, json=WISH | {"Email": "", "AlternativeNames": [], "KeyUsage": None}))
    assert isinstance(request.public_key().curve, ec.SECP384R1)
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert list(request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize("curve", CURVES)
def test_every_curve_that_is_offered_is_made(secured, curve):
    wish = WISH | {"KeyPairAlgorithm": "TPM_ALG_ECDSA", "KeyCurveId": curve, "KeyBitLength": 2048}
    assert str(request_of(secured.post(GENERATE, json=wish)).public_key().key_size) == curve[-3:]


def test_rsa_keys_have_the_length_that_was_asked_for(secured):
    for more, length in (({}, 2048), ({"KeyBitLength": 3072}, 3072)):
        key = request_of(secured.post(GENERATE, json=WISH | {"KeyPairAlgorithm": "TPM_ALG_RSA"} | more)).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == length


def test_no_two_requests_have_one_key(secured):
    assert (
        request_of(secured.post(GENERATE, json=WISH)).public_key() != request_of(secured.post(GENERATE, json=WISH)).public_key()
    )


@pytest.mark.parametrize("name", REQUIRED)
def test_what_must_be_there_is_asked_for_by_name(secured, message, name):
    answer = secured.post(GENERATE, json={key: value for key, value in WISH.items() if key != name})
    assert (answer.status_code, message(answer)) == (400, ("ActionParameterMissing", ["GenerateCSR", name]))


def test_everything_that_is_missing_is_told_at_once(secured):
    told = secured.post(GENERATE, json={}).json["error"]["@Message.ExtendedInfo"]
    assert [entry["MessageArgs"][1] for entry in told] == list(REQUIRED)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"KeyPairAlgorithm": "TPM_ALG_SM2"}, "ActionParameterValueNotInList"),
        ({"KeyPairAlgorithm": 5}, "ActionParameterValueTypeError"),
        ({"KeyBitLength": 1024}, "ActionParameterValueNotInList"),
        ({"KeyBitLength": "2048"}, "ActionParameterValueTypeError"),
        ({"KeyBitLength": True}, "ActionParameterValueTypeError"),
        ({"KeyCurveId": "secp256k1"}, "ActionParameterValueNotInList"),
        ({"KeyUsage": ["Everything"]}, "ActionParameterValueNotInList"),
        ({"KeyUsage": ["EncipherOnly"]}, "ActionParameterValueError"),
        ({"AlternativeNames": ["not a name"]}, "ActionParameterValueFormatError"),
        ({"AlternativeNames": [""]}, "ActionParameterValueFormatError"),
        ({"AlternativeNames": [7]}, "ActionParameterValueTypeError"),
        ({"AlternativeNames": "bmc7"}, "ActionParameterValueTypeError"),
        ({"Country": "Switzerland"}, "ActionParameterValueError"),
        ({"Country": "4\u00fc"}, "ActionParameterValueFormatError"),
        ({"CommonName": ""}, "ActionParameterValueError"),
        ({"CommonName": "x" * 65}, "ActionParameterValueError"),
        ({"City": "Be\nrn"}, "ActionParameterValueFormatError"),
        ({"Email": "nobody"}, "ActionParameterValueFormatError"),
        ({"CertificateCollection": {"@odata.id": "/redfish/v1/Systems"}}, "ActionParameterValueError"),
        ({"CertificateCollection": FOLDER}, "ActionParameterValueTypeError"),
        ({"Colour": "red"}, "ActionParameterUnknown"),
    ],
)
def test_what_cannot_be_is_refused_by_name(secured, message, change, wanted):
    answer = secured.post(GENERATE, json=WISH | change)
    assert (answer.status_code, message(answer)[0]) == (400, wanted)


def test_a_challenge_password_is_never_repeated(secured):
    answer = secured.post(GENERATE, json=WISH | {"ChallengePassword": "s3cret\n"})
    assert answer.status_code == 400
    assert "s3cret" not in answer.text


def test_the_action_says_what_it_takes(secured):
    action = secured.get(SERVICE).json["Actions"]["#CertificateService.GenerateCSR"]
    assert action["target"] == GENERATE
    info = {entry["Name"]: entry for entry in secured.get(action["@Redfish.ActionInfo"]).json["Parameters"]}
    assert info.keys() == PARAMETERS.keys()
    assert {name for name, entry in info.items() if entry["Required"]} == set(REQUIRED)
    assert info["KeyBitLength"]["AllowableNumbers"] == ["2048", "3072"]


@pytest.mark.parametrize("name", ["Rekey", "Renew"])
def test_a_certificate_asks_for_its_successor(secured, name):
    target = secured.get(f"{FOLDER}/1").json["Actions"][f"#Certificate.{name}"]["target"]
    answer = secured.post(target, json={"ChallengePassword": "x"})
    assert answer.json["Certificate"] == {"@odata.id": f"{FOLDER}/1"}
    request = request_of(answer)
    assert request.subject.rfc4514_string() == "CN=bmc,O=Contoso"
    assert request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [
        "bmc"
    ]
    assert secured.post(target, json={"Colour": "red"}).status_code == 400


def test_only_those_who_may_configure_the_manager_ask(secured):
    account = {"UserName": "op", "Password": "Op-5jk2.secret", "RoleId": "Operator"}
    secured.post("/redfish/v1/AccountService/Accounts", json=account)
    for path in (GENERATE, f"{FOLDER}/1/Actions/Certificate.Renew"):
        assert secured.post(path, json=WISH, auth=("op", account["Password"])).status_code == 403


def test_without_tls_there_is_nothing_to_ask_for(generic):
    assert generic.post(GENERATE, json=WISH).status_code == 400
    assert generic.post(f"{FOLDER}/1/Actions/Certificate.Renew", json={}).status_code == 404
