"""Chassis status and Chassis Control over IPMI, with pyghmi's client. `profile probe` uses it in the main thread."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Final

from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.command import Command

from emulator.profile_tools.walk import NoAnswer

CONTROLS: Final = {"down": 0, "up": 1, "cycle": 2, "reset": 3, "diag": 4, "soft": 5}
"""Chassis Control (IPMI 2.0, 28.3)."""
_CHASSIS: Final = 0
_STATUS, _CONTROL = 1, 2


class IpmiChassis:
    """One IPMI session. Raises NoAnswer where none can be opened; closes it at the end of `with`."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        with _quiet():
            try:
                self._client = Command(bmc=host, port=port, userid=user, password=password, keepalive=False)
            except (IpmiException, OSError) as error:
                raise NoAnswer(f"no IPMI session at {host} port {port}: {' '.join(str(error).split())}") from None

    def __enter__(self) -> IpmiChassis:
        return self

    def __exit__(self, *_: object) -> None:
        with _quiet(), contextlib.suppress(Exception):  # nothing is left to do for a session that cannot be closed
            self._client.ipmi_session.logout()

    def power(self) -> str | None:
        """On or Off, or None where the BMC does not answer or refuses."""
        try:
            code, data = self._ask(_STATUS, ())
        except NoAnswer:
            return None
        return None if code or not data else "On" if data[0] & 1 else "Off"

    def control(self, word: str) -> int:
        """Sends a Chassis Control; its completion code. Raises NoAnswer."""
        return self._ask(_CONTROL, (CONTROLS[word],))[0]

    def _ask(self, command: int, data: tuple[int, ...]) -> tuple[int, bytes]:
        with _quiet():
            try:
                answer = self._client.raw_command(netfn=_CHASSIS, command=command, data=data)
            except (IpmiException, OSError) as error:
                raise NoAnswer(f"IPMI: {' '.join(str(error).split())}") from None
        if "code" not in answer:
            raise NoAnswer(f"IPMI: {answer.get('error', 'no answer')}")
        return int(answer["code"]), bytes(answer.get("data", b""))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """pyghmi prints where it should raise."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
