"""Faults of ports and TLS handshakes, on real sockets with other people's clients; every test has its twin without the fault."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import requests

from emulator import EventKind
from tests.fault_bench import SHORT, FaultBench, fault_bench


@pytest.fixture(scope="module")
def bench() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


def works(bench: FaultBench) -> bool:
    return bench.power() == "On"


def below_tls(sock: socket.socket) -> bytes:
    """Everything up to the end that TCP tells: OpenSSL in Python 3.11 shows a reset as an end of file."""
    data = b""
    while chunk := socket.socket.recv(sock, 65536):
        data += chunk
    return data


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("expired", "certificate has expired"),
        ("not-yet-valid", "not yet valid"),
        ("wrong-name", "mismatch|doesn't match"),
        ("weak-key", "key too (weak|small)|too weak"),
        ("unknown-ca", "unable to get (local )?issuer"),
    ],
)
def test_a_careful_client_refuses_the_certificate_and_sends_nothing(bench: FaultBench, kind: str, complaint: str) -> None:
    assert works(bench)
    before = len(bench.events(EventKind.REQUEST))
    with bench.armed("tls.certificate", params={"kind": kind}) as fault_id:
        with pytest.raises(requests.exceptions.SSLError, match=complaint):
            bench.ask()
        assert len(bench.events(EventKind.REQUEST)) == before
        bench.tls(verify=False).close()  # whoever does not look gets in
        assert bench.fired(fault_id) == 2
    assert works(bench), "disarmed: the BMC's own certificate again"


def test_a_connection_that_was_open_keeps_its_certificate(bench: FaultBench) -> None:
    with requests.Session() as session:
        session.auth = (bench.bmc.username, bench.bmc.password)
        trust = bench.bmc.ca_file
        url = bench.bmc.redfish_url + bench.system
        assert session.get(url, timeout=10, verify=trust).status_code == 200
        with bench.armed("tls.certificate"):
            assert session.get(url, timeout=10, verify=trust).status_code == 200


@pytest.mark.parametrize("newest", ["1.0", "1.1"])
def test_a_client_of_today_does_not_speak_so_old_a_tls(bench: FaultBench, newest: str) -> None:
    with bench.armed("tls.old", params={"newest": newest}):
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol version|unsupported protocol|alert"):
            bench.tls()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version = ssl.TLSVersion.TLSv1
        with old.wrap_socket(bench.tcp()) as spoken:
            assert spoken.version() == {"1.0": "TLSv1", "1.1": "TLSv1.1"}[newest]
    assert bench.tls().version() in ("TLSv1.2", "TLSv1.3")


def test_plain_http_on_the_https_port(bench: FaultBench) -> None:
    with bench.armed("tls.plain-http"):
        with pytest.raises(requests.exceptions.SSLError, match=r"(?i)wrong.version.number|record layer"):
            bench.ask()
        plain = f"http://{bench.bmc.host}:{bench.bmc.redfish_port}/redfish/v1/"
        assert requests.get(plain, timeout=10).status_code == 200
        assert bench.events(EventKind.REQUEST)[-1].data["tls"] is False
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(plain, timeout=10)
    assert works(bench)


def test_a_handshake_that_never_begins_and_a_disarm_that_ends_the_connection(bench: FaultBench) -> None:
    fault_id = bench.arm("tls.stall")
    sock = bench.tcp()
    sock.settimeout(SHORT)
    with pytest.raises(TimeoutError):
        bench.tls(sock=sock)
    held = bench.tcp()
    while bench.fired(fault_id) < 2:
        pass
    bench.emulator.disarm(fault_id)
    assert held.recv(10) == b"", "what it hung is closed properly"
    assert works(bench)


def test_a_late_handshake_begins_when_the_fault_is_disarmed(bench: FaultBench) -> None:
    fault_id = bench.arm("tls.stall", params={"seconds": 3600})
    words: list[object] = []
    client = threading.Thread(target=lambda: words.append(bench.power()))
    client.start()
    while bench.fired(fault_id) < 1:
        pass
    bench.emulator.disarm(fault_id)
    client.join(20)
    assert words == ["On"]


# -- ports -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "error"), [("wire.refuse", ConnectionRefusedError), ("wire.blackhole", TimeoutError)])
def test_a_shut_port(bench: FaultBench, fault: str, error: type[OSError]) -> None:
    where = (bench.bmc.host, bench.bmc.redfish_port)
    inside = bench.tls()
    with bench.armed(fault) as fault_id:
        with pytest.raises(error):
            socket.create_connection(where, timeout=SHORT)
        with pytest.raises(ConnectionResetError):  # it breaks the connections that were open
            below_tls(inside)
        assert bench.ipmi(timeout=SHORT)._one(b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00") is None
        assert bench.fired(fault_id) == 1
    assert works(bench)
    assert bench.ipmi().login().command(0, 1) is not None


def test_a_shut_port_may_leave_ipmi_and_open_connections_alone(bench: FaultBench) -> None:
    with requests.Session() as session:
        session.auth = (bench.bmc.username, bench.bmc.password)
        trust = bench.bmc.ca_file
        url = bench.bmc.redfish_url + bench.system
        session.get(url, timeout=10, verify=trust)
        with bench.armed("wire.refuse", params={"ipmi": False, "breaks": False}):
            assert session.get(url, timeout=10, verify=trust).status_code == 200
            assert bench.ipmi().login().command(0, 1) is not None
            with pytest.raises(requests.exceptions.ConnectionError):
                bench.ask()


def test_a_port_opens_by_itself_when_until_has_come(bench: FaultBench) -> None:
    bench.arm("wire.refuse", until=0.2)
    with pytest.raises(ConnectionRefusedError):
        bench.tcp()
    while True:
        try:
            bench.tcp()
        except ConnectionRefusedError:
            continue
        break
    assert works(bench)
