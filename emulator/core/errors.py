"""What can go wrong inside an emulator, and whose fault it was.

Each class carries the wire codes that a front end answers when one of these reaches it, so that no front end guesses.
"""

from __future__ import annotations


class EmulatorError(Exception):
    """Base of all; never raised itself."""

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
    """The host table has no row for this: a caller's bug, never a user's fault."""


class RackMisconfigured(EmulatorError):
    """The user asked for a rack that cannot exist."""

    http_status = 400


class SettingRefused(EmulatorError):
    """The client asked for a setting that makes no sense."""

    http_status = 400
    completion_code = 0xCC
