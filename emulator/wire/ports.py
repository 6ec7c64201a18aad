"""Finds TCP ports that are free right now, and writes hosts as URLs need them.

Tests, the conformance runner and the emulator's command line call it, in any thread.
"""

from __future__ import annotations

import socket


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """`count` different free TCP ports of an IP address. Use them at once: another process may take one before you do."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind((address, 0))
        return [int(sock.getsockname()[1]) for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def before_port(host: str) -> str:
    """A host in the form that stands before a port, in a URL or elsewhere: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host
