"""Servers, the honest and the others: real ones, on addresses of this machine."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from automl.deadline import Deadline
from automl.errors import DataError
from automl.learning.data.files import FileTable, read_file
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.remote import fetched
from automl.learning.data.reading.web import _is_public, answered

TABLE = b"x,y\n" + b"1,2\n" * 20


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = self.server.server_address[1]
        redirects = {
            "/same": "/t.csv",
            "/name": f"http://localhost:{port}/t.csv",
            "/other": f"http://127.0.0.2:{port}/t.csv",
            "/inside": "http://10.1.2.3/t.csv",
            "/file": "file:///etc/passwd",
            "/loop": "/loop",
        }
        path = self.path.partition("?")[0]
        self.server.asked.append((path, self.headers.get("Authorization")))
        if path in redirects:
            self._answer(302, b"", Location=redirects[path])
        elif path == "/slow":
            self._answer(200, b"x")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.5)
        elif path == "/packed":
            self._answer(200, gzip.compress(TABLE), Content_Encoding="gzip")
        elif path == "/bomb":
            self._answer(200, gzip.compress(bytes(100 << 20)), Content_Encoding="gzip")
        elif path == "/cut":
            self._answer(200, TABLE, Content_Length="1000")
        elif path == "/much":
            self._answer(200, TABLE, Content_Length=str(10**14))
        else:
            self._answer(200 if path.startswith("/t.csv") else 404, TABLE)

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    server.handle_error = lambda *_: None  # whoever has read enough hangs up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_table_behind_a_url_is_read(server) -> None:
    found = read_file(f"{server.url}/t.csv?token=geheim")
    assert isinstance(found, FileTable)
    pd.testing.assert_frame_equal(found.frame, pd.DataFrame({"x": [1] * 20, "y": [2] * 20}))


def test_a_server_that_is_slow_ends_with_the_time_budget(server) -> None:
    with pytest.raises(DataError, match=r"Reading http://127\.0\.0\.1:\d+/slow has taken .* of 4 s is over"):
        read_file(f"{server.url}/slow", Reading(Deadline.after(4.0)))


def test_a_redirect_to_the_same_host_is_followed_in_silence(server, caplog: pytest.LogCaptureFixture) -> None:
    assert fetched(f"{server.url}/same", Reading()).read() == TABLE
    assert not caplog.messages


def test_a_redirect_to_another_name_is_said_and_gets_no_password(server, caplog: pytest.LogCaptureFixture) -> None:
    url = server.url.replace("://", "://user:geheim@")
    server.asked.clear()
    assert fetched(f"{url}/name", Reading()).read() == TABLE
    (message,) = caplog.messages
    assert "is redirected from http://127.0.0.1:" in message and "to http://localhost:" in message
    assert "geheim" not in message
    assert [bool(password) for _, password in server.asked] == [True, False]


@pytest.mark.parametrize("path", ["other", "inside"])
def test_a_redirect_to_another_private_address_is_refused(server, path: str) -> None:
    server.asked.clear()
    with pytest.raises(DataError, match="an address of this machine or its network, which is not followed"):
        fetched(f"{server.url}/{path}", Reading())
    assert [asked for asked, _ in server.asked] == [f"/{path}"]


@pytest.mark.parametrize(
    "inside", ["10.0.0.1", "::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe"]
)
def test_a_private_address_is_known_in_every_spelling(inside: str) -> None:
    assert _is_public("64:ff9b::808:808")
    assert not _is_public(inside)


def test_other_ways_to_lead_astray(server) -> None:
    with pytest.raises(DataError, match="no web address"):
        fetched(f"{server.url}/file", Reading())
    with pytest.raises(DataError, match="redirected more than 10 times"):
        fetched(f"{server.url}/loop", Reading())


def test_what_a_server_packs_is_unpacked_as_far_as_a_file_would_be(server) -> None:
    assert fetched(f"{server.url}/packed", Reading()).read() == TABLE
    with pytest.raises(DataError, match=r"/bomb unpacks to more than 64 MB"):
        fetched(f"{server.url}/bomb", Reading())


def test_lengths_that_are_wrong_are_noticed(server) -> None:
    with pytest.raises(DataError, match=r"(?i)incomplete|cut off"):
        fetched(f"{server.url}/cut", Reading())
    with pytest.raises(DataError, match="is larger than"):
        fetched(f"{server.url}/much", Reading())


def test_what_is_not_there_is_said(server) -> None:
    with pytest.raises(DataError, match=r"Cannot read http://.*/absent: it is not there, or cannot be reached"):
        fetched(f"{server.url}/absent?key=geheim", Reading())
    with pytest.raises(DataError, match="the server cannot be reached"), answered("http://127.0.0.1:9/"):
        pass
