"""A server that does everything wrong, on loopback: what `hostile.py` lets automl read from."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["HostileServer", "serving"]

TABLE = b"x,c,y\n" + b"".join(b"%d.5,%s,%d\n" % (i, b"ab"[i % 2 : i % 2 + 1], i % 2) for i in range(60))
_REDIRECTS = {
    "/to-metadata.csv": "http://169.254.169.254/latest/meta-data/x.csv",
    "/to-private.csv": "http://10.0.0.1/x.csv",
    "/to-loopback.csv": "http://127.0.0.2:{port}/good.csv",
    "/to-mapped.csv": "http://[::ffff:127.0.0.2]:{port}/good.csv",
    "/to-file.csv": "file:///etc/passwd",
    "/to-loop.csv": "/to-loop.csv",
    "/to-nowhere.csv": "http://[nowhere/",
    "/to-itself.csv": "/good.csv",
}


class HostileServer(ThreadingHTTPServer):
    """A server that misbehaves.

    Attributes:
        sent: bytes of bodies since it was last set to 0.
    """

    daemon_threads = True
    sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HostileServer

    def do_GET(self) -> None:
        self.close_connection = True
        path = self.path.partition("?")[0]
        if path in _REDIRECTS:
            self._head(302, Location=_REDIRECTS[path].format(port=self.server.server_address[1]), Content_Length="0")
            return
        getattr(self, "_" + path.strip("/").partition(".")[0].replace("-", "_"), self._absent)()

    def _head(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, content: bytes) -> None:
        self.wfile.write(content)
        self.server.sent += len(content)

    def _good(self) -> None:
        self._head(Content_Length=str(len(TABLE)))
        self._send(TABLE)

    def _slow(self) -> None:
        self._head()
        for byte in TABLE * 1000:
            self._send(bytes([byte]))
            time.sleep(0.5)

    def _slow_head(self) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1000:
            self.wfile.write(bytes([byte]))
            time.sleep(0.5)

    def _silent(self) -> None:
        time.sleep(600)

    def _endless(self) -> None:
        self._head()
        block = b"1.5,a,1\n" * 8192
        self._send(b"x,c,y\n")
        while True:
            self._send(block)

    def _bomb(self) -> None:
        content = gzip.compress(b"x,y\n" + b"0,1\n" * 100_000_000, 1)
        self._head(Content_Encoding="gzip", Content_Length=str(len(content)))
        self._send(content)

    def _odd_encoding(self) -> None:
        self._head(Content_Encoding="br", Content_Length=str(len(TABLE)))
        self._send(TABLE)

    def _truncated(self) -> None:
        self._head(Content_Length=str(10 * len(TABLE)))
        self._send(TABLE)

    def _announces_much(self) -> None:
        self._head(Content_Length=str(10**13))
        self._send(TABLE)

    def _fails(self) -> None:
        self._head(500, Content_Length="0")

    def _picture(self) -> None:
        self._head(Content_Type="text/csv")
        self._send(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)

    def _absent(self) -> None:
        self._head(404, Content_Length="0")

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[HostileServer]:
    server = HostileServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who has read enough hangs up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
