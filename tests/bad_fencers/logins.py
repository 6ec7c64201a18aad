"""How the honest fencer logs in to a Redfish service, and what it calls the answers that have nothing to do with power."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import urllib3

SESSIONS = "/redfish/v1/SessionService/Sessions"


class Failed(Exception):
    """The host could not be brought, or shown, to be as asked."""


class BadAnswer(Failed):
    """The BMC answered with an error: nothing was read."""


def password_of(bmc: Mapping[str, str]) -> str:
    """As told, or from the file or the program that is named instead."""
    if bmc["password_file"]:
        return Path(bmc["password_file"]).read_text(encoding="utf-8").partition("\n")[0]
    if bmc["password_script"]:
        script = subprocess.run([bmc["password_script"]], capture_output=True, check=True, text=True, encoding="utf-8")
        return script.stdout.removesuffix("\n")
    return bmc["password"]


class LogIn:
    """HTTP Basic; a session where the service refuses Basic, and a new one, once, where the session has ended."""

    request_s: float | None = 2.0
    causes: Mapping[int, str] = {403: "privilege", 404: "not-found", 503: "busy"}

    def __init__(self, bmc: Mapping[str, str]) -> None:
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        self.bmc = bmc
        self.password = password_of(bmc)
        self.http = requests.Session()
        self.http.auth = (bmc["user"].encode(), self.password.encode())
        self.http.verify = self.verification()
        self.http.trust_env = False
        self.session_path = ""
        self.log_ins = 0

    def verification(self) -> bool | str:
        """What `requests` takes: no check, the authorities of this system, or a file with a certificate."""
        return False if self.bmc["insecure"] else self.bmc["ca_file"] or True

    def url(self, path: str) -> str:
        """An action may be advertised as an absolute URI; another host than the BMC is refused."""
        if path.startswith(("http://", "https://")):
            if not path.startswith(self.bmc["url"] + "/"):
                raise Failed("bad-response: an action of another host")
            return path
        return self.bmc["url"] + path

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request, and a second one after a log-in if that is what the service wants."""
        answer = self.http.request(method, self.url(path), timeout=self.request_s, **more)
        if answer.status_code == 401 and self.may_log_in(answer):
            self.log_in()
            answer = self.http.request(method, self.url(path), timeout=self.request_s, **more)
        return answer

    def may_log_in(self, answer: requests.Response) -> bool:
        refused_basic = not self.session_path and "basic" not in answer.headers.get("WWW-Authenticate", "").lower()
        return self.log_ins < 2 and (refused_basic or bool(self.session_path))

    def log_in(self) -> None:
        self.log_ins += 1
        self.http.auth = None
        self.http.headers.pop("X-Auth-Token", None)
        credentials = {"UserName": self.bmc["user"], "Password": self.password}
        answer = self.http.post(self.url(SESSIONS), json=credentials, timeout=self.request_s)
        if answer.status_code == 401:
            raise Failed("auth: the BMC refuses the log-in (401)")
        self.expect_success(answer)
        self.session_path = answer.headers["Location"]
        self.http.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]

    def log_out(self) -> None:
        if self.session_path:
            path, self.session_path = self.session_path, ""
            self.http.delete(self.url(path), timeout=self.request_s)

    def expect_success(self, answer: requests.Response) -> None:
        if answer.status_code >= 400:
            cause = self.causes.get(answer.status_code, "bad-response")
            raise BadAnswer(f"{cause}: HTTP {answer.status_code}")
