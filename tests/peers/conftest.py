"""Services for the Redfish clients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from urllib3.exceptions import InsecureRequestWarning

from tests.peers.redfish.served import Served, served


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(profile, *options)`: a fresh `bmc-emulator run` that lives as long as the test."""
    with ExitStack() as open_services, warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        yield lambda profile="dmtf-generic", *options: open_services.enter_context(served(profile, *options))


@pytest.fixture
def bmc(serve: Callable[..., Served]) -> Served:
    return serve()
