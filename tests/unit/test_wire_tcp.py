"""Errors of the operating system as sentences."""

from __future__ import annotations

import errno
import os

import pytest

from emulator.wire.tcp import cannot_bind


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EADDRINUSE, "something else listens there already"),
        (errno.EACCES, "ports below 1024 need a privilege that this process does not have"),
        (errno.EADDRNOTAVAIL, "this machine does not have that address"),
        (errno.EAFNOSUPPORT, "address family not supported by protocol"),
    ],
)
def test_a_port_that_cannot_be_had_is_one_sentence(number, reason):
    error = cannot_bind("127.0.0.1", 623, OSError(number, os.strerror(number)))
    assert str(error) == f"cannot listen on 127.0.0.1 port 623: {reason}"
    assert isinstance(error, OSError)
