"""A watch on a Ray cluster: nodes join and leave, and its head may die."""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import suppress
from typing import Any

__all__ = ["ClusterWatch", "host_and_port"]

_LOOK = 1.0
"""Seconds between two looks: one costs less than a millisecond."""
_CONNECT = 2.0
_REFUSALS = 3
"""Times in a row that the head does not take a connection, after which it is said to be dead."""
_SILENCE = 60.0
"""Seconds that a look may take. Ray gives a head that does not answer as long, and then ends this process."""
_BENEFIT = 5.0
"""Seconds more, in which a thread that this process itself has held up can look again."""


class ClusterWatch:
    """Looks at the cluster in a thread of its own, since Ray's calls do not return when its head is dead.

    Args:
        address: host and port of the head.

    Attributes:
        machines: cores and GPUs of each machine that there is, used ones included.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._node = ""
        self._lost = ""
        self._refusals = 0
        self._looked = time.monotonic()
        self._suspected = math.inf
        self._ends = threading.Event()
        self.machines: tuple[tuple[float, float], ...] = ()

    def begin(self) -> None:
        """Look once, and then again and again until `end`."""
        import ray

        with suppress(Exception):  # a Ray client is on no node
            self._node = ray.get_runtime_context().get_node_id()
        self._look()
        threading.Thread(target=self._watch, name="automl-ray-watch", daemon=True).start()

    def end(self) -> None:
        self._ends.set()

    @property
    def lost(self) -> str:
        """The reason why the cluster can no longer be used; nothing while it can."""
        now = time.monotonic()
        silence = now - self._looked
        if silence <= _SILENCE:
            self._suspected = math.inf
        elif not self._lost and not self._ends.is_set():
            self._suspected = min(self._suspected, now)
            if now - self._suspected > _BENEFIT:
                self._lost = f"it has not answered for {silence:.0f} s"
        return self._lost

    def _watch(self) -> None:
        while not self._ends.wait(_LOOK) and not self._lost:
            with suppress(Exception):  # what is really wrong shows in the next look
                self._look()

    def _look(self) -> None:
        refusal = _refusal(self._address)
        if refusal:
            self._refusals += 1
            self._lost = refusal if self._refusals >= _REFUSALS else ""
            return
        import ray

        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        alive = [node["Resources"] for node in nodes if node["Alive"]]
        self.machines = tuple((resources.get("CPU", 0.0), resources.get("GPU", 0.0)) for resources in alive)
        if any(node["NodeID"] == self._node and not node["Alive"] for node in nodes):
            self._lost = "this machine's own part of it has died"
        self._refusals, self._looked = 0, time.monotonic()


def host_and_port(address: str) -> tuple[str, int] | None:
    """The parts of ``host:port``, with or without ``ray://``; None if it is not such an address."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() else None


def _refusal(address: str) -> str:
    """Return why the head takes no connection; nothing if it does."""
    place = host_and_port(address)
    if place is None:
        return ""
    try:
        socket.create_connection(place, timeout=_CONNECT).close()
    except OSError as error:
        return f"nothing answers at {address} ({error.strerror or error})"
    return ""
