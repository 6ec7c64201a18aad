"""The errors of the emulator's core, each with the wire codes that answer it.

The core raises them; front ends catch `EmulatorError` and answer `http_status` (Redfish) or `completion_code` (IPMI). Each
docstring says whose fault the error is.
"""

from __future__ import annotations


class EmulatorError(Exception):
    """Base class of all errors of the core. The class itself is never raised."""

    http_status = 500
    completion_code = 0xFF

    def __init__(self, text: str) -> None:
        if type(self) is EmulatorError:
            raise TypeError("EmulatorError is a base class: raise one of its children")
        super().__init__(text)


class NoSuchSystem(EmulatorError):
    """The client named a system that this BMC does not manage."""

    http_status = 404
    completion_code = 0xCB


class NoSuchUnit(EmulatorError):
    """The caller named a BMC that the rack does not hold."""

    http_status = 404
    completion_code = 0xFF


class NoSuchFault(EmulatorError):
    """The caller named an armed fault that does not exist, or not any more."""

    http_status = 404


class IllegalStimulus(EmulatorError):
    """The table of host transitions has no row for this news: a bug of the host driver, never a user's fault."""


class ActionRefused(EmulatorError):
    """The user asked for something that cannot happen to a host in its present state, such as the crash of one that is off."""

    http_status = 409


class RackMisconfigured(EmulatorError):
    """The user asked for a rack that cannot be built, or for a fault that does not fit its seam."""

    http_status = 400


class SettingRefused(EmulatorError):
    """The client asked for a setting that is not valid."""

    http_status = 400
    completion_code = 0xCC
