"""What we rely on in pyghmi's private parts. A release that moves them fails here, not in front of a client."""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib.metadata import version

import pytest
from pyghmi.ipmi import bmc as pyghmi_bmc
from pyghmi.ipmi.private import constants, serversession, session

from emulator.ipmi.session.codec import PyghmiSession
from emulator.ipmi.session.handshake import SessionKeys
from emulator.ipmi.session.suites import SUITES

IN_SESSION = (
    session.Session._handle_ipmi2_packet,
    session.Session.send_payload,
)
"""Everything of pyghmi's that runs for an established session."""

NOT_READ_HERE = {
    "pendingpayloads",  # only where a payload waits for an acknowledgement, which pyghmi's server never does
    "_customkeepalives",  # only of sessions that pyghmi keeps alive itself
    "_ipmi15authcode",  # only of sessions of IPMI 1.5
}


def our_session() -> PyghmiSession:
    return PyghmiSession(SessionKeys(SUITES[3], b"", bytes(20), bytes(20)), b"abcd", b"efgh")


def attributes_of_self(function: object, context: type[ast.expr_context]) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, context)
    }


def test_the_version_is_the_one_that_was_read():
    assert version("pyghmi").startswith("1.6.")


@pytest.mark.parametrize("function", IN_SESSION, ids=lambda f: f.__name__)
def test_everything_that_pyghmi_reads_of_a_session_is_set_by_us(function):
    missing = {name for name in attributes_of_self(function, ast.Load) - NOT_READ_HERE if not hasattr(our_session(), name)}
    assert not missing


def test_everything_that_we_set_is_known_to_pyghmi_or_marked_as_ours():
    ours = {"_payload"}
    known = set().union(
        *(
            attributes_of_self(function, context)
            for cls in (session.Session, serversession.ServerSession)
            for function in vars(cls).values()
            if inspect.isfunction(function)
            for context in (ast.Load, ast.Store)
        )
    )
    assert set(vars(our_session())) - ours <= known


class Silent:
    """Stands where pyghmi expects a socket."""

    def setblocking(self, _flag: bool) -> None: ...

    def sendto(self, _packet: object, _peer: object) -> None: ...


class WithoutNetwork(pyghmi_bmc.Bmc):
    """A real pyghmi BMC, as its own constructor makes it, without a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session.Session, "_assignsocket", lambda *_args, **_kwargs: Silent())
        monkeypatch.setattr(session.Session, "bmc_handlers", {})
        super().__init__({"root": "secret"}, address="127.0.0.1")


def test_a_session_that_pyghmi_made_itself_has_the_same_attributes_of_the_same_kind(monkeypatch):
    bmc = WithoutNetwork(monkeypatch)
    request = bytes(4) + b"efgh" + bytes(24)
    theirs = serversession.ServerSession(bmc.authdata, bmc.kg, ("127.0.0.1", 1), bmc.serversocket, request, bmc.uuid, bmc)
    ours = vars(our_session())
    shared = vars(theirs).keys() & ours.keys()
    assert {"ipmiversion", "authtype", "lastpayload", "currhashlen", "sequencenumber"} <= shared
    plain = (bool, float, int)
    differing = {
        name
        for name in shared - {"integrityalgo", "confalgo", "currhashlib"}
        if isinstance(vars(theirs)[name], plain) and not isinstance(ours[name], plain)
    }
    assert not differing


def test_the_hooks_that_we_override_are_still_called():
    opens = attributes_of_self(session.Session._handle_ipmi2_packet, ast.Load)
    assert {"_parse_ipmi_payload", "sol_handler"} <= opens
    seals = attributes_of_self(session.Session.send_payload, ast.Load)
    assert "_xmit_packet" in seals
    assert "netpacket" in attributes_of_self(session.Session.send_payload, ast.Store)
    assert constants.payload_types["ipmi"] == 0
    assert constants.payload_types["sol"] == 1


def test_making_a_session_touches_no_global_table():
    before = (
        dict(session.Session.bmc_handlers),
        dict(session.Session.waiting_sessions),
        dict(session.Session.keepalive_sessions),
    )
    our_session()
    assert before == (session.Session.bmc_handlers, session.Session.waiting_sessions, session.Session.keepalive_sessions)
