"""Sends the same Redfish requests as CloudStack 4.22, for the policy `cloudstack-4.22` only.

`Manager` calls it in the worker threads of the pool "bmc". Timeouts are seconds.

Rules
  1. The requests are those captured from CloudStack: GET Systems (no trailing slash), the first member, Basic authentication
     in the first request, POST with ResetType. Any 2xx is success; the body of the answer to the POST is not read, and the
     task of a 202 is not followed. After an I/O error a request is repeated twice, 2 s apart, a POST too.
  2. There are two differences, so that a demonstration ends: requests have a time-out (CloudStack has none), and any port
     can be used (CloudStack uses 443 and 80 only). A time-out is not repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import requests

from fencer.device_check import DeviceCheck
from fencer.ha.bmc import BmcReadFailed, CommandAnswer, CommandPermit
from fencer.ha.observations import CommandResult
from fencer.outcome import Cause, Failure, Reading

OFF = "GracefulShutdown"  # CloudStack sends the same for OFF and SOFT (RedfishWrapper.java:33-34)
RESET = "ForceRestart"
TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStackBmc:
    """One BMC. `url`: for example https://127.0.0.2:8443. `verify`: a bool or the path of a CA file, as in requests."""

    url: str
    user: str
    password: str = field(repr=False)
    verify: bool | str = False
    pause_s: float = 2.0  # before a request is repeated after an I/O error

    def read(self, timeout: float) -> Reading:
        """Always raises BmcReadFailed: CloudStack's HA never reads the power state."""
        raise BmcReadFailed(Failure(cause=Cause.UNSUPPORTED, text="the policy cloudstack-4.22 never reads the power state"))

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        return self._reset(OFF, timeout)

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        return self._reset(RESET, timeout)

    def check(self, timeout: float) -> DeviceCheck:
        """CloudStack checks no device beforehand, so there is nothing to say."""
        return DeviceCheck(outcome=None, failure=None)

    def _reset(self, kind: str, timeout: float) -> CommandAnswer:
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.auth = (self.user, self.password)
                session.verify = self.verify
                session.headers["Accept"] = "application/json"
                listing = self._repeated(lambda: session.get(f"{self.url}/redfish/v1/Systems", timeout=timeout))
                if listing.status_code != 200:
                    return _failed(f"Failed to get System power state: HTTP {listing.status_code}", listing.status_code)
                system = str(listing.json()["Members"][0]["@odata.id"]).rstrip("/").rsplit("/", 1)[-1]
                target = f"{self.url}/redfish/v1/Systems/{system}/Actions/ComputerSystem.Reset"
                answer = self._repeated(lambda: session.post(target, json={"ResetType": kind}, timeout=timeout))
        except (requests.RequestException, ValueError, LookupError, TypeError) as error:
            return CommandAnswer(
                result=CommandResult.AMBIGUOUS,
                failure=Failure(cause=Cause.UNREACHABLE, text=f"{kind} failed: {type(error).__name__}"),
            )
        if 200 <= answer.status_code <= 299:
            return CommandAnswer(result=CommandResult.ACCEPTED)
        return _failed(
            f"{kind} failed: the expected HTTP status code is '2XX' but it got '{answer.status_code}'",
            answer.status_code,
        )

    def _repeated(self, send: Callable[[], requests.Response]) -> requests.Response:
        """The answer; after an I/O error the same request again. Raises requests.RequestException after the third."""
        for _ in range(TRIES - 1):
            try:
                return send()
            except requests.Timeout:
                raise
            except requests.ConnectionError:
                time.sleep(self.pause_s)
        return send()


def _failed(text: str, status: int) -> CommandAnswer:
    cause = {401: Cause.AUTH, 403: Cause.PRIVILEGE, 409: Cause.CONFLICT, 503: Cause.BUSY}.get(status, Cause.BAD_RESPONSE)
    return CommandAnswer(result=CommandResult.REFUSED, failure=Failure(cause=cause, text=text, code=f"HTTP {status}"))
