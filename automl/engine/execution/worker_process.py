"""One worker process, from the driver's side."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import IO, Any, ClassVar

from automl.engine.execution.handle import WorkerHandle
from automl.engine.execution.messages import Died, Message
from automl.engine.execution.payload import Mapped, Payload
from automl.engine.execution.reap import MARK, nested_mark
from automl.engine.trial.contract import Device, StopReason, TrialSpec

__all__ = ["WorkerProcess"]

_HOME = str(Path(__file__).parents[3])
"""The folder that `automl` is imported from."""
_LOG = 2000
"""Bytes of what a worker has printed before its first trial that are quoted if it dies."""


class WorkerProcess(WorkerHandle):
    """A process that runs `automl.engine.execution.worker`.

    Args:
        device: what its trials compute on.
        arrays: the file that will hold the context's arrays.
        environment: of the worker and its trials.
        imports: what it should import while it waits for the context.

    Attributes:
        sentinel: a descriptor that becomes readable when the process has ended; None where there is no such thing.
            (The connection alone does not tell: a forked child of a dead worker still holds its end.)
    """

    says_at_once: ClassVar[bool] = True

    def __init__(
        self, device: Device, arrays: IO[bytes] | None, environment: Mapping[str, str], imports: Sequence[str]
    ) -> None:
        super().__init__(uuid.uuid4().hex, device)
        self.connection, theirs = Pipe()
        descriptors = [theirs.fileno(), *([] if arrays is None else [arrays.fileno()])]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `bury` closes it
        path = [_HOME, environment.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "automl.engine.execution.worker", *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, path)), MARK: nested_mark(self.mark)},
            **_inheriting(descriptors),
        )
        theirs.close()
        self.pid = self._process.pid
        self.sentinel = _sentinel(self.pid)
        self._send(
            {
                "mark": self.mark,
                "path": sys.path,
                "pythonpath": environment.get("PYTHONPATH"),
                "imports": tuple(imports),
            }
        )

    @property
    def sources(self) -> list[Any]:
        """The objects to wait for in order to hear from it."""
        return [self.connection, *([] if self.sentinel is None else [self.sentinel])]

    def load(self, payload: Payload | Mapped) -> None:
        self._send(("context", payload))

    def run(self, specs: Sequence[TrialSpec]) -> None:
        self._send(("run", specs))

    def stop(self, number: int, attempt: int, reason: StopReason) -> None:
        self._send(("stop", number, attempt, reason))

    def receive(self) -> Message:
        """The next message; waits for it."""
        try:
            message: Message = pickle.loads(self.connection.recv_bytes())
            return message
        except (EOFError, OSError):
            return Died(self._death())

    def hear(self) -> list[Message]:
        """Return what it has said, where there is something: at most one message for each of its trials."""
        messages = [self.receive()]
        while len(messages) < len(self.trials) and self._has_spoken():
            messages.append(self.receive())
        return messages

    def _has_spoken(self) -> bool:
        try:
            return self.connection.poll()
        except OSError:
            return False

    def is_dead_unseen(self) -> bool:
        """True if it has ended and there is no sentinel that says so."""
        return self.sentinel is None and self._process.poll() is not None

    def remains(self) -> list[Message]:
        """Return what a dead worker had still said, and that it is dead."""
        return [*self._unread(), Died(self._death())]

    def bury(self) -> list[Message]:
        """Let go of a killed process; return what it had still said."""
        self._process.wait()
        unread = self._unread()
        self.connection.close()
        self._log.close()
        if self.sentinel is not None:
            os.close(self.sentinel)
            self.sentinel = None
        return unread

    def _unread(self) -> list[Message]:
        messages: list[Message] = []
        with contextlib.suppress(OSError):
            while self.connection.poll():
                message = self.receive()
                if isinstance(message, Died):
                    break
                messages.append(message)
        return messages

    def _send(self, message: Any) -> None:
        with contextlib.suppress(OSError):  # it is dead, which shows when its messages are read
            self.connection.send_bytes(pickle.dumps(message, protocol=5))

    def _death(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return f"worker {self.pid} closed its connection"
        how = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        return f"worker {self.pid} {how}{self._printed()}"

    def _printed(self) -> str:
        """Return what it printed before its first trial."""
        if self.last is not None:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), _LOG, max(0, size - _LOG)) if hasattr(os, "pread") else b""
        return f": {text.decode(errors='replace').strip()}" if text else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _inheriting(descriptors: Sequence[int]) -> dict[str, Any]:
    """Return the arguments that start a process in a session of its own that inherits `descriptors`."""
    if os.name == "posix":
        return {"pass_fds": descriptors, "start_new_session": True}
    for descriptor in descriptors:
        os.set_handle_inheritable(descriptor, True)  # type: ignore[attr-defined]
    return {"close_fds": False, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]


def _sentinel(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux
        return None
