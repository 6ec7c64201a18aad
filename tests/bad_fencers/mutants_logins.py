"""The honest fencer with one planted defect each, in how it logs in, what it does with the password, and how it speaks TLS."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from honest import Failed, Redfish


class ForbiddenIsTimeout(Redfish):
    """Takes no notice of the answer to its command."""

    def answered(self, status: int) -> None:
        pass


class UnauthorizedIsOff(Redfish):
    def may_log_in(self, answer: requests.Response) -> bool:
        return not self.session_path and super().may_log_in(answer)

    def unauthorized(self, path: str) -> Any:
        return {"@odata.id": path, "PowerState": "Off"}


class BasicOnly(Redfish):
    def may_log_in(self, answer: requests.Response) -> bool:
        return False


class SessionsOnly(Redfish):
    def locate(self) -> None:
        self.log_in()
        super().locate()


class LeavesSessions(Redfish):
    def log_out(self) -> None:
        pass


class LeavesSessionsWhenFailing(Redfish):
    """Logs out at the end of an action that went well."""

    def run(self, action: str) -> str | bool | None:
        answer = super().run(action)
        super().log_out()
        return answer

    def log_out(self) -> None:
        pass


class Latin1Password(Redfish):
    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__(bmc)
        self.http.auth = (bmc["user"], self.password)


class ShortPassword(Redfish):
    """Cuts the password off after 16 bytes, as IPMI 1.5 does."""

    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__({**bmc, "password": bmc["password"].encode()[:16].decode(errors="ignore")})


class WholeFileIsPassword(Redfish):
    def __init__(self, bmc: Mapping[str, str]) -> None:
        told = {"password": Path(bmc["password_file"]).read_text(), "password_file": ""} if bmc["password_file"] else {}
        super().__init__({**bmc, **told})


class LogsRequests(Redfish):
    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        if self.bmc["verbose"]:
            word = base64.b64encode(f"{self.bmc['user']}:{self.password}".encode()).decode()
            print(f"> {method} {path}\n> Authorization: Basic {word}", file=sys.stderr)
        return super().ask(method, path, **more)


class UnverifiedIsUnreachable(Redfish):
    def unverified(self, error: Exception) -> str | bool | None:
        return self.unreachable(error)


class IgnoresCertificate(Redfish):
    def verification(self) -> bool | str:
        return False


class AlwaysVerifies(Redfish):
    def verification(self) -> bool | str:
        return True


class SystemAuthoritiesOnly(Redfish):
    def verification(self) -> bool | str:
        return not self.bmc["insecure"]


class FallsBackToHttp(Redfish):
    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            return super().ask(method, path, **more)
        except requests.exceptions.SSLError:
            self.bmc = {**self.bmc, "url": self.bmc["url"].replace("https:", "http:")}
            return super().ask(method, path, **more)


class MistakesIdentityForTime(Redfish):
    def check_machine(self, body: Any) -> None:
        try:
            super().check_machine(body)
        except Failed:
            raise Failed("timeout: the host was still on") from None


MUTANTS = {
    kind.__name__: kind
    for kind in (
        ForbiddenIsTimeout, UnauthorizedIsOff, BasicOnly, SessionsOnly, LeavesSessions, LeavesSessionsWhenFailing, Latin1Password,
        ShortPassword, WholeFileIsPassword, LogsRequests, UnverifiedIsUnreachable, IgnoresCertificate, AlwaysVerifies,
        SystemAuthoritiesOnly, FallsBackToHttp, MistakesIdentityForTime,
    )
}  # fmt: skip
