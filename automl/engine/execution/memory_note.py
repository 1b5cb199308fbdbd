"""The memory that a trial held when it was killed for that: the watchdog writes it down, the driver reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automl.engine.execution.storage import Storage

__all__ = ["MemoryNote"]

_NAME = "logs/memory_exceeded.txt"


@dataclass(frozen=True)
class MemoryNote:
    """A small file of the trial: in its directory, or in the storage where the machines share no disk.

    Attributes:
        trial: the trial's directory.
        storage: the URL of `compute.storage`, if it is used.
    """

    trial: Path
    storage: str | None = None

    def write(self, held: int) -> None:
        """Note that the trial held so many bytes."""
        if self.storage is not None:
            Storage(self.storage).write(str(held), _NAME, self.trial)
            return
        path = self.trial / _NAME
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(held), encoding="ascii")

    def take(self) -> int | None:
        """The bytes that were noted, once; None if nothing was."""
        try:
            if self.storage is not None:
                text = Storage(self.storage).take(_NAME, self.trial)
            else:
                path = self.trial / _NAME
                text = path.read_text(encoding="ascii")
                path.unlink()
            return None if text is None else int(text)
        except (OSError, ValueError):
            return None
