"""Environments and answers, without HTTP."""

from __future__ import annotations

from itertools import repeat

import pytest

from emulator.wire.wsgi import ApplicationError, call, split_target


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/redfish/v1", ("/redfish/v1", "")),
        (b"/a%20b?x=%20&y", ("/a b", "x=%20&y")),
        (b"http://bmc/redfish?q", ("/redfish", "q")),
        (b"HTTPS://bmc", ("/", "")),
        (b"*", ("*", "")),
        (b"ftp://bmc/x", None),
        (b"bmc:443", None),
    ],
)
def test_a_target_is_a_path_a_url_or_a_star(target, parts):
    assert split_target(target) == parts


class Body(list):
    closed = False

    def close(self):
        self.closed = True


def test_the_body_is_joined_and_closed():
    body = Body([b"a", b"", b"b"])

    def app(environ, start_response):
        write = start_response("202 Accepted", [("X", "é")])
        write(b"first ")
        return body

    answer = call(app, {})
    assert (answer.status, answer.reason, answer.headers, answer.body) == (
        202,
        b"Accepted",
        [(b"X", "é".encode("latin-1"))],
        b"first ab",
    )
    assert body.closed


def test_an_application_may_change_its_mind_when_it_says_why():
    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise RuntimeError
        except RuntimeError as error:
            start_response("500 Oops", [], (RuntimeError, error, error.__traceback__))
        return []

    assert call(app, {}).status == 500


def twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def silent(environ, start_response):
    return []


def nonsense(environ, start_response):
    start_response("fine", [])
    return []


def endless(environ, start_response):
    start_response("200 OK", [])
    return repeat(b"x" * (1 << 20))


@pytest.mark.parametrize(
    ("app", "reason"), [(twice, "twice"), (silent, "never called"), (nonsense, "'fine'"), (endless, "has no end")]
)
def test_what_an_application_does_wrong_is_named(app, reason):
    with pytest.raises(ApplicationError, match=reason):
        call(app, {})
