"""CertificateService, and the certificate of the HTTPS port: the one that TLS connections really get.

`service.tree` calls `certificates` when a tree is built; operations run in the emulator's thread.

Rules
  1. A certificate that cannot be parsed is refused and changes nothing. An accepted certificate is shown from then on.
  2. A client may send a private key together with a certificate. The service never sends a private key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from emulator.redfish.certificates.signing_requests import SERVICE, SUBJECT, generate_entry, renewal_entries, signing_actions
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall, RegistryError
from emulator.redfish.service.paths import manager_path
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import OneOfRule, ReferenceRule, TextRule, WritableFields
from profiles.model import Profile

LOCATIONS: Final = f"{SERVICE}/CertificateLocations"
REPLACE: Final = f"{SERVICE}/Actions/CertificateService.ReplaceCertificate"
SERVICE_TYPE: Final = "#CertificateService.v1_0_4.CertificateService"
LOCATIONS_TYPE: Final = "#CertificateLocations.v1_0_3.CertificateLocations"
CERTIFICATE_TYPE: Final = "#Certificate.v1_1_4.Certificate"
COLLECTION_TYPE: Final = "#CertificateCollection.CertificateCollection"
ACTION: Final = "ReplaceCertificate"

PARAMETERS: Final[WritableFields] = {
    "CertificateString": TextRule(low=1, high=65_536, secret=True),
    "CertificateType": OneOfRule(("PEM", "PEMchain")),
    "CertificateUri": ReferenceRule(),
}
_SHOWN: Final = ("CommonName", "Organization", "OrganizationalUnit", "City", "State", "Country", "Email")
"""The parts of a subject or an issuer that are shown."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\n?")


def folder_of(profile: Profile) -> str:
    """The collection that ManagerNetworkProtocol.HTTPS.Certificates links to."""
    return f"{manager_path(profile)}/NetworkProtocol/HTTPS/Certificates"


def certificates(profile: Profile) -> tuple[Resource, ...]:
    folder = folder_of(profile)
    only = f"{folder}/1"

    def service(view: RedfishBmc) -> Json:
        return head_of(SERVICE, SERVICE_TYPE, "CertificateService", "Certificate Service") | {
            "CertificateLocations": link(LOCATIONS),
            "Actions": {"#CertificateService.ReplaceCertificate": {"target": REPLACE}} | generate_entry(),
        }

    def locations(view: RedfishBmc, pem: str | None) -> Json:
        held = [link(only)] if pem is not None else []
        return head_of(LOCATIONS, LOCATIONS_TYPE, "CertificateLocations", "Certificate Locations") | {
            "Links": {"Certificates@odata.count": len(held), "Certificates": held}
        }

    def listing(view: RedfishBmc, pem: str | None) -> Json:
        return collection_body(folder, COLLECTION_TYPE, "Certificate Collection", (only,) if pem is not None else ())

    def member(view: RedfishBmc, name: str) -> Resource | None:
        if name != "1" or view.keyring.current() is None:
            return None
        return Resource(
            path=only,
            type=CERTIFICATE_TYPE,
            content=content_of(_certificate_in_use, lambda view, pem: _body(only, str(pem))),
        )

    return (
        Resource(path=SERVICE, type=SERVICE_TYPE, content=fixed_content(service)),
        Resource(path=LOCATIONS, type=LOCATIONS_TYPE, content=content_of(_certificate_in_use, locations)),
        Resource(path=REPLACE, operations={"POST": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _replace(only))}),
        *signing_actions(folder, only),
        Resource(
            path=folder,
            type=COLLECTION_TYPE,
            content=content_of(_certificate_in_use, listing),
            member=member,
        ),
    )


def _certificate_in_use(call: RedfishCall) -> str | None:
    """A `state`: the certificate as PEM; None without TLS."""
    return call.view.keyring.current()


def _body(path: str, pem: str) -> Json:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return head_of(path, CERTIFICATE_TYPE, "1", "HTTPS Certificate") | {
        "CertificateString": pem,
        "CertificateType": "PEM",
        "Issuer": _identifier(certificate.issuer),
        "Subject": _identifier(certificate.subject),
        "ValidNotBefore": _date(certificate.not_valid_before_utc),
        "ValidNotAfter": _date(certificate.not_valid_after_utc),
        "Actions": renewal_entries(path),
    }


def _identifier(name: x509.Name) -> Json:
    found: Json = {}
    for key in _SHOWN:
        values = name.get_attributes_for_oid(SUBJECT[key])
        if values:
            found[key] = str(values[0].value)
    return found


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _replace(only: str) -> Callable[[RedfishCall], HttpAnswer]:
    """The ReplaceCertificate action; `only` is the path of the only certificate."""

    def replace(call: RedfishCall) -> HttpAnswer:
        """Raises RegistryError (400)."""
        taken = parameters(call.json_object(), PARAMETERS, tuple(PARAMETERS), ACTION)
        if taken["CertificateUri"] != only or call.view.keyring.current() is None:
            raise RegistryError(400, "ActionParameterValueError", "CertificateUri", ACTION, related=("#/CertificateUri",))
        text = str(taken["CertificateString"])
        if not parses(text):
            raise RegistryError(400, "ActionParameterValueError", "CertificateString", ACTION, related=("#/CertificateString",))
        try:
            call.view.keyring.replace(text)
        except ValueError:
            raise RegistryError(
                400, "ActionParameterValueError", "CertificateString", ACTION, related=("#/CertificateString",)
            ) from None
        call.view.record_notice("certificate replaced", call.seq)
        return HttpAnswer(204, (("Location", only),))

    return replace


def parses(pem: str) -> bool:
    """Whether the first certificate in a PEM text can be parsed."""
    found = _CERTIFICATE.search(pem)
    if found is None:
        return False
    try:
        certificate = x509.load_pem_x509_certificate(found[0].encode())
        certificate.subject.rfc4514_string()
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def certificates_in(pem: str) -> str:
    """Only the certificates of a PEM text, without keys and comments."""
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in _CERTIFICATE.findall(pem))
