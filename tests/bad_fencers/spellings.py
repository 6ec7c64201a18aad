"""The same fencer, its requests written in another way that every BMC accepts. No verdict may change with any of these.

`honest.spelled` puts one of them in front of a fencer's class.
"""

from __future__ import annotations

from typing import Any

import requests
from honest import Redfish
from honest_ipmi import Ipmi
from requests.adapters import HTTPAdapter

SESSIONS = "/redfish/v1/SessionService/Sessions"
GET_ACPI_POWER_STATE = {"netfn": 0x06, "command": 0x07}


class TrailingSlash(Redfish):
    """Every path ends in a slash."""

    def url(self, path: str) -> str:
        return f"{super().url(path).rstrip('/')}/"


class Expand(Redfish):
    """Reads Systems and Chassis only as members of their expanded collection."""

    def get(self, path: str) -> Any:
        collection, _, name = path.rpartition("/")
        if not collection.endswith(("/Systems", "/Chassis")) or not name:
            return super().get(path)
        members = super().get(f"{collection}?$expand=.($levels=1)")["Members"]
        return next(member for member in members if member["@odata.id"] == path)


class SessionAuth(Redfish):
    """Logs in to a session and out again, instead of Basic credentials in every request."""

    token_path = ""

    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        finally:
            if self.token_path:
                self.http.delete(self.url(self.token_path), timeout=self.request_s)

    def locate(self) -> None:
        self.http.auth = None
        credentials = {"UserName": self.bmc["user"], "Password": self.bmc["password"]}
        answer = self.http.post(self.url(SESSIONS), json=credentials, timeout=self.request_s)
        if answer.status_code == 401:
            self.unauthorized(SESSIONS)
        answer.raise_for_status()
        self.token_path = answer.headers["Location"]
        self.http.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
        super().locate()


class FullUrlAdapter(HTTPAdapter):
    """Writes the whole URL into the request line, as for a proxy (RFC 9112 3.2.2: servers must accept it)."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        assert request.url is not None
        return request.url


class AbsoluteUri(Redfish):
    """The request line holds the scheme and the host too."""

    def locate(self) -> None:
        self.http.mount("https://", FullUrlAdapter())
        super().locate()


class AcpiState(Ipmi):
    """Reads the power by Get ACPI Power State instead of Get Chassis Status."""

    def state(self) -> str | None:
        data = self.command.raw_command(**GET_ACPI_POWER_STATE)["data"]
        return {0x00: "On", 0x05: "Off"}.get(data[0] & 0x7F)


SPELLINGS: dict[str, type[Redfish]] = {
    "slash": TrailingSlash,
    "expand": Expand,
    "session": SessionAuth,
    "absolute": AbsoluteUri,
    "acpi": AcpiState,
}
