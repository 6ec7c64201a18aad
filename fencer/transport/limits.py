"""Resolves host names within a time limit. The transports call it; it starts one thread per name. Times are seconds."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading

from fencer.outcome import Cause, Failure
from fencer.transport.base import CallFailed

ResolvedAddress = tuple[socket.AddressFamily, str]


def addresses(host: str, timeout: float) -> list[ResolvedAddress]:
    """Resolves a host name. The system's resolver has no time-out, so it runs in a thread of its own.

    Raises CallFailed.
    """
    try:
        version = ipaddress.ip_address(host.partition("%")[0]).version
    except ValueError:
        pass
    else:
        return [(socket.AF_INET6 if version == 6 else socket.AF_INET, host)]
    answers: queue.SimpleQueue[list[ResolvedAddress] | str] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:  # ValueError: a name that cannot be encoded, or a NUL in it
            answers.put(str(error))
        else:
            answers.put([(family, str(address[0])) for family, _, _, _, address in found])

    try:
        threading.Thread(target=resolve, daemon=True).start()
    except RuntimeError:  # this machine gives no thread: better without a limit than not at all
        resolve()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        answer = f"no answer from the resolver within {timeout:.1f} s"
    if isinstance(answer, str):
        text = f"the name {host} does not resolve ({answer})"
        raise CallFailed(Failure(cause=Cause.UNREACHABLE, text=text))
    return answer
