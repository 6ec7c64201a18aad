"""TLS on byte strings, without a socket.

`Connection` calls it, in the loop's thread. `ssl.MemoryBIO` costs about 20 KB per idle connection, but the socket stays ours, so
a fault can hang, reset or cut the connection at any byte below TLS.
"""

from __future__ import annotations

import contextlib
import ssl

_READ = 65536


class TlsLayer:
    """The server's side of one TLS connection. After each call, `take()` returns the bytes that must go to the client."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._notified = False
        self.handshaking = True

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Decrypts what the client sent: (plain text, whether the client has ended). Empty `data` is its end of file.

        Raises ssl.SSLError for bytes that are not TLS, a version that is not enabled, or a broken record. `take()` then returns
        the alert, and nothing else can be sent.
        """
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        plain: list[bytes] = []
        ended = not data
        try:
            if self.handshaking:
                self._tls.do_handshake()
                self.handshaking = False
            while chunk := self._tls.read(_READ):
                plain.append(chunk)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            ended = True
        except ssl.SSLError:
            self._notified = True
            raise
        return b"".join(plain), ended

    def encrypt(self, clear: memoryview) -> bool:
        """Encrypts plain text for `take()`. False: the client has ended without close_notify, so nothing can be sent."""
        try:
            while clear:
                clear = clear[self._tls.write(clear) :]
        except ssl.SSLError:
            return False
        return True

    def close(self) -> None:
        """Adds close_notify to what `take()` returns, once."""
        if self.handshaking or self._notified:
            return
        self._notified = True
        with contextlib.suppress(ssl.SSLError):  # raised because the client's close_notify has not come; nobody waits for it
            self._tls.unwrap()

    def take(self) -> bytes:
        """The encrypted bytes that must go to the client now."""
        return self._out.read() if self._out.pending else b""
