"""A human with curl at a BMC: reads the power state, sends a reset, and is told what the BMC said."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import requests
import urllib3.exceptions

from lab.site import BmcLogin, SiteFailed

PATIENCE = 10.0
"""Seconds for one answer, and for a power state to come about."""


class Client:
    """One session with one BMC. The lab's certificates are the BMC's own; nobody here verifies them."""

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
        """The PowerState as it is said: a word, or None."""
        return self._ask(lambda url: self._session.get(url, timeout=PATIENCE)).json().get("PowerState")

    def reset(self, kind: str) -> int:
        """The HTTP status of ComputerSystem.Reset."""
        action = "/Actions/ComputerSystem.Reset"
        return self._ask(lambda url: self._session.post(url + action, json={"ResetType": kind}, timeout=PATIENCE)).status_code

    def await_power(self, word: str, seconds: float = PATIENCE) -> None:
        """Raises SiteFailed where the BMC does not come to say it."""
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
