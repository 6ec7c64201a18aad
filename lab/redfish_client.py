"""A Redfish client for an incident: reads the power state and sends a reset, as an operator would with curl.

Every call blocks the caller's thread for at most TIMEOUT_S seconds.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import requests
import urllib3.exceptions

from lab.site import BmcLogin, SiteFailed

TIMEOUT_S = 10.0
"""How long to wait for one answer, and for a power state."""


class Client:
    """A client of one BMC. It does not verify the certificate, because the lab's BMCs have self-signed ones."""

    def __init__(self, login: BmcLogin) -> None:
        self._login = login
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (login.username, login.password)
        self._session.verify = False

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def power(self) -> object:
        """Returns the PowerState: a word, or None."""
        return self._ask(lambda url: self._session.get(url, timeout=TIMEOUT_S)).json().get("PowerState")

    def reset(self, kind: str) -> int:
        """Sends ComputerSystem.Reset and returns the HTTP status."""
        action = "/Actions/ComputerSystem.Reset"
        return self._ask(lambda url: self._session.post(url + action, json={"ResetType": kind}, timeout=TIMEOUT_S)).status_code

    def await_power(self, word: str, seconds: float = TIMEOUT_S) -> None:
        """Waits until the BMC says `word`. Raises SiteFailed after `seconds`."""
        until = time.monotonic() + seconds
        while (said := self.power()) != word:
            if time.monotonic() > until:
                raise SiteFailed(f"the BMC at {self._login.url} still says {said!r}, not {word}, after {seconds:g} s")
            time.sleep(0.05)

    def _ask(self, request: Callable[[str], requests.Response]) -> requests.Response:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            try:
                return request(self._login.url + self._login.system_uri)
            except requests.RequestException as error:
                raise SiteFailed(f"the BMC at {self._login.url} does not answer: {error}") from error
