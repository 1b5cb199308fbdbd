"""The one host of trials: inside a process of ours, and inside a Ray actor.

``python -m automl.engine.execution.worker CONNECTION [ARRAYS]`` is the process: descriptors of a socket to the driver,
and of a file that will hold the context's arrays. It never imports the caller's ``__main__``. (loky and
concurrent.futures do, and can neither stream reports nor kill one worker with all that it started; pebble cannot stream
either.)
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing.connection
import os
import pickle
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from automl.engine.execution.batch import Batch
from automl.engine.execution.memory_note import MemoryNote
from automl.engine.execution.messages import Broken, Ended, Loaded, Message
from automl.engine.execution.payload import Mapped, Payload, unpack
from automl.engine.execution.reap import MARK, end_self, nested_mark
from automl.engine.execution.watchdog_process import WorkerWatchdog
from automl.engine.trial.capture import Spool
from automl.engine.trial.contract import Report, StopReason, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.execute import address, execute, stop_failure
from automl.engine.trial.gpu import free_memory, is_broken
from automl.engine.trial.memory import resident_memory

__all__ = ["Worker", "import_quietly", "main", "serve"]

_TICK = 0.2
_GROWTH = 2**28
"""A worker is worn when it holds 256 MB more than twice of what it held after its first trial."""


class Worker:
    """Runs trials one after the other, keeping data and imports warm.

    Args:
        mark: name of this worker, which its descendants carry in their environment.
        watchdog: of this process.
    """

    def __init__(self, mark: str, watchdog: WorkerWatchdog | None) -> None:
        os.environ[MARK] = nested_mark(mark)
        self.mark = mark
        self._context: TrialContext | None = None
        self._batch = Batch()
        self._stops: dict[tuple[int, int], StopReason] = {}
        self._spool = Spool(mark)
        faulthandler.enable(sys.stderr)  # a crash in C leaves Python's stack in the trial's log
        self._watchdog = watchdog
        self._held = 0
        threading.Thread(target=self._tick, name="automl-tick", daemon=True).start()

    def load(self, payload: Payload) -> Loaded | Broken:
        """Take the context. Must come before the first `run`."""
        try:
            self._context = unpack(payload)
        except BaseException:
            return Broken(traceback.format_exc())
        import_quietly(self._context.imports)
        return Loaded(address(os.getpid()), free_memory())

    def accept(self, specs: Sequence[TrialSpec]) -> Batch:
        """Return the batch to be run next. What is left in it when an `Ended` is worn never begins."""
        self._batch = Batch(specs)
        return self._batch

    def run(self, spec: TrialSpec, emit: Callable[[Report], None], note: MemoryNote | None = None) -> Ended:
        """Run a trial to its end in this thread.

        Args:
            emit: gets its reports.
            note: what the watchdog writes if the trial holds too much memory; by default in the trial's directory.
        """
        assert self._context is not None
        key = spec.number, spec.attempt
        if (reason := self._stops.pop(key, None)) is not None:  # it came before the trial did
            return _never_begun(spec, reason)
        if self._watchdog is not None and spec.limits.memory is None:
            self._watchdog.expect()
        elif self._watchdog is not None and spec.limits.memory is not None:
            self._watchdog.limit(spec.limits.memory, note or MemoryNote(spec.directory))
        result = execute(
            spec,
            self._context,
            emit=emit,
            stop_reason=lambda: self._stops.get(key),
            capture=self._spool.capture,
        )
        if spec.limits.memory is not None and self._watchdog is not None:
            self._watchdog.lift()
        self._stops.pop(key, None)
        return Ended(result, self._worn())

    def stop(self, number: int, attempt: int, reason: StopReason) -> Ended | None:
        """Ask a trial to stop, from another thread than the one it runs in. The first reason counts.

        Returns:
            How it has ended, if it had not begun: then it never will.
        """
        spec = self._batch.withdraw(number, attempt)
        if spec is None:
            self._stops.setdefault((number, attempt), reason)
            return None
        return _never_begun(spec, reason)

    def _worn(self) -> bool:
        held = resident_memory()
        self._held = self._held or held
        return held > 2 * self._held + _GROWTH or is_broken()

    def _tick(self) -> None:
        while True:
            time.sleep(_TICK)
            self._spool.flush_long()


def _never_begun(spec: TrialSpec, reason: StopReason) -> Ended:
    failure = stop_failure(reason, spec, killed=False)
    return Ended(TrialResult.of(spec, reason.status, failure=failure, worker=address(os.getpid())), worn=False)


def import_quietly(modules: Iterable[str]) -> None:
    """Import `modules` ahead of their use; one that cannot be imported fails where it is used."""
    for module in modules:
        with contextlib.suppress(Exception):
            import_module(module)


def main() -> None:
    """Serve the driver at the other end of the connection until it closes it."""
    connection, *arrays = (int(descriptor) for descriptor in sys.argv[1:])
    serve(_connect(connection), *arrays)


def serve(connection: Connection, arrays: int = -1) -> None:
    """Run what the driver sends. `arrays`: descriptor of the file that a `Mapped` payload is in."""
    if arrays >= 0:
        os.set_inheritable(arrays, False)
    hello = pickle.loads(connection.recv_bytes())
    _restore(hello)
    worker = Worker(hello["mark"], WorkerWatchdog.fork(hello["mark"]) if os.name == "posix" else None)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lock = threading.Lock()

    def send(message: Message) -> None:
        content = pickle.dumps(message, protocol=5)
        with lock:
            connection.send_bytes(content)

    threading.Thread(target=_read, args=(connection, worker, inbox, send), name="automl-reader", daemon=True).start()
    import_quietly(hello["imports"])
    while True:
        value = inbox.get()
        if isinstance(value, Batch):
            _run(worker, value, send)
        else:
            send(worker.load(value.map(arrays) if isinstance(value, Mapped) else value))


def _run(worker: Worker, batch: Batch, send: Callable[[Message], None]) -> None:
    for spec in batch:
        finished = worker.run(spec, send)
        send(finished)
        if finished.worn:
            return


def _connect(descriptor: int) -> Connection:
    if os.name == "posix":
        os.set_inheritable(descriptor, False)
        return Connection(descriptor)
    connection: Connection = multiprocessing.connection.PipeConnection(descriptor)  # type: ignore[attr-defined]
    return connection


def _restore(hello: dict[str, Any]) -> None:
    """Make this process what the driver's is: the path of modules, and the environment that was changed to start it."""
    sys.path[:] = hello["path"]
    os.environ.pop("PYTHONPATH", None)
    if hello["pythonpath"] is not None:
        os.environ["PYTHONPATH"] = hello["pythonpath"]


def _read(
    connection: Connection, worker: Worker, inbox: queue.SimpleQueue[Any], send: Callable[[Message], None]
) -> None:
    """Take what the driver sends: stop requests act at once, everything else in order."""
    try:
        while True:
            kind, *values = pickle.loads(connection.recv_bytes())
            if kind != "stop":
                inbox.put(worker.accept(values[0]) if kind == "run" else values[0])
            elif (finished := worker.stop(*values)) is not None:
                send(finished)
    except (EOFError, OSError):
        end_self(worker.mark)  # the driver is dead, or has closed this worker


if __name__ == "__main__":
    main()
