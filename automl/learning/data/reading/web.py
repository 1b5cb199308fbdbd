"""Files behind http and https: redirects only where they may lead, whatever the server sends.

Runs in the process of `automl.learning.data.reading.apart`: a server may take any time for a name, a connection or a
byte.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from automl.errors import DataError
from automl.learning.data.reading.protocols import HTTP
from automl.learning.data.reading.protocols import told as shown
from automl.redact import without_secrets

if TYPE_CHECKING:
    from requests import Response, Session

__all__ = ["answered"]

_MOST_REDIRECTS = 10
_TIMEOUT = 30
"""Seconds to connect, and between two bytes."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that a gateway between IPv6 and IPv4 (NAT64) passes on to the IPv4 address in the last four bytes."""
_log = logging.getLogger("automl")


@contextmanager
def answered(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Response]:
    """A server's answer, its body still to be read, after redirects.

    A redirect is followed to another host, which is logged, but never to an address that only this machine or its
    network can reach, unless the URL itself has led there: a server outside should not choose what inside is asked.
    The address that was connected to counts: a name cannot mean another one in between. User and password stay
    with the host that they were given for.

    Args:
        url: http or https.
        headers: of the request.

    Raises:
        DataError: it leads where it may not, or too far; or the server does not answer.
    """
    import requests

    hops = _Hops(url)
    with requests.Session() as session:
        _check_connections(session, hops)
        for _ in range(_MOST_REDIRECTS + 1):
            with _sent(session, hops, headers) as answer:
                if not answer.is_redirect:
                    yield answer
                    return
                hops.follow(answer.headers["location"])
    raise DataError(f"Cannot read {shown(url)}: it is redirected more than {_MOST_REDIRECTS} times.")


def _sent(session: Session, hops: _Hops, headers: Mapping[str, str] | None) -> Response:
    import requests

    # Without "identity" a server may compress what it sends, and .gz files would come unpacked.
    wanted = {"Accept-Encoding": "identity", **(headers or {})}
    try:
        return session.get(hops.url, headers=wanted, stream=True, timeout=_TIMEOUT, allow_redirects=False)
    except (requests.RequestException, ValueError) as error:
        raise hops.unreachable(error) from None


class _Hops:
    """The places that a request has been sent to, and those that it may go on to.

    Attributes:
        url: of the current hop.
    """

    def __init__(self, url: str) -> None:
        self._first, self.url = url, url
        self._begun = False
        self._known = set[str]()

    def expected(self, host: str) -> None:
        """Refuse what a redirect's host is known to mean without waiting for a connection to it."""
        if self._begun:
            with suppress(OSError):  # the attempt to connect says so
                for found in socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM):
                    self.connected(str(found[4][0]))

    def connected(self, address: str) -> None:
        """Note or refuse the address of the current hop's server, before anything is sent to it."""
        plain = address.partition("%")[0]
        if not self._begun:
            self._known.add(plain)
        elif plain not in self._known and not _is_public(plain):
            raise DataError(
                f"Cannot read {shown(self._first)}: it is redirected to {_place(urlsplit(self.url))}, an address "
                "of this machine or its network, which is not followed. Write the URL itself if it is meant."
            )

    def follow(self, location: str) -> None:
        """Go on to where a server says, and log it if that is another server."""
        self._begun = True
        before, target = urlsplit(self.url), urlsplit(urljoin(self.url, location))
        told = shown(self._first)
        if target.scheme.lower() not in HTTP or not target.hostname:
            raise DataError(f"Cannot read {told}: it is redirected to {shown(target.geturl())}, no web address.")
        same = _place(before) == _place(target)
        user = before.netloc.rpartition("@")[0] if same else ""  # and never what a server has made up
        netloc = target.netloc.rpartition("@")[2]
        self.url = urlunsplit(target._replace(netloc=f"{user}@{netloc}" if user else netloc, fragment=""))
        if not same:
            _log.warning("%s is redirected from %s to %s", told, _place(before), _place(target))

    def unreachable(self, error: Exception) -> DataError:
        """Describe what went wrong, in words that quote nothing secret."""
        kind = type(error).__name__
        reason = {
            "ConnectTimeout": f"no answer within {_TIMEOUT} s",
            "ReadTimeout": f"no answer within {_TIMEOUT} s",
            "ConnectionError": "the server cannot be reached",
        }.get(kind) or without_secrets(str(error), self.url).rstrip(".")
        return DataError(f"Cannot read {shown(self._first)}: {reason or kind}.")


def _place(url: SplitResult) -> str:
    """Protocol, host and port."""
    try:
        port = url.port
    except ValueError:
        port = None
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme.lower()}://{host}{f':{port}' if port else ''}"


def _is_public(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if found in _TRANSLATED:
        mapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)


def _check_connections(session: Session, hops: _Hops) -> None:
    """Have each connection of `session` looked at before it is used. Those to a proxy are the proxy's to look at."""
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    def checking(kind: Any) -> Any:
        class Checked(kind):
            def _new_conn(self) -> Any:
                hops.expected(self.host)
                connection = super()._new_conn()
                try:
                    hops.connected(connection.getpeername()[0])
                except BaseException:
                    connection.close()
                    raise
                return connection

        return Checked

    def pool(kind: Any, connection: Any) -> Any:
        return type(kind.__name__, (kind,), {"ConnectionCls": checking(connection)})

    pools = {
        "http": pool(HTTPConnectionPool, HTTPConnection),
        "https": pool(HTTPSConnectionPool, HTTPSConnection),
    }
    for protocol in HTTP:
        adapter = HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = pools
        session.mount(f"{protocol}://", adapter)
