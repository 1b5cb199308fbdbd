"""Ray itself: found, joined, or started for this experiment alone."""

from __future__ import annotations

import logging
import math
import os
import shutil
import socket
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from importlib.util import find_spec
from typing import Any

from automl.engine.execution.bytecode import child_environment
from automl.engine.execution.gpus import local_shares
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.cluster import ClusterWatch, host_and_port
from automl.engine.trial.cores import usable_cores
from automl.errors import ExecutorError

__all__ = ["RayRuntime", "check_address"]

log = logging.getLogger("automl")

_BOOT_SECONDS = 60.0
"""Ray boots in 3 s on a quiet machine and in 25 on a busy one; a caller that can do nothing else waits no longer."""
_TRIES = 3
_PAUSE = 2.0
"""Seconds before a Ray of our own is tried once more, and twice as many before the next."""
_SHUTDOWN_SECONDS = 15.0
_SENTENCE = 200
"""Characters of Ray's explanations that are kept."""
_CONNECT_SECONDS = 5.0
"""To the port of a cluster's head. Without this look, Ray itself tries for ever."""

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without GPUs sees none
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # one machine: Ray then listens on the loopback interface only
    "RAY_worker_niceness": "0",  # as workers in processes of ours; the default is 15
    # How long Ray's processes wait for each other: on a busy machine a start takes longer than they allow by default.
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_raylet_client_num_connect_attempts": "60",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_worker_register_timeout_seconds": "180",
}
"""For a Ray of our own, unless the user has set them."""


class RayRuntime:
    """Boots or joins Ray in a thread that lives until `close`: Ray's processes die with the thread that started them.

    An already initialised Ray is used unchanged, and not shut down. Else `address`, or RAY_ADDRESS, is joined. Else a
    private Ray is started, and if it does not come up, again: each time in a new thread, since what the last try has
    left running ends with its own.

    Args:
        options: `address`, `max_workers`, `cpus_per_trial`, `gpus_per_trial`.
        after: called in that thread once Ray is up.

    Attributes:
        private: it was started for this experiment alone, with room for all of its workers.
    """

    def __init__(self, options: ComputeOptions, after: Callable[[], None] = lambda: None) -> None:
        self.private = False
        self._options = options
        self._after = after
        self._thread: threading.Thread | None = None
        self._done = threading.Event()
        self._tried = threading.Event()
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._cluster: ClusterWatch | None = None
        self._own = 0.0, 0.0
        self._is_ours = False

    def begin(self) -> None:
        """Begin to boot, unless that was done."""
        if self._thread is None:
            self._start(tries=_TRIES)

    def comes_up(self, timeout: float) -> bool:
        """Begin, and wait up to `timeout` seconds for the first try to end: whether Ray is up then."""
        self.begin()
        self._tried.wait(max(0.0, timeout))
        return self.done and self._error is None

    @property
    def done(self) -> bool:
        """True once booting has ended, well or not: `require` will not wait."""
        return self._done.is_set()

    @property
    def machines(self) -> Sequence[tuple[float, float]]:
        """Cores and GPUs of each machine that there is, used ones included; once booting has ended well."""
        assert self._cluster is not None
        return (self._own,) if self.private else self._cluster.machines

    @property
    def lost(self) -> str:
        """The reason why Ray can no longer be used; nothing while it can."""
        return "" if self._cluster is None else self._cluster.lost

    @property
    def place(self) -> str:
        """The place of the Ray in use, for a sentence."""
        address = _address(self._options)
        return f"at {address}" if address else "on this machine"

    def require(self, timeout: float = _BOOT_SECONDS) -> None:
        """Wait until Ray is up.

        Raises:
            ExecutorError: it cannot be reached or started.
        """
        self.begin()
        if not self._done.wait(timeout):
            raise ExecutorError(f"Ray {self.place} was not up after {timeout:.0f} s. {_INSTEAD}")
        if isinstance(self._error, ExecutorError):
            raise self._error
        if self._error is not None:
            cause = textwrap.shorten(str(self._error), _SENTENCE).rstrip(".")
            raise ExecutorError(f"Ray {self.place} cannot be used: {cause}. {_INSTEAD}") from self._error

    def close(self) -> None:
        """Shut down what was started here, and let go of what was joined.

        A boot under way is not waited for: it is undone when it has ended, or when the process does.
        """
        self._closing.set()
        if self._cluster is not None:
            self._cluster.end()
        if self._thread is None:
            return
        if self._done.is_set():
            self._thread.join(timeout=_SHUTDOWN_SECONDS)
        elif sys.platform != "linux":  # there Ray's processes would outlive this one: have the interpreter wait
            threading.Thread(target=self._thread.join, args=(_SHUTDOWN_SECONDS,), name="automl-ray-end").start()

    def _start(self, *, tries: int, pause: float = 0.0) -> None:
        self._thread = threading.Thread(target=self._live, args=(tries, pause), name="automl-ray", daemon=True)
        self._thread.start()

    def _live(self, tries: int, pause: float) -> None:
        try:
            if self._closing.wait(pause):
                raise ExecutorError("Ray is no longer needed.")
            self._boot()
            if not self._closing.is_set():
                self._after()
        except BaseException as error:
            if tries > 1 and self._may_come_up_yet(error):
                log.debug("Ray has not come up, and is tried again: %s", error)
                self._shut_down()  # what has come up ends with this thread: the next try must not find it
                self._tried.set()
                self._start(tries=tries - 1, pause=_PAUSE * 2 ** (_TRIES - tries))
                return
            self._error = error
        self._done.set()
        self._tried.set()
        self._closing.wait()
        self._shut_down()

    def _shut_down(self) -> None:
        """End what this thread has started."""
        if self._cluster is not None:
            self._cluster.end()
        if self._is_ours:
            import ray

            self._is_ours = False
            ray.shutdown()

    def _may_come_up_yet(self, error: BaseException) -> bool:
        """Tell whether it is a Ray of our own, and what went wrong may be a matter of time."""
        return not _address(self._options) and isinstance(error, Exception) and not isinstance(error, ExecutorError)

    def _boot(self) -> None:
        address = _address(self._options)
        if address:
            check_address(address)
        with _environment({} if address else {**_ENVIRONMENT, **child_environment()}):
            import ray

            ours = not ray.is_initialized()
            if ours:
                place: dict[str, Any] = {"address": address} if address else self._private()
                self.private = not address
                with _one_machine() if self.private else nullcontext():
                    _init(place)
                self._is_ours = True
                _silence()
        client = address is not None and address.startswith("ray://")
        self._cluster = ClusterWatch(address if client and address else ray.get_runtime_context().gcs_address)
        self._cluster.begin()

    def _private(self) -> dict[str, Any]:
        """Return the arguments that start a Ray of our own."""
        shares = local_shares(self._options)
        cores = usable_cores()
        wanted = math.ceil(self._options.workers_on() * self._options.cpus_per_trial)
        if wanted > cores:
            log.warning(
                "%d workers x %g cores are more than the %d cores of this machine: trials will slow each other down.",
                self._options.workers_on(),
                self._options.cpus_per_trial,
                cores,
            )
        gpus = 0 if shares is None else shares.there
        self._own = max(cores, wanted), gpus
        return {
            "address": "local",
            # Room for a worker with GPUs and one without, however few cores there are: neither waits for the other.
            "num_cpus": max(cores, wanted, math.ceil(2 * self._options.cpus_per_trial) if gpus else 0),
            "num_gpus": gpus,
            "include_dashboard": False,
            "object_store_memory": _store_size(),
        }


_INSTEAD = "Check compute.address and RAY_ADDRESS, or use executor 'process'."


def _address(options: ComputeOptions) -> str | None:
    address = options.address or os.environ.get("RAY_ADDRESS")
    return None if address == "local" else address


def check_address(address: str) -> None:
    """See whether anything listens there.

    Raises:
        ExecutorError: nothing does.
    """
    if address == "auto":
        return
    if address.startswith("ray://") and find_spec("grpc") is None:
        raise ExecutorError(f"{address} needs Ray's client: pip install 'ray[client]'.")
    place = host_and_port(address)
    if place is None:
        raise ExecutorError(
            f"{address!r} is not the address of a Ray cluster; write 'host:port', 'ray://host:port' or 'auto'."
        )
    try:
        socket.create_connection(place, timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise ExecutorError(f"There is no Ray cluster at {address}: {error.strerror or error}. {_INSTEAD}") from error


@contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    """Set variables for as long as Ray starts."""
    before = {name: os.environ.get(name) for name, value in wanted.items() if os.environ.get(name) != value}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _one_machine() -> Iterator[None]:
    """Apply the variable to a Ray that was imported before it was set: it was read then."""
    from ray._private import ray_constants as private

    before = getattr(private, "ENABLE_RAY_CLUSTER", True)
    private.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        private.ENABLE_RAY_CLUSTER = before


def _init(place: dict[str, Any]) -> None:
    import ray

    try:
        ray.init(**place, logging_level=logging.ERROR, log_to_driver=False)
    except BaseException:
        ray.shutdown()  # what it has begun to be
        raise


def _silence() -> None:
    """Send Ray's messages about workers that died to our log: it prints them, and most were killed on purpose."""
    import ray._private.worker as private

    if hasattr(private, "print_to_stdstream"):
        private.print_to_stdstream = lambda data, *_, **__: log.debug("Ray: %s", " ".join(data["lines"]))


def _store_size() -> int:
    """Bytes of Ray's object store: a tenth of the memory, and no more than the shared memory that is free."""
    import psutil

    size = min(psutil.virtual_memory().total // 10, 4 * 2**30)
    with suppress(OSError):
        size = min(size, shutil.disk_usage("/dev/shm").free * 8 // 10)
    return max(size, 100 * 2**20)  # Ray refuses less than 75 MB
