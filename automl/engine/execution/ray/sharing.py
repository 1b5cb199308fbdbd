"""The transfer of a trial's files from its worker's machine to the driver's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from automl.engine.execution.messages import Ended
from automl.engine.execution.storage import Storage, StorageError, failed
from automl.engine.trial.contract import TrialResult, TrialSpec

__all__ = ["SharedDisk", "Sharing", "ThroughStorage", "sharing_for"]

_FETCHERS = 4
"""Trials whose files are fetched at the same time."""


class Sharing(ABC):
    """The driver's part in the transfer."""

    storage: str | None = None

    @property
    def pending(self) -> int:
        """Results that wait for their files."""
        return 0

    def prepare(self, spec: TrialSpec) -> Path | None:
        """Return a file that the trial's worker must see, if there is to be one, before the trial is sent."""
        return None

    @abstractmethod
    def take(self, spec: TrialSpec, finished: Ended) -> list[TrialResult]:
        """Note that a trial has ended; return results that can be handed on now."""

    def done(self) -> list[TrialResult]:
        """Return further results that can be handed on now."""
        return []

    @abstractmethod
    def close(self) -> None:
        """Clean up; what was not handed on is dropped."""


class SharedDisk(Sharing):
    """All machines see the driver's directories. Workers look for a file there, to tell whether that is so."""

    def __init__(self) -> None:
        self._token: Path | None = None

    def prepare(self, spec: TrialSpec) -> Path:
        if self._token is None or self._token.parent != spec.directory.parent:
            self.close()
            self._token = spec.directory.parent / ".shared"
            self._token.parent.mkdir(parents=True, exist_ok=True)
            self._token.touch()
        return self._token

    def take(self, spec: TrialSpec, finished: Ended) -> list[TrialResult]:
        return [finished.result]

    def close(self) -> None:
        if self._token is not None:
            self._token.unlink(missing_ok=True)


class ThroughStorage(Sharing):
    """Workers upload, and threads of the driver fetch, so its loop never waits for a file."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self.storage = storage, storage.url
        self._pool = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="automl-fetch")
        self._fetches: list[Future[TrialResult]] = []

    @property
    def pending(self) -> int:
        return len(self._fetches)

    def prepare(self, spec: TrialSpec) -> None:
        if spec.lineage.checkpoint is not None:
            self._storage.offer(spec.lineage.checkpoint)

    def take(self, spec: TrialSpec, finished: Ended) -> list[TrialResult]:
        self._fetches.append(self._pool.submit(self._fetch, spec.directory, finished))
        return []

    def done(self) -> list[TrialResult]:
        ended = [fetch for fetch in self._fetches if fetch.done()]
        self._fetches = [fetch for fetch in self._fetches if fetch not in ended]
        return [fetch.result() for fetch in ended]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, directory: Path, finished: Ended) -> TrialResult:
        try:
            self._storage.fetch(finished.files, directory)
            return finished.result
        except (StorageError, OSError) as error:
            return failed(finished.result, StorageError(str(error)))


def sharing_for(url: str | None) -> Sharing:
    """The way that `compute.storage` asks for.

    Raises:
        ExecutorError: the storage cannot be used.
    """
    if url is None:
        return SharedDisk()
    storage = Storage(url)
    storage.check()
    return ThroughStorage(storage)
