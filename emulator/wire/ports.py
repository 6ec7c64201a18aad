"""Ports that nobody listens on right now."""

from __future__ import annotations

import socket


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Different TCP ports that the kernel would hand out. Another process may take one before you do: use them at once."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind((address, 0))
        return [int(sock.getsockname()[1]) for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def before_port(host: str) -> str:
    """A host as it stands before a port, in a URL or elsewhere: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
