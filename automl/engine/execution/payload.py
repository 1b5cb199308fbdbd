"""The context on its way to the workers: pickled once, its arrays apart, so that they need not be copied.

In a worker the arrays are read-only views of memory that all workers of a machine share; so no trial can spoil
the data of the next.
"""

from __future__ import annotations

import mmap
import pickle
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from automl.engine.trial.contract import TrialContext
from automl.errors import ExecutorError

__all__ = ["Mapped", "Payload", "pack", "unpack"]

_ALIGNMENT = 64


@dataclass(frozen=True)
class Payload:
    """A pickle (protocol 5) and its buffers, each contiguous bytes."""

    head: bytes
    buffers: Sequence[Any] = ()


def pack(context: TrialContext) -> Payload:
    """Pickle `context`. What is defined in the caller's ``__main__`` travels by value.

    Raises:
        ExecutorError: it cannot be pickled.
    """
    import cloudpickle

    buffers: list[pickle.PickleBuffer] = []
    try:
        head = cloudpickle.dumps(context, protocol=5, buffer_callback=buffers.append)
        return Payload(head, [buffer.raw() for buffer in buffers])
    except Exception as error:
        raise ExecutorError(
            f"What the trials should do cannot be sent to a worker: {type(error).__name__}: {error}. "
            "Define it without open files, locks or connections, or use executor 'inline'."
        ) from error


def unpack(payload: Payload) -> TrialContext:
    """The context, its arrays as views of the payload's buffers."""
    context: TrialContext = pickle.loads(payload.head, buffers=payload.buffers)
    return context


@dataclass(frozen=True)
class Mapped:
    """A payload whose buffers are in a file without a name, which the workers have inherited.

    Attributes:
        places: offset and size of each buffer, in bytes.
    """

    head: bytes
    places: tuple[tuple[int, int], ...]

    @classmethod
    def write(cls, payload: Payload, file: IO[bytes]) -> Mapped:
        """Move the buffers of `payload` to `file`.

        Raises:
            ExecutorError: the disk is full.
        """
        places = []
        try:
            for buffer in payload.buffers:
                file.write(b"\0" * (-file.tell() % _ALIGNMENT))
                places.append((file.tell(), len(buffer)))
                file.write(buffer)
            file.flush()
        except OSError as error:
            size = sum(len(buffer) for buffer in payload.buffers)
            raise ExecutorError(
                f"The data that the workers share, {size / 2**20:,.0f} MB, cannot be written to "
                f"{tempfile.gettempdir()}: {error.strerror}. Name another folder in TMPDIR."
            ) from error
        return cls(payload.head, tuple(places))

    def map(self, descriptor: int) -> Payload:
        """The payload, its buffers as read-only views of the file with this descriptor."""
        view = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
        return Payload(self.head, [view[begin : begin + size] for begin, size in self.places])
